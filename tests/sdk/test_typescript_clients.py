from pathlib import Path

import pytest

from tests.sdk.conftest import TYPESCRIPT_STORIES
from tools.sdk import run

pytestmark = pytest.mark.sdk


@pytest.mark.parametrize("name", TYPESCRIPT_STORIES)
def test_the_typescript_client_tells_the_whole_story(typescript_programs: Path, base_url: str, name: str):
    run("node", typescript_programs / f"{name}.js", BASE_URL=base_url)


def test_every_typescript_client_throws_an_error_with_status_code_and_body(typescript_programs: Path, base_url: str):
    run("node", typescript_programs / "errors.js", BASE_URL=base_url)
