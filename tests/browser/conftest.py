"""A running lab and a Chromium that looks at it, for the tests of this folder.

A test asks for ``open_page``. It skips where there is no Chromium, unless BROWSER_TESTS=required: then it fails.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, NoReturn, Protocol

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60  # a loaded machine with two cores, cold caches
IDLE_SECONDS = 60  # the first run of a page compiles
# On every page but the first, Streamlit's front end looks for its server below the page's address before the root.
PROBE = re.compile(r"//[^/]+/[^/]+/_stcore/(health|host-config)$")
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]


class Lab(NamedTuple):
    """A running server: its address, without a slash at the end, and the file with what it printed."""

    url: str
    log: Path


class OpenPage(Protocol):
    """Opens a page of the lab, in a browser of its own, and returns once the lab has drawn it."""

    def __call__(
        self,
        path: str = "/",
        *,
        width: int = 1440,
        height: int = 900,
        color_scheme: Literal["light", "dark"] = "light",
        reduced_motion: Literal["reduce", "no-preference"] = "reduce",
    ) -> "Page": ...


# First, because pytest-xdist reads the groups in the same hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks this folder's tests, and keeps them in one process: one server, one browser."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the end of the server's log to the report of a failed test."""
    report = yield
    lab = getattr(item, "funcargs", {}).get("lab")
    if report.failed and lab is not None:
        report.sections.append(("log of the lab's server", lab.log.read_text()[-5000:]))
    return report


def _unavailable(reason: str) -> NoReturn:
    if os.environ.get("BROWSER_TESTS") == "required":
        pytest.fail(f"{reason}, and BROWSER_TESTS=required", pytrace=False)
    pytest.skip(reason)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _wait_until_healthy(server: subprocess.Popen[bytes], lab: Lab) -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{lab.url}/_stcore/health", timeout=5):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    raise RuntimeError(f"the lab did not start (exit code {server.poll()}):\n{lab.log.read_text()}")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the system's Chromium, or of the one that the variable CHROMIUM names."""
    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if executable is None:
        _unavailable(f"none of {', '.join(CHROMIUM_NAMES)} is on PATH, and CHROMIUM is not set")
    return executable


@contextmanager
def _served(home: Path, script: str = "app.py") -> Iterator[Lab]:
    """`streamlit run app.py` as a user's first start: a new HOME, and the project's own settings."""
    port = _free_port()
    lab = Lab(f"http://localhost:{port}", home / "server.log")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("STREAMLIT_")}
    command = [sys.executable, "-m", "streamlit", "run", script, f"--server.port={port}", "--server.headless=true"]
    with lab.log.open("wb") as log:
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment | {"HOME": str(home)}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        _wait_until_healthy(server, lab)
        yield lab
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


# Depends on chromium so that no server starts where nothing can look at it.
@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Lab]:
    """The server that the tests share."""
    with _served(tmp_path_factory.mktemp("home")) as lab:
        yield lab


@pytest.fixture
def fresh_lab(tmp_path: Path, chromium: str) -> Iterator[Lab]:
    """A server that nobody has visited yet."""
    with _served(tmp_path) as lab:
        yield lab


@pytest.fixture
def linked_lab(tmp_path: Path, chromium: str) -> Iterator[Lab]:
    """A server of the labs with links to them beside their pages."""
    with _served(tmp_path, "tests/browser/linked_app.py") as lab:
        yield lab


# One a module, not a session: while Playwright runs, its event loop keeps asyncio.run from working in this process.
@pytest.fixture(scope="module")
def browser(chromium: str) -> "Iterator[Browser]":
    """A Chromium without a window."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _unavailable("playwright is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)
        yield browser
        browser.close()


def _wait_until_idle(page: "Page") -> None:
    page.wait_for_selector(
        '[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=1000 * IDLE_SECONDS, state="attached"
    )


@pytest.fixture(scope="session")
def wait_until_idle() -> "Callable[[Page], None]":
    """Waits until the server has finished the run that the last action started."""
    return _wait_until_idle


@pytest.fixture
def open_page(lab: Lab, browser: "Browser") -> Iterator[OpenPage]:
    """Opens pages; at the end, fails if one logged an error or asked another host for something."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def note_message(message: "ConsoleMessage") -> None:
        if message.type == "error" and not PROBE.search(message.location["url"]):
            complaints.append(f"console error: {message.text} ({message.location})")

    def note_address(url: str) -> None:
        scheme, _, rest = url.partition("://")
        if scheme in ("http", "https", "ws", "wss") and rest.partition("/")[0] != lab.url.partition("://")[2]:
            complaints.append(f"not offline: the page asked for {url}")

    def open_page(
        path: str = "/",
        *,
        width: int = 1440,
        height: int = 900,
        color_scheme: Literal["light", "dark"] = "light",
        reduced_motion: Literal["reduce", "no-preference"] = "reduce",
    ) -> "Page":
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=color_scheme, reduced_motion=reduced_motion
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", note_message)
        page.on("pageerror", lambda error: complaints.append(f"uncaught error: {error}"))
        page.on("request", lambda request: note_address(request.url))
        page.on("websocket", lambda websocket: note_address(websocket.url))
        page.goto(lab.url + path)
        _wait_until_idle(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)
