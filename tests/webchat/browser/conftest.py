"""A browser for the chat's page. Without one the tests are skipped, but in CI they fail."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from shared.dialog.state import Dialog
from tests.webchat.world import LiveQueue, WebChat, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PREFIX = "/some/prefix"
PATIENCE_SECONDS = 30
"""Far more than the page takes: other tests share the machine."""


def _missing(what: str) -> str:
    if os.environ.get("CI"):
        pytest.fail(f"{what} is needed for the tests of the chat's page")
    pytest.skip(f"{what} is not installed (Chromium on Debian: apt-get install chromium)")


def _chromium() -> str:
    given = os.environ.get("CHROMIUM")
    return given or next(filter(None, map(shutil.which, NAMES)), None) or _missing("Chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed after each module: Playwright keeps an event loop running, which others would stumble over."""
    if find_spec("playwright") is None:
        _missing("Playwright")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (slow, and only needed here)

    path = _chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visitor:
    """Somebody in front of the page."""

    def __init__(self, chat: WebChat, context: BrowserContext, address: str) -> None:
        self.chat, self.context, self.address = chat, context, address
        self.faults: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._note)
        self.page.set_default_timeout(PATIENCE_SECONDS * 1000)

    def opens(self, query: str = "") -> Visitor:
        self.page.goto(self.address + query)
        return self

    def writes(self, text: str) -> None:
        self.page.get_by_role("textbox").fill(text)
        self.page.keyboard.press("Enter")

    def presses(self, label: str) -> None:
        self.page.locator(".choice:not([aria-disabled=true])", has_text=label).click()

    def waits_for(self, text: str) -> None:
        """Wait for the bot to have said it. (Playwright itself would look only twice a second.)"""
        said = self.page.locator(".message.bot", has_text=text)
        self.waits(lambda: said.count() > 0, text)

    def waits_until(self, claim: str) -> None:
        """Wait for a claim in JavaScript. (The page's policy forbids Playwright's own way, `eval`.)"""
        self.waits(lambda: bool(self.page.evaluate(claim)), claim)

    def slows_down(self, seconds: float) -> None:
        """From now on the bot takes its time."""
        assert isinstance(self.chat.queue, LiveQueue)
        self.chat.queue.seconds = seconds

    def dialog(self) -> Dialog:
        """The one dialog there is."""
        (dialog,) = self.chat.dialogs._dialogs.values()
        return dialog

    def sees(self) -> list[str]:
        """Who said what, in order."""
        script = """nodes => nodes.map(node => {
            const bubble = node.querySelector(".bubble")?.cloneNode(true);
            bubble?.querySelectorAll(".meta, .unseen").forEach(part => part.remove());
            return node.classList[1] + ": " + (bubble?.textContent ?? "");
        })"""
        said: list[str] = self.page.locator(".message").evaluate_all(script)
        return said

    def is_at_the_end(self) -> bool:
        script = (
            "const s = document.getElementById('scroll'); s.scrollHeight - s.scrollTop - s.clientHeight < 4"
        )
        return bool(self.page.evaluate(script))

    def waits(self, came_true: Callable[[], bool], claim: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not came_true():
            if time.monotonic() > deadline:
                pytest.fail(f"never came true: {claim}")
            self.page.wait_for_timeout(30)

    def _note(self, message: ConsoleMessage) -> None:
        """A request that failed is told in the console too; that is no fault of the page."""
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.faults.append(message.text)


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Open a page: `visit(document, name, origins, browser settings…)`; it must run without a fault."""
    with ExitStack() as stack:
        visitors: list[Visitor] = []

        def open_page(
            document: dict[str, Any], name: str = "Café", origins: str = "", **settings: Any
        ) -> Visitor:
            chat = WebChat(document, name=name, queue=LiveQueue(), allowed_origins=origins)
            address = stack.enter_context(served(chat, PREFIX))
            context = stack.enter_context(browser.new_context(**settings))
            visitors.append(Visitor(chat, context, address))
            return visitors[-1]

        yield open_page
        assert [fault for visitor in visitors for fault in visitor.faults] == []


@pytest.fixture
def screenshot(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Visitor], Path]:
    """Take a picture, kept under `SCREENSHOTS` if that is set, for a person to look at."""

    def take(visitor: Visitor) -> Path:
        folder = Path(os.environ.get("SCREENSHOTS") or tmp_path)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{request.node.name}.png"
        visitor.page.screenshot(path=path)
        return path

    return take
