"""The people in whose name the fuzzer asks: accounts made in the server's own database, tokens signed with its key.

Made over HTTP, each of them would cost two bcrypt hashes, and logins would use up the few attempts there are.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

import clock
from db.accounts.logins import Login, open_login
from db.membership import join
from db.sql.engine import transaction
from security import passwords
from security.tokens import Kind, access_token, refresh_lifetime, refresh_token

PASSWORD = "Harbor-Lantern-42"


@dataclass(frozen=True)
class Person:
    """An account and one login of it."""

    account: Any
    login: Login

    def token(self, kind: Kind) -> str:
        """Sign a token of the login, so that none in use is ever near its end."""
        if kind == "refresh":
            return refresh_token(self.account, self.login, at=clock.now())
        return access_token(self.account, self.login.id, fresh=kind == "fresh", at=clock.now())


def new_person() -> Person:
    """Open an account with the password `PASSWORD`, and log it in."""
    name = uuid4().hex
    email = f"{name}@quintet.example"
    with transaction() as session:
        account = join(session, username=name, email=email, password_hash=_password_hash(), at=clock.now())
        login = open_login(session, account_id=account.id, at=clock.now(), expires_at=clock.now() + refresh_lifetime())
    return Person(account, login)


@cache
def _password_hash() -> str:
    # The least cost that bcrypt has: the fuzzer's thousands of logins are not there to wait.
    with_cost = passwords.COST
    passwords.COST = 4
    try:
        return passwords.hash_password(PASSWORD)
    finally:
        passwords.COST = with_cost
