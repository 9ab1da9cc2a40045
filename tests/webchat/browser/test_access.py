"""The page for everybody: keyboard, screen readers, phones, the dark, eyes that rest."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.webchat.browser.conftest import Visit, Visitor
from tests.webchat.browser.test_conversation import CAFE, choice, scenario

PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
Screenshot = Callable[[Visitor], Path]


def focused(visitor: Visitor) -> str:
    said: str = visitor.page.evaluate(
        "document.activeElement.textContent.trim() || document.activeElement.id"
    )
    return said


def comes_to(visitor: Visitor, label: str) -> None:
    """The focus does, a moment later at most."""
    visitor.waits(lambda: focused(visitor) == label, f"the focus is on “{label}”")


def tabs_to(visitor: Visitor, label: str) -> None:
    for _ in range(12):
        visitor.page.keyboard.press("Tab")
        if focused(visitor) == label:
            return
    pytest.fail(f"“{label}” cannot be reached with the Tab key")


def test_the_whole_conversation_can_be_held_with_the_keyboard_alone(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.waits_for("What's your name?")
    comes_to(anna, "text")
    anna.page.keyboard.type("Anna")
    anna.page.keyboard.press("Enter")
    anna.waits_for("Tea or coffee?")
    anna.page.keyboard.press("Shift+Tab")
    comes_to(anna, "Coffee")
    anna.page.keyboard.press("Enter")
    anna.waits_for("Anything else?")
    comes_to(anna, "Coffee")
    anna.page.keyboard.press("Tab")
    comes_to(anna, "Yes")
    anna.page.keyboard.press("Tab")
    anna.page.keyboard.press("Space")
    anna.waits_for("Thank you, Anna!")
    assert anna.dialog().variables == {"name": "Anna", "drink": "Coffee", "again": "No"}


def test_starting_again_works_with_the_keyboard_and_gives_the_focus_back(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.waits_for("What's your name?")
    tabs_to(anna, "again")
    anna.page.keyboard.press("Enter")
    comes_to(anna, "Cancel")
    anna.page.keyboard.press("Escape")
    comes_to(anna, "text")
    tabs_to(anna, "again")
    anna.page.keyboard.press("Enter")
    anna.page.keyboard.press("Tab")
    anna.page.keyboard.press("Enter")
    anna.waits_until("document.querySelectorAll('.message').length === 2")
    comes_to(anna, "text")


def test_shift_enter_is_a_new_line_and_a_half_typed_character_is_no_end(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.waits_for("What's your name?")
    anna.page.keyboard.type("Anna")
    anna.page.keyboard.press("Shift+Enter")
    anna.page.keyboard.type("Maria")
    compose = "key => document.getElementById('text').dispatchEvent(new KeyboardEvent('keydown', key))"
    for composing in ({"isComposing": True}, {"keyCode": 229}):  # as all say it, and as Safari does
        anna.page.evaluate(compose, {"key": "Enter", "bubbles": True, **composing})
    assert anna.page.get_by_role("textbox").input_value() == "Anna\nMaria"
    anna.page.keyboard.press("Enter")
    anna.page.locator(".message.user").wait_for()
    anna.waits(lambda: "user: Anna\nMaria" in anna.sees(), "what is seen")


def test_a_screen_reader_is_told_what_is_new_and_by_whom(visit: Visit) -> None:
    anna = visit(CAFE, name="Café").opens()
    anna.waits_for("What's your name?")
    log = anna.page.get_by_role("log")
    listed = log.get_by_role("list").get_by_role("listitem")
    assert anna.page.get_by_role("main").get_by_role("log").count() == 1
    assert log.get_attribute("aria-live") == "polite"
    assert log.get_attribute("aria-label") == "Conversation"
    assert log.get_attribute("aria-busy") == "false"
    anna.writes("Anna")
    anna.waits_for("Tea or coffee?")
    assert listed.nth(0).inner_text().startswith("Café:")
    assert listed.nth(1).inner_text().startswith("You:")
    assert anna.page.get_by_role("group", name="Choices").count() == 1
    for name in ("Send", "Start again"):
        assert anna.page.get_by_role("button", name=name).is_visible()
    assert anna.page.get_by_label("Write a message").is_visible()


def test_a_restored_conversation_is_not_read_out_from_its_beginning(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.waits_for("What's your name?")
    watch = """
        const busy = [];
        new MutationObserver(() => busy.push(document.getElementById('scroll')?.getAttribute('aria-busy')))
            .observe(document, {childList: true, subtree: true});
        window.busyWhenFilled = () => {
            const log = document.getElementById('log');
            return log.children.length ? busy : null;
        };
    """
    anna.page.add_init_script(watch)
    anna.page.reload()
    anna.waits_for("What's your name?")
    assert "true" in anna.page.evaluate("window.busyWhenFilled()")
    anna.waits_until("document.getElementById('scroll').getAttribute('aria-busy') === 'false'")


def test_what_was_said_can_be_scrolled_with_the_keyboard(visit: Visit) -> None:
    anna = visit(scenario(choice("a", "\n".join(["line"] * 80), "Yes"))).opens()
    anna.waits_for("line")
    anna.waits(anna.is_at_the_end, "the end is in sight")
    anna.page.get_by_role("log").focus()
    anna.page.keyboard.press("Home")
    anna.waits_until("document.getElementById('scroll').scrollTop === 0")


def test_a_phone_shows_all_of_it(visit: Visit, screenshot: Screenshot) -> None:
    long = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung"
    anna = visit(
        scenario(
            choice("a", f"Which one, please? {long * 2}", "Short", long, "A rather long label of words")
        ),
        name="A café with quite a long name, as cafés have",
        **PHONE,
    ).opens()
    anna.waits_for("Which one")
    assert anna.page.evaluate("document.documentElement.scrollWidth") == 360
    assert anna.page.evaluate("document.documentElement.scrollHeight") == 740
    for button in anna.page.locator(".choice, .send, .icon").all():
        box = button.bounding_box()
        assert box is not None
        assert round(box["height"]) >= 44
        assert round(box["width"]) >= 44
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
    size = anna.page.get_by_role("textbox").evaluate("node => parseFloat(getComputedStyle(node).fontSize)")
    assert size >= 16, "a smaller one makes phones zoom in"
    viewport = anna.page.locator("meta[name=viewport]").get_attribute("content") or ""
    assert "viewport-fit=cover" in viewport
    assert "user-scalable" not in viewport
    assert screenshot(anna).stat().st_size > 10_000


def test_the_keyboard_of_a_phone_is_not_brought_up_unasked(visit: Visit) -> None:
    anna = visit(CAFE, **PHONE).opens()
    anna.waits_for("What's your name?")
    assert anna.page.evaluate("document.activeElement.tagName") == "BODY"


def test_a_phones_keyboard_leaves_the_end_in_sight(visit: Visit) -> None:
    anna = visit(CAFE, **PHONE).opens()
    for n in range(8):
        anna.writes(f"message {n}")
    anna.waits_until("!document.querySelector('.typing.on')")
    anna.page.set_viewport_size({"width": 360, "height": 380})
    anna.page.wait_for_timeout(200)
    anna.waits(anna.is_at_the_end, "the end is in sight")
    box = anna.page.get_by_role("textbox").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 380


def test_zooming_in_with_two_fingers_makes_the_page_no_smaller(visit: Visit) -> None:
    anna = visit(CAFE, **PHONE).opens()
    anna.waits_for("What's your name?")
    zoom = anna.context.new_cdp_session(anna.page)
    zoom.send("Emulation.setPageScaleFactor", {"pageScaleFactor": 2})
    anna.waits_until("document.documentElement.style.getPropertyValue('--height') !== ''")
    assert anna.page.locator(".app").evaluate("node => node.clientHeight") == 740


def test_words_from_right_to_left_end_where_the_time_stands(visit: Visit, screenshot: Screenshot) -> None:
    anna = visit(scenario(choice("a", "שלום! מה שמך? " * 6, "תה", "קפה")), name="בית קפה", **PHONE).opens()
    anna.waits_for("שלום")
    bubble = anna.page.locator(".bubble").bounding_box()
    time = anna.page.locator(".meta").bounding_box()
    assert bubble is not None
    assert time is not None
    assert time["x"] - bubble["x"] < bubble["width"] / 4
    anna.page.get_by_role("textbox").fill("קפה")
    assert anna.page.get_by_role("textbox").evaluate("node => node.matches(':dir(rtl)')")
    assert screenshot(anna).stat().st_size > 10_000


def test_whoever_wants_no_motion_gets_none(visit: Visit) -> None:
    anna = visit(CAFE, reduced_motion="reduce").opens()
    anna.waits_for("What's your name?")
    moving = "document.getAnimations().length"
    anna.slows_down(1.0)
    anna.writes("Anna")
    anna.page.locator(".typing.on").wait_for()
    assert anna.page.evaluate(moving) == 0


COLOURS = """() => {
    const shown = node => node.offsetParent !== null && node.textContent.trim() !== '';
    const ground = node => {
        for (let at = node; at; at = at.parentElement) {
            const style = getComputedStyle(at);
            if (style.backgroundImage !== 'none') return 'rgb(79, 70, 216)';
            if (!style.backgroundColor.endsWith(', 0)')) return style.backgroundColor;
        }
        return 'rgb(255, 255, 255)';
    };
    const own = node => [...node.childNodes].some(part => part.nodeType === 3 && part.data.trim());
    return [...document.querySelectorAll('body *')].filter(shown).filter(own)
        .filter(node => !node.closest('[aria-disabled=true]:not([aria-pressed=true])'))
        .map(node => [node.className || node.tagName, getComputedStyle(node).color, ground(node)]);
}"""


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_stands_out_from_its_ground(visit: Visit, screenshot: Screenshot, scheme: str) -> None:
    said = {"id": "hello", "message": {"text": "*Look* `here` or [there](https://parley.example)"}}
    anna = visit(
        scenario(
            said | {"next_step": "a"},
            choice("a", "Which?", "One", "Two", next_step="b"),
            choice("b", "And?", "Three"),
        ),
        color_scheme=scheme,
    )
    anna.opens()
    anna.presses("Two")
    anna.waits_for("And?")
    anna.page.route("**/api/**", lambda route: route.abort())
    anna.writes("This does not get through")
    anna.page.get_by_role("button", name="Retry").wait_for()
    anna.page.wait_for_timeout(400)
    found = anna.page.evaluate(COLOURS)
    assert len(found) > 12
    poor = [(name, colour, ground) for name, colour, ground in found if contrast(colour, ground) < 4.5]
    assert poor == []
    assert screenshot(anna).exists()


def test_the_dark_is_dark(visit: Visit) -> None:
    grounds = [
        visit(CAFE, color_scheme=scheme)
        .opens()
        .page.locator(".app")
        .evaluate("node => getComputedStyle(node).backgroundColor")
        for scheme in ("light", "dark")
    ]
    assert luminance(grounds[0]) > 0.8
    assert luminance(grounds[1]) < 0.05
