"""Which browser there is."""

import shutil
from pathlib import Path

from playwright.sync_api import Playwright

_SYSTEM_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find_browser(playwright: Playwright) -> str | None:
    """Returns the system's Chromium, or Playwright's own, or None."""
    for name in _SYSTEM_BROWSERS:
        if path := shutil.which(name):
            return path
    own = playwright.chromium.executable_path
    return own if Path(own).exists() else None
