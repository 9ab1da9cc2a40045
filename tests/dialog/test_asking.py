"""Questions: several choices, choices made from lists, albums, rules, and what survives runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from shared.dialog.events import Person
from shared.scenario.words import FALLBACKS
from tests.dialog.talk import Talk
from tests.scenario.documents import Document, ask, choose, say, scenario

EN = FALLBACKS["en"]


class TestSeveralChoices:
    def document(self, **validation: Any) -> Document:
        step = choose("a", "x", "Tea", "Milk", "Cake, small", text="What?", next_step="b")
        step["expected_input"] |= {"type": "buttons", "validation": validation}
        return scenario(step, say("b", "{{ x }}"))

    def talk(self, **validation: Any) -> Talk:
        talk = Talk(self.document(**validation))
        talk.start()
        return talk

    def test_they_are_toggled_in_place_and_then_finished(self) -> None:
        talk = self.talk()
        assert talk.message.several
        assert talk.labels == ["Tea", "Milk", "Cake, small", EN["done"]]
        assert talk.press("Tea", message_id="77") == ["What?"]
        assert talk.message.replaces == "77"
        assert [button.selected for button in talk.message.buttons] == [True, False, False, False]
        talk.press("Cake, small", message_id="77")
        talk.press("Tea", message_id="77")
        assert talk.press(EN["done"], message_id="77") == ["Cake, small"]
        assert talk.variables == {"x": ["Cake, small"]}

    @pytest.mark.parametrize(
        ("typed", "values"),
        [
            ("1,3", ["Tea", "Cake, small"]),
            ("1, 2", ["Tea", "Milk"]),
            ("3", ["Cake, small"]),
            ("tea", ["Tea"]),
            ("Milk, Tea", ["Tea", "Milk"]),
        ],
    )
    def test_they_may_be_typed(self, typed: str, values: list[str]) -> None:
        talk = self.talk()
        talk.say(typed)
        assert sorted(talk.variables["x"]) == sorted(values)

    @pytest.mark.parametrize("typed", ["", "4", "1,4", "beer", "0", "tea beer"])
    def test_what_is_none_of_them_is_refused(self, typed: str) -> None:
        talk = self.talk()
        assert talk.say(typed) == [EN["choose_buttons"]]
        assert talk.message.several

    def test_nothing_is_too_little_and_more_than_the_most_too_much(self) -> None:
        talk = self.talk(max=1)
        assert talk.press(EN["done"]) == [EN["choose_buttons"]]
        talk.press("Tea")
        talk.press("Milk")
        assert talk.press(EN["done"]) == [EN["choose_buttons"]]
        talk.press("Milk")
        assert talk.press(EN["done"]) == ["Tea"]

    def test_nothing_may_be_chosen_where_none_is_needed(self) -> None:
        talk = self.talk(min=0)
        talk.press(EN["done"])
        assert talk.variables == {"x": []}

    def test_done_may_be_typed_too(self) -> None:
        talk = self.talk()
        talk.press("Tea")
        assert talk.say(EN["done"]) == ["Tea"]

    def test_a_press_after_it_was_finished_is_silent_or_stale(self) -> None:
        document = self.document()
        document["steps"][1] = ask("b", "y", "B?")
        talk = Talk(document)
        talk.start()
        talk.press("Tea")
        talk.press(EN["done"])
        assert talk.press(EN["done"]) == []
        assert talk.press("Milk") == [EN["stale_button"], "B?"]

    def test_one_that_leads_somewhere_is_a_way_out(self) -> None:
        document = self.document()
        document["steps"][0]["buttons"].append({"text": "Nothing", "value": 0, "next_step": "c"})
        document["steps"].append(say("c", "[{{ x }}]"))
        leaves: list[Callable[[Talk], list[str]]] = [lambda t: t.press("Nothing"), lambda t: t.say("nothing")]
        for leave in leaves:
            talk = Talk(document)
            talk.start()
            talk.press("Tea")
            assert leave(talk) == ["[]"]
            assert talk.variables == {}

    def test_the_way_out_cannot_be_one_of_several(self) -> None:
        document = self.document()
        document["steps"][0]["buttons"].append({"text": "Nothing", "value": "-", "next_step": "b"})
        talk = Talk(document)
        talk.start()
        talk.say("1,4")
        assert talk.variables == {"x": ["Tea"]}

    def test_a_change_in_place_does_not_wait(self) -> None:
        document = self.document()
        document["steps"][0]["message"]["delay"] = "5s"
        talk = Talk(document)
        talk.start()
        assert talk.message.delay == 5
        talk.press("Tea", message_id="77")
        assert talk.message.delay == 0

    def test_done_may_be_typed_where_none_need_be_taken(self) -> None:
        talk = self.talk(min=0)
        talk.say(EN["done"])
        assert talk.variables == {"x": []}


class TestChoicesFromLists:
    def document(self, **fields: Any) -> Document:
        button = {
            "for_each": "dishes",
            "text": "{{ index + 1 }}. {{ item.name }}",
            "value": "item.id",
            **fields,
        }
        return scenario(
            {
                "id": "a",
                "message": {"text": "Dish?"},
                "buttons": [button, {"text": "None", "value": 0}],
                "expected_input": {"type": "button", "variable": "dish"},
                "next_step": "b",
            },
            say("b", "{{ dish }}"),
            variables={"dishes": {"type": "list"}},
        )

    def test_there_is_one_for_each_item(self) -> None:
        talk = Talk(self.document())
        talk.run_by_api(dishes=[{"id": 7, "name": "Soup"}, {"id": 8, "name": "Fish"}])
        assert talk.labels == ["1. Soup", "2. Fish", "None"]
        assert talk.press("2. Fish") == ["8"]
        assert talk.variables["dish"] == 8

    def test_they_stay_what_they_were_when_shown(self) -> None:
        talk = Talk(self.document())
        talk.run_by_api(dishes=[{"id": 7, "name": "Soup"}])
        talk.dialog.variables = {"dishes": []}
        assert talk.press("1. Soup") == ["7"]

    @pytest.mark.parametrize("dishes", [None, [], "soup", 7, {"id": 1}])
    def test_of_what_is_no_list_there_is_none(self, dishes: Any) -> None:
        talk = Talk(self.document())
        talk.run_by_api(**({} if dishes is None else {"dishes": dishes}))
        assert talk.labels == ["None"]

    def test_an_item_without_a_value_is_left_out(self) -> None:
        talk = Talk(self.document())
        talk.run_by_api(dishes=[{"name": "Soup"}, {"id": 8, "name": "Fish"}, None])
        assert talk.labels == ["2. Fish", "None"]

    def test_there_are_fifty_at_most(self) -> None:
        talk = Talk(self.document())
        talk.run_by_api(dishes=[{"id": n, "name": "x"} for n in range(80)])
        assert len(talk.labels) == 51

    def test_some_may_be_hidden(self) -> None:
        talk = Talk(self.document(show_if="item.id > 7 && index < 5"))
        talk.run_by_api(dishes=[{"id": 7, "name": "Soup"}, {"id": 8, "name": "Fish"}])
        assert talk.labels == ["2. Fish", "None"]

    ROOM: ClassVar[Document] = {
        "for_each": "rooms",
        "text": {"en": "Room {{ item.name }}", "ru": "Зал {{ item.name }}"},
        "value": "item.id",
    }
    ROOMS = scenario(
        choose("a", "room", ROOM, expected_input={"type": "buttons"}, next_step="b"),
        ask("b", text="{{ label(room) }}", set={"rooms": "[]"}, next_step="c"),
        say("c", "{{ label(room) }}"),
        languages=["en", "ru"],
        variables={"rooms": {"initial": [{"id": 1, "name": "Blue"}, {"id": 2, "name": "Red"}]}},
    )

    @pytest.mark.parametrize(
        ("language", "said"), [("en", "Room Blue, Room Red"), ("ru", "Зал Blue, Зал Red")]
    )
    def test_a_label_has_the_words_of_the_choice_in_the_list(self, language: str, said: str) -> None:
        talk = Talk(self.ROOMS, person=Person(language=language))
        talk.start()
        assert talk.say("1, 2") == [said]

    def test_where_it_is_no_longer_in_the_list_it_is_the_value(self) -> None:
        talk = Talk(self.ROOMS)
        talk.start()
        talk.say("2")
        assert talk.say("ok") == ["2"]


class TestRules:
    def talk(self, kind: str, *rules: Document) -> Talk:
        expected = {"type": kind, "validation": {"rules": list(rules)}}
        talk = Talk(scenario(ask("a", "x", expected_input=expected, next_step="b"), say("b", "{{ x }}")))
        talk.start()
        return talk

    def test_the_first_that_rejects_says_why(self) -> None:
        talk = self.talk(
            "number",
            {"reject_if": "value % 2.0 == 1.0", "message": "Even only, not {{ value }}."},
            {"reject_if": "value > 10", "message": "Too many."},
        )
        assert talk.say("3") == ["Even only, not 3."]
        assert talk.say("12") == ["Too many."]
        talk.say("10")
        assert talk.variables == {"x": 10.0}

    @pytest.mark.parametrize(
        ("kind", "rule", "refused", "accepted"),
        [
            ("number", "value > 10", "11", "10"),
            ("integer", "value % 2 == 1", "3", "4"),
            ("date", "value < date('2026-12-01')", "2026-11-30", "2026-12-01"),
            ("text", "value.startsWith('x')", "xy", "yx"),
        ],
    )
    def test_they_know_the_answer_as_value(self, kind: str, rule: str, refused: str, accepted: str) -> None:
        talk = self.talk(kind, {"reject_if": rule, "message": "No."})
        assert talk.say(refused) == ["No."]
        assert talk.variables == {}
        talk.say(accepted)
        assert "x" in talk.variables

    def test_one_that_is_not_decided_does_not_apply(self) -> None:
        talk = self.talk("integer", {"reject_if": "1 / value == 1", "message": "No."})
        talk.say("0")
        assert talk.variables == {"x": 0}
        assert talk.turn.notes


class TestAlbums:
    def document(self, most: int = 1) -> Document:
        expected = {"type": "media", "validation": {"accept": ["image"], "max": most}}
        return scenario(
            ask("a", "photos", "Photos?", expected_input=expected, next_step="b"), ask("b", "y", "Name?")
        )

    def test_an_album_of_five_answers_once_and_is_kept_whole(self) -> None:
        talk = Talk(self.document(5))
        talk.start()
        said = [talk.send_file(album="x", file_name=f"{n}.jpg") for n in range(5)]
        assert said == [["Name?"], [], [], [], []]
        assert [photo["file_name"] for photo in talk.variables["photos"]] == [f"{n}.jpg" for n in range(5)]

    def test_what_is_more_than_the_most_is_only_recorded(self) -> None:
        talk = Talk(self.document(2))
        talk.start()
        for n in range(5):
            talk.send_file(album="x", file_name=f"{n}.jpg")
        assert len(talk.variables["photos"]) == 2
        assert talk.dialog.ask
        assert talk.dialog.ask.attempts == 0

    def test_of_a_question_for_one_the_rest_is_never_a_new_answer(self) -> None:
        talk = Talk(self.document())
        talk.start()
        assert talk.send_file(album="x") == ["Name?"]
        assert talk.send_file(album="x") == []
        assert isinstance(talk.variables["photos"], dict)

    def test_another_album_is_an_answer_again(self) -> None:
        talk = Talk(self.document())
        talk.start()
        talk.send_file(album="x")
        assert talk.send_file(album="y") == [EN["not_text"]]

    @pytest.mark.parametrize("after_end", ["tell", "restart", "b"])
    def test_the_rest_of_an_album_that_ended_the_run_is_only_recorded(self, after_end: str) -> None:
        expected = {"type": "media", "validation": {"max": 5}}
        steps = ask("a", "photos", expected_input=expected, end=True), say("b")
        talk = Talk(scenario(*steps, after_end=after_end))
        talk.start()
        assert [talk.send_file(album="x") for _ in range(3)] == [[], [], []]
        assert len(talk.variables["photos"]) == 1
        assert talk.dialog.run == 1
        assert talk.send_file(album="y") != [] or talk.dialog.run == 2

    def test_one_that_is_refused_is_one_answer(self) -> None:
        expected = {"max_attempts": 2, "on_failure": "b"}
        talk = Talk(scenario(ask("a", "x", expected_input=expected), ask("b", "y", "Never mind.")))
        talk.start()
        assert [talk.send_file(album="x") for _ in range(3)] == [[EN["not_text"]], [], []]
        assert [talk.send_file(album="y") for _ in range(3)] == [["Never mind."], [], []]
        assert talk.dialog.ask
        assert talk.dialog.ask.attempts == 0

    def test_of_one_that_is_refused_a_later_item_may_fit(self) -> None:
        talk = Talk(self.document())
        talk.start()
        assert talk.send_file("video", album="x") == [EN["not_media"]]
        assert talk.send_file("image", album="x") == ["Name?"]

    def test_all_of_one_that_answers_a_sensitive_question_is_private(self) -> None:
        talk = Talk(self.document() | {"variables": {"photos": {"type": "map", "sensitive": True}}})
        talk.start()
        talk.send_file(album="x")
        talk.send_file(album="x", caption="4000 1234")
        assert talk.turn.is_private


class TestScopes:
    DOCUMENT = scenario(
        ask("a", "name", "Name?", expected_input={"skip_if_set": True}, next_step="b"),
        ask("b", "order", "Order for {{ name }}?"),
        variables={"name": {"type": "string", "scope": "person"}, "order": {"type": "string"}},
    )

    def test_a_persons_variable_survives_the_run(self) -> None:
        talk = Talk(self.DOCUMENT)
        talk.start()
        talk.say("Ann")
        talk.say("Soup")
        assert talk.start() == ["Order for Ann?"]
        assert talk.variables == {"name": "Ann"}

    def test_taken_away_it_is_gone_for_good(self) -> None:
        document = self.DOCUMENT | {"commands": {"back": {"back": True}}}
        talk = Talk(document)
        talk.start()
        talk.say("Ann")
        talk.say("back")
        assert talk.start() == ["Name?"]


class TestSharing:
    @pytest.mark.parametrize(
        ("kind", "share"), [("phone", "phone"), ("contact", "phone"), ("location", "location")]
    )
    def test_the_messengers_own_button_is_offered(self, kind: str, share: str) -> None:
        talk = Talk(scenario(ask("a", "x", expected_input={"type": kind})))
        talk.start()
        assert [(button.share, button.text) for button in talk.message.buttons] == [
            (share, EN[f"share_{share}"])
        ]

    def test_a_shared_contact_answers_a_question_for_a_phone(self) -> None:
        talk = Talk(
            scenario(ask("a", "x", expected_input={"type": "phone"}, next_step="b"), say("b", "{{ x }}"))
        )
        talk.start()
        assert talk.share_contact("79991234567") == ["+79991234567"]

    def test_a_place_is_a_map(self) -> None:
        talk = Talk(
            scenario(
                ask("a", "x", expected_input={"type": "location"}, next_step="b"),
                say("b", "{{ x.latitude }}"),
            )
        )
        talk.start()
        assert talk.share_place(52.5, 13.4, "Berlin") == ["52.5"]


class TestMedia:
    def test_files_at_addresses_go_with_their_message(self) -> None:
        media = [{"url": "https://x.example/{{ start_payload }}.png", "type": "image"}]
        talk = Talk(scenario({"id": "a", "message": {"text": "Look", "media": media}}))
        talk.start("a b")
        assert [each.url for each in talk.message.media] == ["https://x.example/a%20b.png"]

    def test_a_message_may_be_nothing_but_a_file(self) -> None:
        media = [{"media_id": "m1"}]
        talk = Talk(scenario({"id": "a", "message": {"media": media}}))
        talk.start()
        assert (talk.message.text, talk.message.media[0].media_id) == ("", "m1")

    def test_buttons_are_sent_even_under_a_file_without_an_address(self) -> None:
        media = [{"url": "{{ x }}", "type": "image"}]
        step = choose("a", "y", "Yes", text="") | {"message": {"media": media}}
        talk = Talk(scenario(step, variables={"x": {"type": "string"}}))
        assert talk.start() == [EN["choose_button"]]
        assert talk.labels == ["Yes"]

    def test_a_link_without_an_address_is_not_shown(self) -> None:
        link = {"text": "Site", "url": "{{ x }}"}
        talk = Talk(scenario(choose("a", "y", "Yes", link), variables={"x": {"type": "string"}}))
        talk.start()
        assert talk.labels == ["Yes"]
        assert talk.turn.notes == ("a link without an address was not shown",)


class TestTime:
    @pytest.mark.parametrize(("zone", "day"), [("Pacific/Kiritimati", "2026-11-23"), ("UTC", "2026-11-22")])
    def test_today_is_the_day_where_the_scenario_is(self, zone: str, day: str) -> None:
        talk = Talk(scenario(say("a", "{{ format(today, 'YYYY-MM-DD') }}"), timezone=zone))
        assert talk.start() == [day]

    def test_else_where_the_bot_is(self) -> None:
        talk = Talk(scenario(say("a", "{{ format(today, 'DD.MM.') }}")), timezone="Pacific/Kiritimati")
        assert talk.start() == ["23.11."]

    def test_a_zone_that_is_none_is_utc(self) -> None:
        talk = Talk(scenario(say("a", "{{ format(today, 'DD.MM.') }}")), timezone="Mars/Olympus")
        assert talk.start() == ["22.11."]
