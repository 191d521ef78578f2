import os
import shutil
from pathlib import Path

import pytest

from tests.conftest import Person
from tools.sdk import NODE_MODULES, run

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parent.parent.parent
SCREENSHOTS = ROOT / os.environ.get("SCREENSHOTS", "var/screenshots")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def test_the_documentation_works_in_a_browser(base_url: str, person: Person):
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert browser, "Chromium is not installed"
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    run(
        *("node", Path(__file__).with_name("docs.mjs")),
        BASE_URL=base_url,
        ACCESS_TOKEN=person.access_token,
        USER_ID=person.uuid,
        CHROMIUM=browser,
        SCREENSHOTS=str(SCREENSHOTS),
        NODE_MODULES=str(NODE_MODULES),
    )
