"""A server before whose database stands a pooler."""

from tests.conftest import HANGS_AFTER
from tests.process.conftest import STRONG, Start


def test_without_prepared_statements_a_role_that_sets_nothing_keeps_it_from_starting(start: Start, new_database: str):
    process = start(DATABASE_URL=new_database, JWT_SECRET_KEY=STRONG, PREPARED_STATEMENTS="false")

    _, said = process.communicate(timeout=HANGS_AFTER)

    assert process.returncode == 1
    assert said.startswith("quintet: the database's role has to set what a pooler does not pass on: ALTER ROLE")
    assert said.count("\n") == 1
