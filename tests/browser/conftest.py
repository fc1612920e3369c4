"""A real browser on a real TensorBoard."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, Playwright

from tests.browser.chromium import find_browser
from tests.browser.sweep_logs import write_sweep
from tests.tensorboard_process import get_json, start_tensorboard, wait_until


@pytest.fixture(scope="session")
def browser_type_launch_args(playwright: Playwright) -> dict[str, Any]:
    """The system's Chromium, kept from calling home."""
    path = find_browser(playwright)
    if path is None:
        reason = "No Chromium found: install it, or run `playwright install chromium`."
        if os.environ.get("TB_REGPLUGIN_REQUIRE_ALL"):
            pytest.fail(reason)
        pytest.skip(reason)
    return {
        "executable_path": path,
        "args": [
            "--no-sandbox",  # Containers run as root.
            "--disable-quic",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }


in_both_themes = pytest.mark.parametrize("theme", ["light", "dark"], indirect=True)


class Dashboard:
    """The Regularization tab, as a person meets it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.requests: list[str] = []
        self.complaints: list[str] = []
        # Set by tests in which something goes wrong on purpose.
        self.may_complain = False
        self._listeners: dict[str, Callable[[Any], None]] = {
            "request": lambda request: self.requests.append(request.url),
            "pageerror": lambda error: self.complaints.append(str(error)),
            "console": lambda message: (
                self.complaints.append(message.text) if message.type == "error" else None
            ),
        }
        for event, listener in self._listeners.items():
            page.on(event, listener)  # type: ignore[call-overload]  # Wants a literal.

    @property
    def frame(self) -> FrameLocator:
        """What the plugin shows."""
        return self.page.frame_locator("iframe")

    def open(self, hash_: str = "#regularization") -> Dashboard:
        """Goes to the tab."""
        self.page.goto(self.address + hash_)
        return self

    def leave(self) -> None:
        """Leaves the page as another test may have it: empty, and with nothing pressed."""
        while self._listeners:
            self.page.remove_listener(*self._listeners.popitem())
        self.page.mouse.up()
        for key in ("Shift", "Alt"):
            self.page.keyboard.up(key)
        self.page.mouse.move(0, 0)
        self.page.goto("about:blank")

    def card(self, run: str) -> Any:
        """Returns the card of a run."""
        return self.frame.get_by_role("article", name=run, exact=True)

    def chart(self, run: str) -> Any:
        """Returns the chart of a run; its name tells in words what it shows."""
        return self.card(run).get_by_role("img")

    def plot(self, run: str) -> Any:
        """Returns the area within the axes of a run's chart."""
        return self.card(run).locator(".chart-area")

    def legend(self, run: str) -> Any:
        """Returns the legend of a run's chart."""
        return self.card(run).get_by_role("list", name="Terms")

    def term(self, run: str, name: str) -> Any:
        """Returns a run's legend entry: what else is named after a term is none."""
        entries = self.frame.locator("[data-term]")
        return self.legend(run).get_by_role("button", name=name).and_(entries)

    def colour(self, run: str, term: str) -> tuple[int, ...]:
        """Returns the colour of a term in a run's legend, as red, green and blue up to 255."""
        swatch = self.term(run, term).locator(".swatch")
        style = swatch.evaluate("element => getComputedStyle(element).backgroundColor")
        return tuple(int(part) for part in re.findall(r"\d+", style)[:3])

    def view(self, name: str) -> None:
        """Chooses one of the views: in a narrow window they are a list to choose from."""
        radio = self.frame.get_by_role("radio", name=name, exact=True)
        select = self.frame.get_by_role("combobox", name="View", exact=True)
        radio.or_(select).wait_for()
        if select.is_visible():
            select.select_option(name)
        else:
            radio.check()

    def option(self, name: str) -> Any:
        """Returns a control among the options, which are opened if they are not."""
        options = self.frame.get_by_role("button", name="Options")
        if options.get_attribute("aria-expanded") == "false":
            options.click()
        return self.frame.get_by_label(name, exact=True)

    def menu(self, run: str, entry: str) -> None:
        """Chooses an entry of a card's menu."""
        card = self.card(run)
        card.get_by_label(f"More of {run}").click()
        named = card.get_by_label(entry, exact=True)
        named.or_(card.get_by_text(entry, exact=True)).click()

    def plugin_requests(self) -> list[str]:
        """Returns the addresses that the plugin asked for so far."""
        return [url for url in self.requests if "/plugin/regularization/" in url]


@pytest.fixture
def theme(request: pytest.FixtureRequest) -> str:
    """TensorBoard's theme: light, unless a test names another, or both."""
    return str(getattr(request, "param", "light"))


class Pages:
    """Pages of the browser; those that no test has any more are given to others.

    A new one costs more processor time than most tests do in it.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[str, list[Page]] = {}

    @contextlib.contextmanager
    def lend(self, address: str, theme: str, options: dict[str, Any]) -> Iterator[Page]:
        """Gives a page that is empty and remembers nothing of an address."""
        free = self._free.setdefault(json.dumps([theme, options]), [])
        page = free.pop() if free else self._new(theme, options)
        session = page.context.new_cdp_session(page)
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))
        session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        session.detach()
        yield page
        free.append(page)

    def _new(self, theme: str, options: dict[str, Any]) -> Page:
        context = self._browser.new_context(**options)
        context.set_default_timeout(20_000)
        settings = json.dumps({"theme": theme})
        # An empty page has no storage.
        context.add_init_script(
            f"""location.protocol === "http:"
                && localStorage.setItem("_tb_global_settings", '{settings}')"""
        )
        return context.new_page()


@pytest.fixture(scope="session")
def pages(browser: Browser) -> Pages:
    """The pages of all tests; the browser closes them."""
    return Pages(browser)


@pytest.fixture
def open_page(pages: Pages, theme: str) -> Iterator[Callable[..., Dashboard]]:
    """Opens the tab of a TensorBoard that runs already.

    Whatever a test does, the page asks nothing of other hosts and has no error on its console.
    """
    dashboards = []
    with ExitStack() as stack:

        def open_(address: str, **options: Any) -> Dashboard:
            options.setdefault("viewport", {"width": 1400, "height": 900})
            page = stack.enter_context(pages.lend(address, theme, options))
            dashboards.append(Dashboard(page, address))
            stack.callback(dashboards[-1].leave)
            return dashboards[-1].open()

        yield open_
    for dashboard in dashboards:
        local = (dashboard.address, "blob:", "data:")
        assert [url for url in dashboard.requests if not url.startswith(local)] == []
        assert dashboard.may_complain or dashboard.complaints == []


@pytest.fixture
def open_dashboard(open_page: Callable[..., Dashboard]) -> Iterator[Callable[..., Dashboard]]:
    """Starts TensorBoard on a log directory and opens the tab once its runs are listed."""
    with ExitStack() as stack:

        def open_(
            log_dir: Path, *arguments: str, runs: int | None = None, **options: Any
        ) -> Dashboard:
            address = stack.enter_context(start_tensorboard(log_dir, *arguments))
            if runs is not None:
                wait_for_runs(address, runs)
            dashboard = open_page(address, **options)
            # Before TensorBoard goes away: what the page still asks for would fail.
            stack.callback(dashboard.leave)
            return dashboard

        yield open_


@contextlib.contextmanager
def serve(log_dir: Path, runs: int) -> Iterator[str]:
    """Runs TensorBoard while the context lasts; yields its address once it has the recordings."""
    with start_tensorboard(log_dir) as address:
        wait_for_runs(address, runs)
        yield address


@pytest.fixture(scope="session")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One TensorBoard on a sweep of one strength, for the tests that only look."""
    log_dir = tmp_path_factory.mktemp("sweep")
    with serve(log_dir, write_sweep(log_dir)) as address:
        yield address


def wait_for_runs(address: str, runs: int) -> None:
    """Returns once TensorBoard has found so many recordings."""
    route = f"{address}data/plugin/regularization/recordings"
    wait_until(lambda: len(get_json(route)["recordings"]) == runs)
