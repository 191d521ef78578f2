from hypothesis import settings

from tests.focusguard.conftest import clock, lasting_tokens  # noqa: F401

settings.register_profile("long")  # pytest --hypothesis-profile=long
