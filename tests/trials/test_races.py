"""The races of `make races`, less wide, against the server in this process."""

from collections.abc import Callable

import pytest

from tests.trials.people import looking_at
from tests.trials.races import RACES, Claims, Course, run

WIDTH = 40


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_a_race_ends_as_if_its_requests_had_come_one_after_the_other(
    race: Callable[[Course], Claims], base_url: str, database_url: str
):
    with looking_at(database_url) as engine:
        claims = run(race, Course(base_url, engine, WIDTH))

    assert [claim for claim, holds in claims.items() if not holds] == []
