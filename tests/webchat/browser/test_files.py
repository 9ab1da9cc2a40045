"""Files that the bot shows: pictures, videos and sounds in their place, anything else as a link."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.webchat.browser.conftest import Visit, Visitor
from tests.webchat.browser.test_conversation import scenario

if TYPE_CHECKING:
    from playwright.sync_api import Route

PICTURE, SOUND, FILE = (f"https://files.example/{name}" for name in ("menu.png", "hello.wav", "menu.pdf"))
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SAMPLES = bytes(8000)
WAV = (
    struct.pack("<4sI4s", b"RIFF", 36 + len(SAMPLES), b"WAVE")
    + struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8, b"data", len(SAMPLES))
    + SAMPLES
)


def showing(*media: dict[str, str], text: str = "Our menu") -> dict[str, Any]:
    return scenario({"id": "menu", "message": {"text": text, "media": list(media)}, "end": True})


def files_there(visitor: Visitor, **files: bytes) -> None:
    """The files at these names exist; all others do not."""

    def answer(route: Route) -> None:
        name = route.request.url.rpartition("/")[2].replace(".", "_")
        if name in files:
            route.fulfill(status=200, body=files[name])
        else:
            route.fulfill(status=404, body="")

    visitor.page.route("https://files.example/**", answer)


def test_a_picture_is_shown_and_leads_to_itself(visit: Visit) -> None:
    anna = visit(showing({"url": PICTURE, "type": "image"}), locale="en-GB")
    files_there(anna, menu_png=PNG)
    anna.opens().waits_for("Our menu")
    picture = anna.page.get_by_role("img", name="Picture")
    anna.waits(lambda: picture.count() == 1 and bool(picture.evaluate("it => it.naturalWidth > 0")), "shown")
    link = anna.page.locator(".shown a")
    assert link.get_attribute("href") == PICTURE
    assert link.get_attribute("rel") == "noopener noreferrer nofollow"


def test_a_sound_is_played_where_it_is(visit: Visit) -> None:
    anna = visit(showing({"url": SOUND, "type": "audio"}, text="Listen"))
    files_there(anna, hello_wav=WAV)
    anna.opens().waits_for("Listen")
    player = anna.page.locator(".shown audio")
    anna.waits(lambda: player.count() == 1 and bool(player.evaluate("it => it.duration > 0.9")), "loaded")
    assert player.evaluate("it => it.controls && it.paused")


def test_what_cannot_be_loaded_is_a_link(visit: Visit) -> None:
    media = [
        {"url": f"https://files.example/gone.{kind}", "type": kind} for kind in ("image", "video", "audio")
    ]
    anna = visit(showing(*media), locale="en-GB")
    files_there(anna)
    anna.opens().waits_for("Our menu")
    links = anna.page.locator("a.file")
    anna.waits(lambda: links.count() == 3, "links instead")
    assert [words.split("(")[0].strip() for words in links.all_inner_texts()] == ["Picture", "Video", "Audio"]
    assert anna.page.locator(".shown").count() == 0


def test_any_other_file_and_what_is_not_secure_is_a_link(visit: Visit) -> None:
    insecure = "http://files.example/menu.png"
    anna = visit(showing({"url": FILE, "type": "file"}, {"url": insecure, "type": "image"}))
    anna.opens().waits_for("Our menu")
    addresses = anna.page.locator("a.file").evaluate_all("nodes => nodes.map(node => node.href)")
    assert addresses == [FILE, insecure]


def test_a_picture_from_the_page_s_own_address_is_shown(visit: Visit) -> None:
    elsewhere = "http://files.example"
    anna = visit(showing({"url": f"{elsewhere}/menu.png", "type": "image"}))
    own = anna.address.partition("/chat/")[0]

    def answer_with_own(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace(elsewhere, own))

    anna.page.route("**/api/webhook/**", answer_with_own)
    anna.page.route(f"{own}/menu.png", lambda route: route.fulfill(body=PNG, content_type="image/png"))
    anna.opens().waits_for("Our menu")
    anna.waits_until("document.querySelector('.shown img')?.naturalWidth > 0")


def test_a_picture_that_comes_late_keeps_the_end_in_sight(
    visit: Visit, screenshot: Callable[[Visitor], Path]
) -> None:
    tall = "<svg xmlns='http://www.w3.org/2000/svg' width='300' height='900'/>"
    document = showing({"url": PICTURE, "type": "image"}, text="word " * 300)
    anna = visit(document, viewport={"width": 360, "height": 640})
    anna.page.route(PICTURE, lambda route: route.fulfill(body=tall, content_type="image/svg+xml"))
    anna.opens().waits_for("word")
    anna.waits_until("document.querySelector('.shown img')?.clientHeight > 200")
    anna.waits(anna.is_at_the_end, "the end is in sight")
    assert screenshot(anna).stat().st_size > 0
