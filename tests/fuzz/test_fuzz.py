"""The short run: every operation of every contract, with few examples. `make fuzz` is the long one."""

from pathlib import Path

import pytest

from server.contracts import CONTRACTS, Contract
from settings import Settings
from tests.fuzz.runs import Server, fuzz

EXAMPLES = 3
PHASES = ("examples", "fuzzing", "stateful")
"""Without the phase that goes through all boundaries of all schemas, which takes longer than the others together."""


# On the database that refuses more; the long run (`make fuzz`) takes either.
@pytest.mark.on("postgresql")
@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_a_contract_withstands_all_checks(contract: Contract, base_url: str, settings: Settings, tmp_path: Path):
    server = Server(base_url, settings.database_url, settings.jwt_secret_key)

    outcome = fuzz(contract, server, tmp_path, seed=1, examples=EXAMPLES, phases=PHASES)

    assert outcome.passed, outcome.output
    assert outcome.unreached == set()
