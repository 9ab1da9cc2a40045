"""What the page shows beside single choices: several at once, places, files, and what comes late."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.webchat.browser.conftest import Visit, Visitor
from tests.webchat.browser.test_conversation import CAFE, question, scenario


def several(step: str, text: str, *labels: str, **more: Any) -> dict[str, Any]:
    return {
        "id": step,
        "message": {"text": text},
        "buttons": [{"text": label, "value": label} for label in labels],
        "expected_input": {"type": "buttons", "variable": step, **more},
    }


BREAKFAST = scenario(
    {**several("food", "What would you like?", "Eggs", "Toast", "Jam"), "next_step": "bye"},
    {"id": "bye", "message": {"text": "Here you are: {{ food }}"}, "end": True},
)


def marks(visitor: Visitor) -> dict[str, str | None]:
    """What is pressed and what is not, of the choices on the page."""
    script = "nodes => nodes.map(node => [node.textContent, node.getAttribute('aria-pressed')])"
    return dict(visitor.page.locator(".choice").evaluate_all(script))


def comes_to_be(visitor: Visitor, expected: dict[str, str | None]) -> None:
    visitor.waits(lambda: marks(visitor) == expected, str(expected))


def settles(visitor: Visitor, *selected: int) -> None:
    """The bot knows them, not only the page."""
    visitor.waits(lambda: (ask := visitor.dialog().ask) is not None and ask.selected == selected, "selected")


def test_several_choices_are_taken_and_given_back_in_their_place(visit: Visit) -> None:
    anna = visit(BREAKFAST).opens()
    anna.waits_for("What would you like?")
    anna.presses("Eggs")
    anna.presses("Jam")
    anna.presses("Eggs")
    anna.presses("Toast")
    settles(anna, 1, 2)
    comes_to_be(anna, {"Eggs": "false", "Toast": "true", "Jam": "true", "Done": None})
    assert anna.sees() == ["bot: What would you like?"]
    anna.presses("Done")
    anna.waits_for("Here you are: Toast, Jam")
    assert anna.sees()[1] == "user: Toast, Jam"
    assert anna.dialog().variables == {"food": ["Toast", "Jam"]}


def test_a_choice_is_marked_at_once_and_stays_so_when_the_bot_has_seen_it(visit: Visit) -> None:
    anna = visit(BREAKFAST).opens()
    anna.waits_for("What would you like?")
    anna.slows_down(1.5)
    anna.presses("Eggs")
    assert marks(anna)["Eggs"] == "true"
    anna.presses("Toast")
    seen = []
    for _ in range(60):
        seen.append((marks(anna)["Eggs"], marks(anna)["Toast"]))
        anna.page.wait_for_timeout(60)
    settles(anna, 0, 1)
    assert set(seen) == {("true", "true")}


def test_what_was_taken_is_still_so_when_the_page_is_opened_again(visit: Visit) -> None:
    anna = visit(BREAKFAST).opens()
    anna.waits_for("What would you like?")
    anna.presses("Toast")
    settles(anna, 1)
    anna.page.reload()
    comes_to_be(anna, {"Eggs": "false", "Toast": "true", "Jam": "false", "Done": None})
    assert anna.sees() == ["bot: What would you like?"]
    anna.presses("Jam")
    settles(anna, 1, 2)
    comes_to_be(anna, {"Eggs": "false", "Toast": "true", "Jam": "true", "Done": None})
    anna.presses("Done")
    anna.waits_for("Here you are: Toast, Jam")
    anna.page.reload()
    anna.waits_for("Here you are: Toast, Jam")
    assert anna.sees() == [
        "bot: What would you like?",
        "user: Toast, Jam",
        "bot: Here you are: Toast, Jam",
    ]


def test_choices_that_were_refused_can_be_changed(visit: Visit) -> None:
    few = scenario(
        {**several("food", "Two of them", "Eggs", "Toast", validation={"min": 2}), "next_step": "bye"},
        {"id": "bye", "message": {"text": "Here you are: {{ food }}"}, "end": True},
    )
    anna = visit(few).opens()
    anna.waits_for("Two of them")
    anna.presses("Eggs")
    settles(anna, 0)
    anna.presses("Done")
    anna.waits_for("Please choose from the options")
    anna.waits(lambda: anna.page.locator(".choice:not([aria-disabled=true])").count() == 6, "alive again")
    anna.page.locator(".choice", has_text="Toast").last.click()
    anna.page.locator(".choice", has_text="Done").last.click()
    anna.waits_for("Here you are: Eggs, Toast")


def test_several_choices_can_be_taken_by_the_keyboard_without_losing_the_focus(visit: Visit) -> None:
    anna = visit(BREAKFAST).opens()
    anna.waits_for("What would you like?")
    anna.page.get_by_role("button", name="Toast").focus()
    anna.page.keyboard.press("Space")
    settles(anna, 1)
    comes_to_be(anna, {"Eggs": "false", "Toast": "true", "Jam": "false", "Done": None})
    anna.page.wait_for_timeout(1500)
    assert anna.page.evaluate("document.activeElement.textContent") == "Toast"


def test_a_choice_that_could_not_be_sent_is_given_back_and_can_be_tried_again(visit: Visit) -> None:
    anna = visit(BREAKFAST).opens()
    anna.waits_for("What would you like?")
    anna.page.route(
        "**/api/**", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
    )
    anna.presses("Eggs")
    anna.page.get_by_role("button", name="Retry").wait_for()
    assert marks(anna)["Eggs"] == "false"
    anna.page.unroute("**/api/**")
    anna.page.get_by_role("button", name="Retry").click()
    settles(anna, 0)
    comes_to_be(anna, {"Eggs": "true", "Toast": "false", "Jam": "false", "Done": None})


def test_a_press_takes_the_place_of_one_that_could_not_be_sent(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.writes("Anna")
    anna.waits_for("Tea or coffee?")
    anna.page.route(
        "**/api/**", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
    )
    anna.presses("Tea")
    anna.page.get_by_role("button", name="Retry").wait_for()
    anna.page.unroute("**/api/**")
    anna.presses("Coffee")
    anna.waits_for("Anything else?")
    assert "user: Tea" not in anna.sees()
    before = anna.sees()
    anna.page.reload()
    anna.waits_for("Anything else?")
    anna.page.wait_for_timeout(1500)
    assert anna.sees() == before
    assert anna.dialog().variables["drink"] == "Coffee"


WHERE = scenario(
    {
        "id": "place",
        "message": {"text": "Where are you?"},
        "expected_input": {"type": "location", "variable": "place"},
        "next_step": "bye",
    },
    {"id": "bye", "message": {"text": "At {{ string(place.latitude) }}"}, "end": True},
)


def test_a_browser_tells_where_it_is(visit: Visit) -> None:
    place = {"latitude": 55.751244, "longitude": 37.618423}
    anna = visit(WHERE, geolocation=place, permissions=["geolocation"]).opens()
    anna.waits_for("Where are you?")
    anna.presses("Share my location")
    anna.waits_for("At 55.751244")
    for _ in range(2):
        assert anna.sees()[1] == "user: 📍 55.75124, 37.61842"
        anna.page.reload()
        anna.waits_for("At 55.751244")


def test_a_browser_that_does_not_tell_says_so(visit: Visit) -> None:
    anna = visit(WHERE, permissions=[]).opens()
    anna.waits_for("Where are you?")
    anna.presses("Share my location")
    anna.page.get_by_text("does not tell where you are").wait_for()


def test_a_message_that_comes_later_is_typed_and_shown(visit: Visit) -> None:
    slow = scenario(
        {"id": "a", "message": [{"text": "One moment"}, {"text": "Here I am", "delay": "2s"}]},
        question("b", "And you?"),
    )
    slow["steps"][0]["next_step"] = "b"
    anna = visit(slow).opens()
    anna.waits_for("One moment")
    anna.page.locator(".typing.on").wait_for()
    anna.waits_for("And you?")
    assert anna.sees() == ["bot: One moment", "bot: Here I am", "bot: And you?"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_several_choices_look_like_what_they_are(
    visit: Visit, scheme: str, screenshot: Callable[[Visitor], Path]
) -> None:
    anna = visit(BREAKFAST, color_scheme=scheme, viewport={"width": 360, "height": 640}).opens()
    anna.waits_for("What would you like?")
    anna.presses("Toast")
    settles(anna, 1)
    assert screenshot(anna).stat().st_size > 0
    script = "nodes => nodes.map(node => parseFloat(getComputedStyle(node, '::before').borderTopWidth) > 0)"
    assert anna.page.locator(".choice").evaluate_all(script) == [True, False, True, False]
