from tests.focusguard.conftest import clock, lasting_tokens  # noqa: F401
