"""The chat's page in a real browser, before the real engine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.webchat.browser.conftest import Visit, Visitor
from tests.webhook.doubles import OTHER_BOT_ID

if TYPE_CHECKING:
    from playwright.sync_api import Request, Route

ONBOARDING = json.loads((Path(__file__).parents[3] / "infra/examples/onboarding.json").read_text("utf-8"))


def scenario(*steps: dict[str, Any], **document: Any) -> dict[str, Any]:
    return {"version": "1.0", "steps": list(steps), **document}


def question(step: str, text: str, next_step: str | None = None, **more: Any) -> dict[str, Any]:
    asked = {"expected_input": {"type": "text", "variable": step}} | more
    return {"id": step, "message": {"text": text}, "next_step": next_step, **asked}


def choice(step: str, text: str, *labels: str, next_step: str | None = None) -> dict[str, Any]:
    buttons = [{"text": label, "value": label} for label in labels]
    asked = {"buttons": buttons, "expected_input": {"type": "button", "variable": step}}
    return {"id": step, "message": {"text": text}, "next_step": next_step, **asked}


CAFE = scenario(
    question("name", "What's your name?", "drink"),
    choice("drink", "Tea or coffee?", "Tea", "Coffee", next_step="again"),
    choice("again", "Anything else?", "Yes", "No", next_step="bye"),
    {"id": "bye", "message": {"text": "Thank you, {{ name }}!"}, "end": True},
)


def test_the_onboarding_conversation_is_held_to_its_end(visit: Visit) -> None:
    anna = visit(ONBOARDING, locale="en-GB").opens()
    anna.waits_for("What's your name?")
    anna.writes("Anna")
    anna.waits_for("your last name")
    anna.writes("Petrova")
    anna.waits_for("What's your position")
    anna.presses("Cook")
    anna.waits_for("Which project")
    anna.writes("Café Noir")
    anna.waits_for("citizenship?")
    anna.presses("РФ")
    anna.waits_until("!document.querySelector('.typing.on')")
    collected = anna.dialog().variables
    assert (collected["first_name"], collected["last_name"]) == ("Anna", "Petrova")
    assert (collected["position"], collected["project"], collected["citizenship"]) == (
        "cook",
        "Café Noir",
        "РФ",
    )
    assert anna.dialog().status == "completed"
    anna.waits(lambda: "user: Cook" in anna.sees(), "what is seen")
    anna.waits(anna.is_at_the_end, "the end is in sight")


def test_the_page_speaks_the_language_of_its_browser(visit: Visit) -> None:
    anna = visit(ONBOARDING, locale="ru-RU").opens()
    anna.waits_for("Как вас зовут?")
    assert anna.page.get_by_label("Напишите сообщение").is_visible()
    assert anna.page.get_by_role("button", name="Начать заново").is_visible()
    assert anna.page.locator("html").get_attribute("lang") == "ru"


def test_an_answered_question_keeps_its_choice_and_takes_no_other(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.writes("Anna")
    anna.presses("Coffee")
    anna.waits_for("Anything else?")
    tea, coffee = anna.page.get_by_role("button", name="Tea"), anna.page.get_by_role("button", name="Coffee")
    assert coffee.get_attribute("aria-pressed") == "true"
    assert tea.get_attribute("aria-pressed") is None
    assert tea.get_attribute("aria-disabled") == coffee.get_attribute("aria-disabled") == "true"
    tea.click(force=True)
    anna.presses("No")
    anna.waits_for("Thank you, Anna!")
    assert anna.sees().count("user: Tea") == 0
    assert anna.dialog().variables["drink"] == "Coffee"


def test_a_choice_that_is_typed_closes_the_question_too(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.writes("Anna")
    anna.waits_for("Tea or coffee?")
    anna.writes("coffee")
    anna.waits_for("Anything else?")
    assert anna.page.get_by_role("button", name="Tea").get_attribute("aria-disabled") == "true"
    assert anna.page.get_by_role("button", name="Yes").get_attribute("aria-disabled") == "false"


def test_a_refused_answer_leaves_the_question_open(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.writes("Anna")
    anna.waits_for("Tea or coffee?")
    before = len(anna.sees())
    anna.writes("Lemonade")
    anna.waits_until(f"document.querySelectorAll('.message').length >= {before + 2}")
    anna.page.locator(".choice:not([aria-disabled=true])", has_text="Tea").last.click()
    anna.waits_for("Anything else?")


def test_a_reload_restores_the_conversation_and_goes_on(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.writes("Anna")
    anna.presses("Coffee")
    anna.waits_for("Anything else?")
    before = anna.sees()
    anna.page.reload()
    anna.waits_for("Anything else?")
    anna.waits(lambda: anna.sees() == before, "what is seen")
    assert anna.page.get_by_role("button", name="Coffee").get_attribute("aria-pressed") == "true"
    anna.presses("No")
    anna.waits_for("Thank you, Anna!")
    assert anna.dialog().run == 1


def test_another_page_of_the_same_browser_is_the_same_conversation(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.writes("Anna")
    anna.waits_for("Tea or coffee?")
    second = anna.context.new_page()
    second.goto(anna.address)
    second.locator(".message.bot", has_text="Tea or coffee?").wait_for()
    anna.presses("Tea")
    second.locator(".message.user", has_text="Tea").wait_for()


def id_of(request: Request) -> str:
    return str(json.loads(request.post_data or "{}")["id"])


def test_what_did_not_get_through_says_so_and_can_be_sent_again(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.waits_for("What's your name?")
    ids: list[str] = []

    def refuse(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        ids.append(id_of(route.request))
        route.fulfill(status=503, body="{}")

    anna.page.route("**/api/**", refuse)
    anna.writes("Anna")
    failed = anna.page.locator(".message.failed")
    failed.wait_for()
    assert "Not sent" in failed.inner_text()
    anna.page.unroute("**/api/**")
    with anna.page.expect_request(lambda request: request.method == "POST") as again:
        failed.get_by_role("button", name="Retry").click()
    anna.waits_for("Tea or coffee?")
    assert {*ids, id_of(again.value)} == {ids[0]}
    anna.waits(
        lambda: anna.sees() == ["bot: What's your name?", "user: Anna", "bot: Tea or coffee?"], "one of each"
    )
    assert anna.page.get_by_role("button", name="Retry").count() == 0


def test_an_answer_that_was_lost_doubles_nothing(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.waits_for("What's your name?")
    lost: list[int] = []

    def lose(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    anna.page.route("**/api/**", lose)
    anna.writes("Anna")
    anna.waits_for("Tea or coffee?")
    anna.page.wait_for_timeout(1500)
    assert lost == [200]
    anna.waits(
        lambda: anna.sees() == ["bot: What's your name?", "user: Anna", "bot: Tea or coffee?"], "one of each"
    )
    assert anna.page.locator(".failed").count() == 0


def test_a_start_that_fails_can_be_tried_again(visit: Visit) -> None:
    anna = visit(CAFE)
    anna.page.route("**/api/**", lambda route: route.abort())
    anna.opens()
    anna.page.get_by_text("could not be started").wait_for()
    anna.page.unroute("**/api/**")
    anna.page.get_by_role("button", name="Retry").click()
    anna.waits_for("What's your name?")
    assert anna.page.get_by_text("could not be started").count() == 0


def test_without_a_connection_the_page_says_so_and_sends_when_it_is_back(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.waits_for("What's your name?")
    anna.context.set_offline(True)
    anna.page.get_by_text("You are offline").wait_for()
    anna.writes("Anna")
    anna.page.locator(".failed").wait_for()
    anna.context.set_offline(False)
    anna.waits_for("Tea or coffee?")
    anna.waits(lambda: anna.page.get_by_text("You are offline").is_hidden(), "what is seen")
    anna.waits(lambda: anna.sees().count("user: Anna") == 1, "what is seen")


def test_what_a_dead_line_held_back_is_sent_in_its_order_ahead_of_what_is_written_next(visit: Visit) -> None:
    names = scenario(
        question("first", "First?", "last"), question("last", "Last?", "age"), question("age", "Age?")
    )
    anna = visit(names).opens()
    anna.waits_for("First?")
    anna.page.route("**/api/**", lambda route: route.abort())
    anna.writes("Anna")
    anna.writes("Petrova")
    anna.waits_until("document.querySelectorAll('.message.failed').length === 2")
    anna.page.unroute("**/api/**")
    anna.writes("33")
    anna.waits(lambda: anna.dialog().status == "completed", "all is answered")
    assert anna.dialog().variables == {"first": "Anna", "last": "Petrova", "age": "33"}


def test_what_a_dead_line_held_back_is_sent_when_the_server_answers_again(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.waits_for("What's your name?")
    anna.page.route("**/api/**", lambda route: route.abort())
    anna.writes("Anna")
    anna.page.locator(".failed").wait_for()
    anna.page.unroute("**/api/**")
    anna.waits_for("Tea or coffee?")
    assert anna.sees().count("user: Anna") == 1


def on_another_day(route: Route) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, body=re.sub(r'"at": "[\d-]+T', '"at": "2099-01-02T', answer.text()))


def test_the_first_words_of_a_day_stand_below_its_date(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.waits_for("What's your name?")
    anna.page.route("**/api/**", on_another_day)
    anna.writes("Anna")
    anna.waits_for("Tea or coffee?")
    order = anna.page.locator("#log > *").evaluate_all("nodes => nodes.map(node => node.classList[0])")
    assert order == ["message", "day", "message", "message"]


def test_what_is_sent_in_a_row_stays_in_its_order(visit: Visit) -> None:
    after_end = scenario({"id": "hello", "message": {"text": "Hello"}, "end": True}, after_end="ignore")
    anna = visit(after_end).opens()
    anna.waits_for("Hello")
    for n in range(8):
        anna.writes(f"number {n}")
    anna.waits_until("document.querySelectorAll('.message.user:not(.sending)').length === 8")
    anna.waits(lambda: anna.sees()[1:] == [f"user: number {n}" for n in range(8)], "what is seen")
    anna.page.reload()
    anna.page.locator(".message", has_text="number 7").wait_for()
    anna.waits(lambda: anna.sees()[1:] == [f"user: number {n}" for n in range(8)], "what is seen")


def test_what_was_not_sent_when_the_page_was_left_is_sent_when_it_is_back(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.waits_for("What's your name?")
    anna.page.route("**/api/**", lambda route: route.abort())
    anna.writes("Anna")
    anna.page.locator(".message.sending").wait_for()
    anna.page.unroute("**/api/**")
    anna.page.reload()
    anna.waits_for("Tea or coffee?")
    anna.waits(
        lambda: anna.sees() == ["bot: What's your name?", "user: Anna", "bot: Tea or coffee?"], "one of each"
    )
    anna.page.reload()
    anna.waits_for("Tea or coffee?")
    anna.page.wait_for_timeout(1000)
    anna.waits(lambda: anna.sees().count("user: Anna") == 1, "what is seen")


def test_while_the_bot_is_at_it_the_page_shows_that_it_types(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.waits_for("What's your name?")
    anna.slows_down(1.5)
    anna.writes("Anna")
    anna.page.locator(".typing.on").wait_for()
    anna.waits(lambda: anna.page.get_by_text("typing…").is_visible(), "what is seen")
    anna.waits_for("Tea or coffee?")
    anna.page.locator(".typing.on").wait_for(state="hidden")


def test_starting_again_is_asked_for_and_keeps_what_was_said(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.writes("Anna")
    anna.waits_for("Tea or coffee?")
    anna.page.get_by_role("button", name="Start again").click()
    anna.page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    anna.page.get_by_role("button", name="Start again").click()
    anna.page.get_by_role("dialog").get_by_role("button", name="Start again").click()
    anna.waits_until("document.querySelectorAll('.message').length === 4")
    anna.waits(lambda: anna.sees()[0] == anna.sees()[-1] == "bot: What's your name?", "what is seen")
    assert anna.dialog().run == 2
    assert anna.page.get_by_role("button", name="Tea").get_attribute("aria-disabled") == "true"


def test_a_deep_link_reaches_the_scenario(visit: Visit) -> None:
    anna = visit(CAFE).opens("?start=table-7")
    anna.waits_for("What's your name?")
    assert anna.dialog().variables == {"start_payload": "table-7"}


def test_a_link_that_carries_too_much_begins_all_the_same(visit: Visit) -> None:
    anna = visit(CAFE).opens("?start=" + "x" * 600)
    anna.waits_for("What's your name?")
    assert anna.dialog().variables == {"start_payload": "x" * 512}


def test_a_browser_that_keeps_nothing_can_chat_all_the_same(visit: Visit) -> None:
    anna = visit(CAFE)
    anna.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }})"
    )
    anna.opens()
    anna.writes("Anna")
    anna.waits_for("Tea or coffee?")


def test_a_chat_that_is_known_no_more_begins_anew(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.waits_for("What's your name?")
    anna.page.evaluate("Object.keys(localStorage).forEach(key => localStorage.setItem(key, 'nonsense'))")
    anna.page.reload()
    anna.waits_for("What's your name?")
    anna.writes("Anna")
    anna.waits_for("Tea or coffee?")


def test_a_chat_that_ends_under_way_begins_anew_and_keeps_what_was_written(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.waits_for("What's your name?")
    anna.page.route("**/api/**", ahead_of_looks)
    anna.chat.vault.keep("webchat", token_secret="another")
    anna.chat.vault.now = 100
    anna.writes("Anna")
    anna.page.get_by_role("button", name="Retry").wait_for()
    anna.page.unroute("**/api/**")
    anna.waits(lambda: anna.sees().count("bot: What's your name?") == 2, "a new chat has begun")
    anna.page.wait_for_timeout(1000)
    assert anna.sees().count("bot: What's your name?") == 2
    anna.page.get_by_role("button", name="Retry").click()
    anna.waits_for("Tea or coffee?")
    assert len(anna.chat.dialogs._dialogs) == 2


def ahead_of_looks(route: Route) -> None:
    """What is sent finds out first."""
    if route.request.method == "POST":
        route.continue_()
    else:
        route.fulfill(status=503, body="{}")


def test_a_bot_that_was_switched_off_is_said_to_rest(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.waits_for("What's your name?")
    anna.chat.vault.keep("webchat", is_active=False, token_secret="token-secret")
    anna.chat.vault.now = 100
    anna.writes("Anna")
    anna.page.get_by_text("taking a rest").wait_for()
    assert "Not sent" in anna.page.locator(".message.user").inner_text()
    anna.chat.vault.keep("webchat", token_secret="token-secret")
    anna.chat.vault.now = 200
    anna.page.get_by_role("button", name="Retry").click()
    anna.waits_for("Tea or coffee?")
    assert anna.sees().count("user: Anna") == 1


def test_a_bot_that_was_deleted_closes_the_chat(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.waits_for("What's your name?")
    anna.chat.vault.credentials.clear()
    anna.chat.vault.now = 100
    anna.page.get_by_text("no longer available").wait_for()
    assert anna.page.get_by_role("textbox").is_disabled()


def test_an_address_without_a_chat_says_so(visit: Visit) -> None:
    anna = visit(CAFE)
    answer = anna.page.goto(anna.address.rpartition("/")[0] + f"/{OTHER_BOT_ID}")
    assert answer is not None
    assert answer.status == 404
    assert anna.page.get_by_role("heading", name="There is no chat here").is_visible()


def test_whoever_reads_further_up_is_not_pulled_away(visit: Visit) -> None:
    long = scenario(question("a", "\n".join(["line"] * 80), "b"), question("b", "Second"))
    anna = visit(long).opens()
    anna.waits_for("line")
    anna.slows_down(1.0)
    anna.writes("go on")
    anna.page.locator("#scroll").evaluate("node => { node.scrollTop = 0; }")
    latest = anna.page.get_by_role("button", name="Latest messages")
    latest.wait_for()
    assert not anna.is_at_the_end()
    latest.click()
    anna.waits(anna.is_at_the_end, "the end is in sight")
    latest.wait_for(state="hidden")


HOSTILE = [
    pytest.param("<img src=x onerror=\"document.title='taken'\">", id="an image"),
    pytest.param("<script>document.title='taken'</script>", id="a script"),
    pytest.param("</li></ol><h1>taken</h1>", id="closing tags"),
    pytest.param('"><svg onload="document.title=\'taken\'">', id="an attribute's end"),
    pytest.param("javascript:document.title='taken'", id="a script's address"),
    pytest.param("{{ name }} ${name} &lt;b&gt; \u202e\u2066", id="templates and directions"),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_anybody_says_stays_text(visit: Visit, text: str) -> None:
    hostile = scenario(
        question("name", "What's your name?", "pick"),
        {
            "id": "pick",
            "message": {"text": "You said: {{ name }}"},
            "buttons": [{"text": f"{text.replace('{{', '{ {')}", "value": "a"}],
            "expected_input": {"type": "button", "variable": "picked"},
            "end": True,
        },
    )
    anna = visit(hostile, name=text).opens()
    elements = "document.querySelectorAll('.log :is(img, script, svg, h1, a, b)').length"
    anna.waits_for("What's your name?")
    anna.writes(text)
    anna.waits_for("You said:")
    anna.page.locator(".choice").click()
    anna.page.reload()
    anna.waits_for("You said:")
    assert anna.page.evaluate(elements) == 0
    anna.waits(lambda: anna.sees()[1] == f"user: {text}", "what is seen")
    assert anna.page.title() == anna.page.get_by_role("heading", level=1).inner_text() == text
    assert anna.page.get_by_role("heading").count() == 1


def test_styles_are_shown_where_they_belong_beyond_the_basic_plane_too(visit: Visit) -> None:
    said = "🙂🙂 *bold 🙂* and _italic_, `code` and [a *bold* link](https://parley.example/a?b=c)."
    anna = visit(scenario({"id": "hello", "message": {"text": said}, "end": True})).opens()
    anna.waits_for("bold")
    bubble = anna.page.locator(".bubble").first
    assert bubble.locator("strong").first.inner_text() == "bold 🙂"
    assert bubble.locator("em").inner_text() == "italic"
    assert bubble.locator("code").inner_text() == "code"
    link = bubble.locator("a")
    assert link.get_attribute("href") == "https://parley.example/a?b=c"
    assert link.get_attribute("rel") == "noopener noreferrer nofollow"
    assert link.get_attribute("target") == "_blank"


def test_only_addresses_of_pages_mail_and_phones_are_links(visit: Visit) -> None:
    good = ["https://parley.example/", "http://parley.example/", "mailto:a@parley.example", "tel:+4930123"]
    bad = ["javascript:alert(1)", "\tjavascript:1", "data:text/html,x", "vbscript:x", "//evil", "file:///etc"]
    anna = visit(CAFE).opens()
    anna.waits_for("What's your name?")
    buttons = [{"text": url, "url": url} for url in good + bad]
    spans = [{"start": n, "end": n + 1, "style": "link", "url": url} for n, url in enumerate(good + bad)]
    item: dict[str, Any] = {
        "id": "0123abcd/99999999/0001",
        "from": "bot",
        "at": "2026-11-22T10:00:00.000Z",
        "media": [],
    }
    item |= {"text": "Look at all these", "buttons": buttons, "spans": spans}
    answer = {"items": [item], "typing": False, "open_ask": None}
    anna.page.route("**/api/**", lambda route: route.fulfill(json=answer))
    anna.waits_for("these")
    assert anna.page.locator(".log a").evaluate_all("nodes => nodes.map(node => node.href)") == good * 2


def requests_of(visitor: Visitor) -> list[str]:
    """Every look for news from now on."""
    made: list[str] = []
    visitor.page.on("request", lambda request: made.append(request.method))
    return made


def test_the_page_looks_often_at_first_and_seldom_when_nothing_happens(visit: Visit) -> None:
    anna = visit(CAFE)
    anna.page.clock.install()
    anna.opens()
    anna.waits_for("What's your name?")
    anna.page.clock.resume()
    made = requests_of(anna)
    anna.page.wait_for_timeout(3000)
    assert len(made) >= 3
    for _ in range(60):
        anna.page.clock.run_for(5000)
        anna.page.wait_for_timeout(20)
    made.clear()
    for _ in range(24):
        anna.page.clock.run_for(5000)
        anna.page.wait_for_timeout(20)
    assert 2 <= len(made) <= 8
    made.clear()
    anna.page.get_by_role("textbox").press_sequentially("A")
    anna.page.wait_for_timeout(2500)
    assert len(made) >= 2


def test_a_page_that_nobody_sees_does_not_look(visit: Visit) -> None:
    anna = visit(CAFE).opens()
    anna.waits_for("What's your name?")
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
    tell = "document.dispatchEvent(new Event('visibilitychange'));"
    anna.page.evaluate(hide % "true" + tell)
    anna.page.wait_for_timeout(800)
    made = requests_of(anna)
    anna.page.wait_for_timeout(2500)
    assert made == []
    anna.page.evaluate(hide % "false" + tell)
    anna.page.wait_for_timeout(500)
    assert made
