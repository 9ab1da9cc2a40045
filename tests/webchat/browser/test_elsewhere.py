"""The chat on somebody else's page, and in several tabs."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.webchat.browser.conftest import Visit
from tests.webchat.browser.test_conversation import CAFE, question, scenario


class Shop:
    """Another website. Its pages have what `content` says, under the `policy`."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.content = self.policy = ""

    def embeds(self, address: str, policy: str) -> None:
        """Put the script tag on its page, by mistake twice; the page has its own opinion of looks."""
        looks = "button, iframe { display: none; position: static } body { transform: translateY(-99px) }"
        style = "" if policy else f"<style>{looks}</style>"
        tag = f'<script async src="{address}?as=script" data-label="Talk to us"></script>'
        self.content = f"<!doctype html><link rel=icon href=data:,><p>Shoes</p>{style}{tag}{tag}"
        self.policy = policy.format(host="/".join(address.split("/")[:3]))


@pytest.fixture
def shop() -> Iterator[Shop]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            if site.policy:
                self.send_header("content-security-policy", site.policy)
            self.end_headers()
            self.wfile.write(site.content.encode())

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site = Shop(f"http://localhost:{server.server_port}")
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield site
        server.shutdown()
        thread.join()


STRICT = "default-src 'none'; img-src data:; script-src {host}; frame-src {host}"


@pytest.mark.parametrize("policy", ["", STRICT], ids=["a plain page", "a page with a strict policy"])
def test_a_script_tag_puts_the_chat_on_any_listed_page(visit: Visit, shop: Shop, policy: str) -> None:
    anna = visit(CAFE, origins=shop.origin)
    shop.embeds(anna.address, policy)
    anna.page.goto(shop.origin)
    button = anna.page.get_by_role("button", name="Talk to us")
    assert button.get_attribute("aria-expanded") == "false"
    assert (box := button.bounding_box())
    assert (box["x"] + box["width"], box["y"] + box["height"]) == (1260, 700)
    assert anna.page.locator("iframe").count() == 0
    button.click()
    chat = anna.page.frame_locator("iframe")
    chat.get_by_text("What's your name?").wait_for()
    chat.get_by_role("textbox").fill("Anna")
    chat.get_by_role("textbox").press("Enter")
    chat.get_by_text("Tea or coffee?").wait_for()
    assert button.get_attribute("aria-expanded") == "true"
    assert "dvh" in anna.page.locator("iframe").evaluate("node => node.style.maxHeight")
    button.click()
    assert not anna.page.locator("iframe").is_visible()
    button.press("Enter")
    assert chat.get_by_text("Tea or coffee?").is_visible()
    button.focus()
    anna.page.keyboard.press("Escape")
    assert not anna.page.locator("iframe").is_visible()


def test_a_page_that_is_not_listed_cannot_show_the_chat(visit: Visit, shop: Shop) -> None:
    anna = visit(CAFE, origins="https://another.example")
    shop.embeds(anna.address, policy="")
    anna.page.goto(shop.origin)
    anna.page.get_by_role("button", name="Talk to us").click()
    anna.waits(lambda: any("frame-ancestors" in fault for fault in anna.faults), "refused")
    anna.faults.clear()
    assert not anna.page.frame_locator("iframe").get_by_role("textbox").is_visible()


HOLDS_STILL = """
    const later = window.setTimeout;
    window.setTimeout = (act, after) => after > 100 && after < 14000 ? 0 : later(act, after);
"""
"""A page that never looks for what is new by itself."""


def test_tabs_tell_each_other_when_something_was_said(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.waits_for("What's your name?")
    second = anna.context.new_page()
    second.add_init_script(HOLDS_STILL)
    second.goto(anna.address)
    second.locator(".message.bot", has_text="What's your name?").wait_for()
    anna.writes("Anna")
    anna.waits_for("Tea or coffee?")
    anna.presses("Tea")
    second.locator(".message.bot", has_text="Tea or coffee?").wait_for()


def test_what_one_tab_could_not_send_is_kept_whatever_another_sends(visit: Visit) -> None:
    anna = visit(scenario(question("name", "What's your name?"), after_end="ignore")).opens()
    anna.waits_for("What's your name?")
    second = anna.context.new_page()
    second.goto(anna.address)
    second.locator(".message.bot", has_text="What's your name?").wait_for()
    anna.page.route("**/api/**", lambda route: route.abort())
    anna.writes("Anna")
    anna.page.locator(".failed").wait_for()
    second.get_by_role("textbox").fill("Boris")
    second.keyboard.press("Enter")
    second.locator(".message.user:not(.sending)", has_text="Boris").wait_for()
    anna.page.close()
    second.reload()
    second.locator(".message.user:not(.sending)", has_text="Anna").wait_for()


def test_tabs_are_in_the_same_chat_whichever_is_newer(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.writes("Anna")
    anna.waits_for("Tea or coffee?")
    second = anna.context.new_page()
    second.goto(anna.address)
    second.locator(".message.bot", has_text="Tea or coffee?").wait_for()
    anna.page.evaluate("localStorage.clear()")
    anna.page.reload()
    anna.waits_for("What's your name?")
    messages = second.locator(".message")
    anna.waits(lambda: messages.count() == 1, "the other tab shows the new chat")
    assert "What's your name?" in messages.first.inner_text()
