import os
import shutil
from pathlib import Path

import pytest

from server.app import Quintet
from tests.conftest import PASSWORD, Person, once
from tests.server.conftest import served
from tools.sdk import NODE_MODULES, run

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parent.parent.parent
SCREENSHOTS = ROOT / os.environ.get("SCREENSHOTS", "var/screenshots")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def run_in_browser(script: str, **environment: str) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert browser, "Chromium is not installed"
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    places = {"CHROMIUM": browser, "SCREENSHOTS": str(SCREENSHOTS), "NODE_MODULES": str(NODE_MODULES)}
    run("node", Path(__file__).with_name(script), **places, **environment)


def test_the_documentation_works_in_a_browser(base_url: str, person: Person):
    run_in_browser("docs.mjs", BASE_URL=base_url, ACCESS_TOKEN=person.access_token, USER_ID=person.uuid)


@once
def test_the_home_page_gets_tokens_in_a_browser(base_url: str, person: Person):
    with served(Quintet(demo=True)) as url:
        run_in_browser("home.mjs", BASE_URL=url, USERNAME=person.username, PASSWORD=PASSWORD)
