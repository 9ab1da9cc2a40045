"""A conversation in memory: acts go in, the engine's turns come out, and time passes only when told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from shared.simulation.acts import hand_off
from shared.simulation.conversation import LAST, NOON
from shared.simulation.errors import Senseless
from tests.simulation.play import Json, ask, begin, do, say, scenario

CHOICES = [{"text": "Красный 🔴", "value": "red"}, {"text": "Blue", "value": "blue"}]
COLOURS = scenario(
    ask("colour", "button", buttons=CHOICES, next_step="size"),
    ask("size", "button", buttons=[{"text": "Blue", "value": 1}, {"text": "Small", "value": True}]),
)


def waiting(seconds: str = "1h") -> Json:
    timeout = {"after": "24h", "remind": "Still there?", "every": "6h", "times": 2, "next_step": "gone"}
    return scenario(
        say("hello", "Hello", wait=seconds, next_step="name"),
        ask("name", input={"timeout": timeout}, next_step="thanks"),
        say("thanks", "Thanks, {{ name }}", end=True),
        say("gone", "Gone", end=True),
    )


class TestPress:
    @pytest.mark.parametrize(
        ("named", "expected"),
        [
            pytest.param("red", "red", id="value"),
            pytest.param("Красный 🔴", "red", id="label, as it is"),
            pytest.param("КРАСНЫЙ", "red", id="label, as one types it"),
            pytest.param(2, "blue", id="position"),
            pytest.param("Blue", "blue", id="another label"),
        ],
    )
    def test_names_a_button_by_value_label_or_position(self, named: Any, expected: str) -> None:
        talk = begin(COLOURS)
        do(talk, send="/start")
        assert do(talk, press=named) == ["size?"]
        assert talk.dialog.variables["colour"] == expected

    @pytest.mark.parametrize(
        ("named", "expected"),
        [
            pytest.param(1, 1, id="number"),
            pytest.param(True, True, id="true is not 1"),
            pytest.param("1", 1, id="number as text"),
            pytest.param("true", True, id="true as text"),
            pytest.param("Blue", 1, id="newest of two with one label"),
        ],
    )
    def test_keeps_the_types_of_values_apart(self, named: Any, expected: Any) -> None:
        talk = begin(COLOURS)
        do(talk, send="/start")
        do(talk, press="red")
        do(talk, press=named)
        assert talk.dialog.variables["size"] is expected or talk.dialog.variables["size"] == expected
        assert isinstance(talk.dialog.variables["size"], type(expected))

    def test_on_the_ask_before_is_stale(self) -> None:
        talk = begin(COLOURS)
        do(talk, send="/start")
        do(talk, press="red")
        said = do(talk, press="blue", ask=-1)
        assert said[-1] == "size?"
        assert len(said) == 2
        assert talk.dialog.variables == {"colour": "red"}

    def test_again_on_the_accepted_button_is_silent(self) -> None:
        talk = begin(COLOURS)
        do(talk, send="/start")
        do(talk, press="red")
        assert do(talk, press="red", ask=-1) == []

    def test_question_without_buttons_counts_as_an_ask(self) -> None:
        talk = begin(scenario(ask("colour", "button", buttons=CHOICES, next_step="name"), ask("name")))
        do(talk, send="/start")
        do(talk, press="red")
        assert do(talk, press="blue", ask=-1)[-1] == "name?"
        with pytest.raises(Senseless, match="no button “blue” is shown; there is none"):
            do(talk, press="blue", ask=0)

    def test_counts_back_over_questions_with_buttons(self) -> None:
        steps = [
            ask("first", "button", buttons=[{"text": "A", "value": "a"}], next_step="second"),
            ask("second", next_step="third"),
            ask("third", "button", buttons=[{"text": "B", "value": "b"}], next_step="fourth"),
            ask("fourth", "button", buttons=[{"text": "C", "value": "c"}]),
        ]
        talk = begin(scenario(*steps))
        for turn in ({"send": "/start"}, {"press": "a"}, {"send": "x"}, {"press": "b"}):
            do(talk, **turn)
        assert len(do(talk, press="a", ask=-2)) == 2, "stale"
        assert len(do(talk, press="a", ask=-1)) == 2, "further back than it says"
        assert do(talk, press="b", ask=-1) == [], "the accepted one"
        with pytest.raises(Senseless, match="no button “b” is shown; there is “A”"):
            do(talk, press="b", ask=-2)

    def test_labels_are_the_authors_own(self) -> None:
        buttons = [*CHOICES, {"text": "More", "url": "https://parley.example"}]
        talk = begin(scenario(ask("likes", "buttons", buttons=buttons)))
        do(talk, send="/start")
        assert talk.labels == ["Красный 🔴", "Blue", "More"]

    @pytest.mark.parametrize(
        ("turn", "words"),
        [
            pytest.param({"press": "green"}, "no button “green” is shown; there is", id="never shown"),
            pytest.param({"press": "red", "ask": -1}, "there is none", id="no ask before"),
            pytest.param({"press": 3}, "no button “3” is shown", id="position beyond the last"),
        ],
    )
    def test_of_what_is_not_shown_says_what_is(self, turn: Json, words: str) -> None:
        talk = begin(COLOURS)
        do(talk, send="/start")
        with pytest.raises(Senseless, match=words):
            do(talk, **turn)

    def test_of_a_link_or_a_share_button_says_what_it_is(self) -> None:
        links = [{"text": "Site", "url": "https://parley.example"}]
        talk = begin(scenario(ask("phone", "phone", buttons=links)))
        do(talk, send="/start")
        share = next(button.text for button in talk.messages[-1].buttons if button.share)
        with pytest.raises(Senseless, match="is a link"):
            do(talk, press="Site")
        with pytest.raises(Senseless, match="shares a phone"):
            do(talk, press=share)

    def test_toggles_several_choices_until_done(self) -> None:
        several = ask("likes", "buttons", buttons=CHOICES, next_step="end")
        talk = begin(scenario(several, say("end", "{{ likes }}", end=True)))
        do(talk, send="/start")
        for named in ("red", "blue", "red"):
            do(talk, press=named)
        assert [button.selected for button in talk.messages[-1].buttons][:2] == [False, True]
        do(talk, press=talk.messages[-1].buttons[-1].text)
        assert talk.dialog.variables["likes"] == ["blue"]

    @pytest.mark.parametrize(
        ("platform", "said"),
        [("telegram", ["Which?"]), ("webchat", ["Which?"]), ("whatsapp", ["Hi", "Which?"])],
    )
    def test_changes_the_message_where_the_messenger_can(self, platform: str, said: list[str]) -> None:
        several = ask("likes", "buttons", buttons=CHOICES) | {"message": [{"text": "Hi"}, {"text": "Which?"}]}
        talk = begin(scenario(several), platform=platform)
        do(talk, send="/start")
        assert do(talk, press="red") == said

    def test_of_choices_made_from_a_list_knows_their_values(self) -> None:
        days = {"for_each": "[10, 20]", "text": "On the {{ item }}th", "value": "item"}
        talk = begin(scenario(ask("day", "button", buttons=[days], when_empty="none"), say("none", "None")))
        do(talk, send="/start")
        assert [talk.board.value_of(button) for button in talk.messages[-1].buttons] == [10, 20]
        do(talk, press=20)
        assert talk.dialog.variables["day"] == 20


class TestTime:
    def test_stands_still_between_acts(self) -> None:
        talk = begin(scenario(ask("a", next_step="b"), ask("b")))
        do(talk, send="/start")
        do(talk, send="x")
        assert talk.now == NOON

    def test_what_is_due_happens_at_its_own_time_in_order(self) -> None:
        talk = begin(waiting())
        assert do(talk, send="/start") == ["Hello"]
        assert do(talk, advance="25h") == ["name?", "Still there?"]
        assert do(talk, advance="6h") == ["Still there?"]
        assert do(talk, advance="359m") == []
        assert do(talk, advance="1m") == ["Gone"]
        assert talk.now == NOON + timedelta(hours=37)

    def test_to_the_second(self) -> None:
        talk = begin(waiting("30s"))
        do(talk, send="/start")
        assert do(talk, advance="29s") == []
        assert talk.outcome().due == (NOON + timedelta(seconds=30),)
        assert do(talk, advance="1s") == ["name?"]

    def test_timer_of_an_answered_question_does_nothing(self) -> None:
        talk = begin(waiting("1s"))
        do(talk, send="/start")
        do(talk, advance="1s")
        assert do(talk, send="Анна") == ["Thanks, Анна"]
        assert do(talk, advance="30d") == []
        assert talk.outcome().due == ()

    def test_scenario_that_waits_for_ever_is_broken_off(self) -> None:
        talk = begin(scenario(say("tick", "Tick", wait="1s", next_step="tick")))
        do(talk, send="/start")
        said = do(talk, advance="365d")
        assert said.count("Tick") <= 51
        assert talk.dialog.status == "completed"
        assert talk.notes

    @pytest.mark.parametrize(
        ("now", "expected"),
        [
            pytest.param(datetime(2026, 3, 1, 9, 0), datetime(2026, 3, 1, 9, tzinfo=UTC), id="naive is UTC"),  # noqa: DTZ001
            pytest.param(
                datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=3))),
                datetime(2026, 3, 1, 6, tzinfo=UTC),
                id="elsewhere",
            ),
            pytest.param(
                datetime.max.replace(tzinfo=timezone(-timedelta(hours=14))), LAST, id="after all time"
            ),
            pytest.param(
                datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
                datetime(1970, 1, 1, tzinfo=UTC),
                id="before all time",
            ),
        ],
    )
    def test_begins_when_it_is_told_to(self, now: datetime, expected: datetime) -> None:
        assert begin(waiting(), now=now).now == expected

    def test_does_not_go_beyond_the_last_moment(self) -> None:
        talk = begin(waiting(), now=LAST)
        do(talk, send="/start")
        do(talk, advance="365d")
        assert talk.now == LAST


class TestOthers:
    def test_operator_takes_over_writes_and_gives_back(self) -> None:
        talk = begin(scenario(ask("name", next_step="end"), say("end", "Thanks", end=True)))
        do(talk, send="/start")
        assert hand_off(talk).status == "handed_off"
        assert do(talk, send="Is anybody there?") == []
        assert do(talk, operator="Yes") == ["Yes"]
        assert talk.messages[0].by_operator
        assert do(talk, give_back=True) == ["name?"]
        assert do(talk, send="Ann") == ["Thanks"]

    def test_dialog_is_given_back_to_a_step(self) -> None:
        steps = (say("start", "One moment", handoff={}), say("other", "From here on", end=True))
        talk = begin(scenario(*steps))
        do(talk, send="/start")
        assert do(talk, give_back="other") == ["From here on"]

    def test_nothing_is_given_back_that_nobody_took(self) -> None:
        talk = begin(scenario(ask("name")))
        do(talk, send="/start")
        with pytest.raises(Senseless, match="nobody has taken"):
            do(talk, give_back=True)

    @pytest.mark.parametrize(
        ("kind", "turn", "expected"),
        [
            ("contact", {"contact": {"phone": "+79990000000", "first_name": "Ия"}}, {"first_name": "Ия"}),
            ("location", {"location": {"latitude": 1, "title": "Там"}}, {"latitude": 1.0, "title": "Там"}),
            ("media", {"photo": {"caption": "Me"}}, {"type": "image", "caption": "Me"}),
            ("media", {"file": {"file_name": "a.pdf", "size": 7}}, {"file_name": "a.pdf", "size": 7}),
            ("media", {"video": {}}, {"type": "video"}),
            ("media", {"audio": {}}, {"type": "audio"}),
        ],
    )
    def test_things_are_shared(self, kind: str, turn: Json, expected: Json) -> None:
        talk = begin(scenario(ask("it", kind)))
        do(talk, send="/start")
        do(talk, **turn)
        assert talk.dialog.variables["it"].items() >= expected.items()

    def test_someone_elses_contact_is_one(self) -> None:
        talk = begin(scenario(ask("it", "contact", input={"validation": {"own": True}})))
        do(talk, send="/start")
        do(talk, contact={"own": False})
        assert talk.dialog.variables == {}
        do(talk, contact={})
        assert talk.dialog.variables["it"]["phone"] == "+12025550123"

    def test_album_answers_once(self) -> None:
        talk = begin(
            scenario(ask("photos", "media", input={"validation": {"max": 3}}, next_step="name"), ask("name"))
        )
        do(talk, send="/start")
        said = [do(talk, photo={"album": "a", "caption": str(n)}) for n in range(5)]
        assert said == [["name?"], [], [], [], []]
        assert [photo["caption"] for photo in talk.dialog.variables["photos"]] == ["0", "1", "2"]


class TestTasks:
    HTTP = scenario(
        {
            "id": "call",
            "http": {
                "method": "GET",
                "url": "https://api.example/{{ 1 + 1 }}",
                "variable": "got",
                "on_error": "sorry",
            },
            "next_step": "said",
        },
        say("said", "It is {{ got.body.word }}", end=True),
        say("sorry", "Sorry", end=True),
    )

    def test_waits_to_be_answered(self) -> None:
        talk = begin(self.HTTP)
        do(talk, send="/start")
        assert talk.task is not None
        assert talk.task.request["url"] == "https://api.example/2"
        assert talk.dialog.status == "busy"
        assert do(talk, respond={"http": {"body": {"word": "да"}}}) == ["It is да"]
        assert talk.task is None

    @pytest.mark.parametrize("answer", [{"error": "timeout"}, {"error": ""}, {"status": 500}])
    def test_failure_takes_on_error(self, answer: Json) -> None:
        talk = begin(self.HTTP)
        do(talk, send="/start")
        assert do(talk, respond={"http": answer}) == ["Sorry"]

    @pytest.mark.parametrize(
        ("output", "answer", "expected"),
        [
            pytest.param({"type": "text"}, "Hi", "Hi", id="words"),
            pytest.param({"type": "text"}, {"text": "Hi"}, "Hi", id="result with words"),
            pytest.param({"type": "choice", "options": ["a", "b"]}, "b", "b", id="choice"),
            pytest.param({"type": "object"}, {"day": 1}, {"day": 1}, id="object"),
            pytest.param({"type": "object"}, {"object": {"day": 1}}, {"day": 1}, id="result with object"),
        ],
    )
    def test_model_answers_by_what_it_says(self, output: Json, answer: Any, expected: Any) -> None:
        talk = begin(scenario({"id": "think", "llm": {"prompt": "?", "variable": "x", "output": output}}))
        do(talk, send="/start")
        do(talk, respond={"llm": answer})
        assert talk.dialog.variables["x"] == expected

    def test_model_takes_a_route(self) -> None:
        routes = {"buy": {"step": "shop", "when": "they want to buy"}}
        talk = begin(scenario({"id": "think", "llm": {"prompt": "?", "routes": routes}}, say("shop", "Shop")))
        do(talk, send="/start")
        assert do(talk, respond={"llm": {"route": "buy"}}) == ["Shop"]
        assert ("", "think", "routes/buy") in talk.ways

    def test_answer_is_understood(self) -> None:
        first = ask("wish", input={"understand": {"fill": ["guests"]}}, next_step="guests")
        guests = ask("guests", "integer", input={"skip_if_set": True}, next_step="end")
        talk = begin(scenario(first, guests, say("end", "For {{ guests }}", end=True)))
        do(talk, send="/start")
        do(talk, send="a table for two")
        assert do(talk, respond={"understand": {"guests": 2}}) == ["For 2"]

    def test_sync_is_answered_with_nothing(self) -> None:
        talk = begin(scenario({"id": "send", "sync": {}, "next_step": "end"}, say("end", "Sent", end=True)))
        do(talk, send="/start")
        assert do(talk, respond={"sync": {}}) == ["Sent"]

    def test_answer_of_another_kind_makes_no_sense(self) -> None:
        talk = begin(self.HTTP)
        with pytest.raises(Senseless, match="no task waits"):
            do(talk, respond={"http": {}})
        do(talk, send="/start")
        with pytest.raises(Senseless, match="of kind http, not llm"):
            do(talk, respond={"llm": "x"})


class TestOpening:
    def test_given_variables_are_there_in_every_run(self) -> None:
        document = scenario(
            ask("name", input={"skip_if_set": True}, next_step="end"), say("end", "Hi {{ name }}")
        )
        talk = begin(document, given={"name": "Ёлка"})
        assert do(talk, send="/start") == ["Hi Ёлка"]
        assert do(talk, send="/start") == ["Hi Ёлка"]

    def test_given_null_takes_an_initial_value_away(self) -> None:
        document = scenario(say("a", "{{ answered.n }}"), variables={"n": {"type": "integer", "initial": 1}})
        assert do(begin(document), send="/start") == ["yes"]
        assert do(begin(document, given={"n": None}), send="/start") == ["no"]

    @pytest.mark.parametrize("value", ["x", 10**30, 1.5, {"a": []}, [None]])
    def test_given_value_of_another_type_is_undecided(self, value: Any) -> None:
        document = scenario(say("a", "It is {{ n + 1 }}"), variables={"n": {"type": "integer", "initial": 1}})
        talk = begin(document, given={"n": value})
        assert do(talk, send="/start") == ["It is "]
        assert talk.notes

    def test_given_variables_have_to_be_known(self) -> None:
        with pytest.raises(Senseless, match="names nmae, which the scenario does not know"):
            begin(scenario(ask("name")), given={"nmae": "x"})

    def test_person_speaks_the_language_of_the_opening(self) -> None:
        document = scenario(
            say("hi", {"en": "Hello", "ru": "Привет"}, end=True),
            languages=["en", "ru"],
        )
        assert do(begin(document, language="ru"), send="/start") == ["Привет"]

    def test_messenger_bot_and_chance_are_those_of_the_opening(self) -> None:
        document = scenario(say("hi", "{{ platform }} {{ bot.name }} {{ random }}", end=True))
        talk = begin(document, platform="viber", bot_name="Бот", random=0.25)
        assert do(talk, send="/start") == ["viber Бот 0.25"]

    def test_called_scenario_is_gone_through(self) -> None:
        child_id = "3f2c4d1e-0000-4000-8000-000000000001"
        child = scenario(ask("size", next_step="done"), say("done", "Noted", end=True))
        call = {"id": child_id, "outputs": {"shoe": "size"}}
        talk = begin(
            scenario({"id": "call", "scenario": call, "next_step": "end"}, say("end", "Bye")),
            {child_id: child},
        )
        assert do(talk, send="/start") == ["size?"]
        assert do(talk, send="42") == ["Noted", "Bye"]
        assert talk.dialog.variables == {"shoe": "42"}
        assert (child_id, "size", "") in talk.ways


def test_same_acts_make_the_same_conversation() -> None:
    acts: list[Json] = [{"send": "/start"}, {"advance": "1h"}, {"send": "Ё"}, {"advance": "30d"}]

    def played() -> bytes:
        talk = begin(waiting())
        for turn in acts:
            do(talk, **turn)
        return msgspec.json.encode([talk.dialog, talk.outcome(), sorted(talk.ways)])

    assert played() == played()


@pytest.mark.parametrize("turn", [{"expect": "x"}, {"send": None}, {"press": None}])
def test_what_is_no_act_makes_no_sense(turn: Json) -> None:
    with pytest.raises(Senseless, match="is nothing that can happen"):
        do(begin(COLOURS), **turn)
