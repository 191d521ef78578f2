"""Refresh token rotation: each refresh token can be used once, and is exchanged for the next one (focusguard)."""

from datetime import datetime

from db.accounts.accounts import read_account
from db.accounts.logins import find_login
from db.accounts.refresh_chain import spend
from db.errors import DomainError
from db.sql.engine import transaction
from security.errors import InvalidToken, Unauthenticated
from security.logins import Tokens
from security.tokens import Caller, Token, access_token, identify, refresh_lifetime, spent_before, successor_token


def offered_caller(
    sent: str | None, account_id: int | None, token: Token | None, refusal: DomainError | None, *, at: datetime
) -> Caller:
    """Return who asks for the next tokens: by the token sent in the body, or else by the one in a header or cookie.

    `refusal` is what was wrong with the latter. Raises it, or what `identify` raises of the former.
    """
    if sent:
        return identify(sent, "refresh", at=at)
    if account_id is None or token is None:
        raise refusal or Unauthenticated("A token is needed here.", "token_missing")
    return Caller(account_id, token)


def rotate(caller: Caller, *, at: datetime) -> Tokens:
    """Spend the caller's refresh token, and return the next tokens of its login.

    A token that is sent again within ten seconds gets the same successor; later, it ends its login. When it is sent
    several times at once, to any number of processes, the lock on the login lets them check it one after the other.
    Raises `InvalidToken`.
    """
    token = caller.token
    with transaction() as session:
        login = find_login(session, token.login_id)
        if login is None:
            raise InvalidToken("The token was revoked.", "token_revoked")
        account = read_account(session.connection(), caller.account_id)
        spent = spend(session, login, token.jti, at=at, lifetime=refresh_lifetime())
        if spent is None:
            login.end(at)
    if spent is None:
        raise spent_before()
    return Tokens(access_token(account, login.id, fresh=False, at=at), successor_token(account, spent))
