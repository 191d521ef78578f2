import sqlite3

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, SQLAlchemyError

from db.sql.faults import reason_of


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OperationalError("SELECT 'hidden'", {}, sqlite3.Error("disk I/O error")), "does not answer: disk I/O error"),
        (IntegrityError("UPDATE 'hidden'", {}, sqlite3.Error("broken\nhidden")), "refuses: broken"),
        (ProgrammingError("CREATE 'hidden'", {}, sqlite3.Error("permission denied")), "refuses: permission denied"),
        (SQLAlchemyError(""), "does not answer: SQLAlchemyError"),
    ],
)
def test_an_operator_is_told_in_one_line_whether_the_database_answered(error: SQLAlchemyError, reason: str):
    assert reason_of(error) == f"the database {reason}"
