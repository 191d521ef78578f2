from collections.abc import Iterator
from datetime import timedelta

import pytest

from security.tokens import SigningKey, sign_with
from tests.conftest import SECRET

SERVERS_KEY = SigningKey(SECRET, "HS256", timedelta(minutes=15), timedelta(days=7))


@pytest.fixture
def signing() -> Iterator[SigningKey]:
    """The key of the server in this process, for tests that need no server; it is back when they are over."""
    sign_with(SERVERS_KEY)
    yield SERVERS_KEY
    sign_with(SERVERS_KEY)
