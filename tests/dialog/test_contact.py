"""What is known of a person: asked for before a run, held against its fields, and read in expressions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.dialog.events import ConversationStarted, Person, TaskFinished
from shared.dialog.ports import ActiveScenario
from shared.dialog.state import Task
from shared.dialog.welcome import first_message
from shared.scenario.caps import MAX_CONTACT_BYTES
from tests.dialog.talk import Talk
from tests.dialog.test_manager import Parley, every_dialog_replays, sealed
from tests.dialog.world import BOT_ID, NOW, SCENARIO_ID
from tests.scenario.documents import Document, ask, choose, say, scenario
from tests.scenario.strategies import JSON

__all__ = ["every_dialog_replays"]

FIELDS = {
    "name": "string",
    "age": "integer",
    "rate": "number",
    "vip": "boolean",
    "hired": "date",
    "tags": "list",
    "more": "map",
    "other": "any",
}
BUSY = "One moment, please: I am still working on it."
CHILD = "11111111-1111-4111-8111-111111111111"
GREETING: Document = scenario(
    ask("hello", "wish", "Hello {{ contact.name }}!", next_step="bye"),
    say("bye", "{{ contact.name }}: {{ wish }}"),
)
PLAIN: Document = scenario(ask("hello", "wish", "Hello!"))


def talk(document: Document = GREETING, **fields: Any) -> Talk:
    return Talk(document, **{"contact": FIELDS, **fields})


def known(**record: Any) -> dict[str, Any]:
    return {"contact": record}


# --- asking ---------------------------------------------------------------------------------------


def test_it_is_asked_for_before_the_first_step() -> None:
    ann = talk(person=Person(username="ann"))

    assert ann.start("ref") == []

    assert ann.task == Task(1, "contact", {"username": "ann", "variables": {"start_payload": "ref"}}, 10)
    assert (ann.dialog.status, ann.dialog.current_step) == ("busy", "hello")
    assert ann.finish(**known(name="Ann")) == ["Hello Ann!"]
    assert ann.say("tea") == ["Ann: tea"]


CALLING = scenario({"id": "a", "scenario": {"id": CHILD, "outputs": {"x": "wish"}}})
RETURNING = scenario({"id": "a", "scenario": {"id": CHILD, "outputs": {"x": "contact.name"}}})


@pytest.mark.parametrize(
    ("document", "child", "fields", "is_asked"),
    [
        (GREETING, None, FIELDS, True),
        (GREETING, None, {}, False),
        (PLAIN, None, FIELDS, False),
        (CALLING, GREETING, FIELDS, True),
        (CALLING, PLAIN, FIELDS, False),
        (RETURNING, PLAIN, FIELDS, True),
        (scenario(say("a", "{{ answered.contact }}")), None, FIELDS, True),
        (scenario(say("a", "Here is our contact.")), None, FIELDS, False),
        (scenario(choose("a", "x", {"text": "{{ item }}", "for_each": "contact.tags", "value": "item"})),
         None, FIELDS, True),
    ],
    ids=["read", "no fields", "not read", "below", "nowhere", "returned", "asked about", "word", "list"],
)  # fmt: skip
def test_it_is_asked_for_where_it_is_read(
    document: Document, child: Document | None, fields: dict[str, str], *, is_asked: bool
) -> None:
    ann = Talk(document, contact=fields, called={CHILD: child} if child else None)
    ann.start()
    assert [task.kind for task in ann.tasks] == ["contact"] * is_asked


def test_what_the_run_begins_with_is_told_along() -> None:
    document = {**GREETING, "variables": {"staff_id": {"type": "integer", "scope": "person"}}}
    ann = talk(document, kept={"staff_id": 7})
    ann.run_by_api(wish="tea")
    assert ann.task.request["variables"] == {"staff_id": 7, "wish": "tea"}


def test_every_run_asks_anew() -> None:
    ann = talk()
    ann.start()
    ann.finish(**known(name="Ann"))
    ann.start()
    assert ann.finish() == ["Hello !"]


# --- what comes back --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "notes"),
    [({"contact": {}}, ()), ({}, ()), ({"contact": None}, ()), ({"contact": ["Ann"]}, ())],
    ids=["nobody", "nothing", "null", "no record"],
)
def test_a_run_begins_where_nobody_is_found(result: dict[str, Any], notes: tuple[str, ...]) -> None:
    ann = talk()
    ann.start()
    assert ann.finish(**result) == ["Hello !"]
    assert (ann.turn.notes, ann.dialog.status) == (notes, "active")


def test_a_run_begins_where_the_main_system_is_down_and_says_so_to_the_author() -> None:
    ann = talk()
    ann.start()
    assert ann.fail("the database did not answer") == ["Hello !"]
    assert ann.turn.notes == ("contact: the database did not answer",)


@pytest.mark.parametrize(
    ("expression", "record", "printed"),
    [
        ("contact.age + 1", {"age": 41}, "42"),
        ("contact.age > 1.5", {"age": 2}, "yes"),
        ("contact.rate * 2.0", {"rate": 3}, "6"),
        ("contact.vip ? 'yes' : 'no'", {"vip": False}, "no"),
        ("contact.hired < today", {"hired": "2026-11-21"}, "yes"),
        ("contact.hired", {"hired": "2026-11-21"}, "2026-11-21"),
        ("format(contact.hired, 'D.M.')", {"hired": "2026-11-21T23:00:00Z"}, "21.11."),
        ("contact.tags", {"tags": ["a", "b"]}, "a, b"),
        ("contact.more.room", {"more": {"room": "B12"}}, "B12"),
        ("contact.other", {"other": 1.5}, "1.5"),
        ("answered.contact", {"age": 1}, "yes"),
        ("answered.contact", {}, "no"),
        ("contact.name", {"name": "*Ann* {{ user.first_name }}"}, "*Ann* {{ user.first_name }}"),
        ("contact.age", {"name": "Ann"}, ""),
    ],
)
def test_a_field_is_read_as_the_type_it_has(expression: str, record: dict[str, Any], printed: str) -> None:
    ann = talk(scenario(say("a", "<{{ " + expression + " }}>")))
    ann.start()
    assert ann.finish(**known(**record)) == [f"<{printed}>"]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", 7, "a string"),
        ("age", "7", "an integer"),
        ("age", 7.5, "an integer"),
        ("age", True, "an integer"),
        ("age", 2**63, "an integer"),
        ("rate", "x", "a number"),
        ("vip", 1, "a boolean"),
        ("hired", "21.11.2026", "a date"),
        ("tags", "a", "a list"),
        ("more", [], "a map"),
    ],
)
def test_what_is_of_another_type_is_left_out_and_told_to_the_author(
    field: str, value: Any, words: str
) -> None:
    ann = talk(scenario(say("a", "<{{ contact." + field + " }}>")))
    ann.start()
    assert ann.finish(**known(**{"other": 1, field: value})) == ["<>"]
    assert ann.turn.notes == (f"“contact.{field}” was not taken: it is not {words}",)
    assert ann.dialog.contact == {"other": 1}


def test_no_more_is_kept_than_the_fields() -> None:
    ann = talk()
    ann.start()
    ann.finish(**known(name="Ann", salary=100, age=None))
    assert ann.dialog.contact == {"name": "Ann"}


def test_a_record_that_is_too_large_is_none() -> None:
    ann = talk()
    ann.start()
    assert ann.finish(**known(name="x" * MAX_CONTACT_BYTES)) == ["Hello !"]
    assert ann.turn.notes == ("contact: the record takes more than 16 KB",)


ALL_READ = scenario(say("a", " ".join("{{ contact." + name + " }}" for name in FIELDS)))


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from([*FIELDS, "salary"]), JSON) | JSON)
def test_whatever_comes_back_begins_the_run(record: Any) -> None:
    ann = talk(ALL_READ)
    ann.start()
    ann.finish(contact=msgspec.json.decode(msgspec.json.encode(record)))
    assert ann.dialog.status == "completed"
    assert ann.dialog.contact.keys() <= FIELDS.keys()


def test_a_called_scenario_reads_it_too() -> None:
    ann = Talk(CALLING, contact=FIELDS, called={CHILD: GREETING})
    ann.start()
    assert ann.finish(**known(name="Ann")) == ["Hello Ann!"]


# --- while it is on its way ---------------------------------------------------------------------------


def test_who_writes_meanwhile_is_asked_for_patience_once() -> None:
    ann = talk()
    ann.start()
    assert [ann.say("hm"), ann.say("hm?")] == [[BUSY], []]
    assert ann.finish(**known(name="Ann")) == ["Hello Ann!"]
    assert ann.variables == {}


IN_CAPITALS = {"validation": {"pattern": "[A-Z]+"}, "error_message": "Louder!"}


@pytest.mark.parametrize(
    ("step", "word", "said"),
    [
        (ask("hello", "wish", "Hello!", next_step="bye"), "tea", ["Hello!", "Ann: tea"]),
        (ask("hello", "wish", "Hello!", expected_input=IN_CAPITALS), "tea", ["Hello!", "Louder!"]),
        (
            choose("hello", "wish", "tea", "milk", text="Hello!", next_step="bye"),
            "MILK",
            ["Hello!", "Ann: milk"],
        ),
    ],
    ids=["taken", "refused", "chosen"],
)
def test_the_word_that_opens_a_dialog_waits_and_answers(step: Document, word: str, said: list[str]) -> None:
    bye = say("bye", "{{ contact.name }}: {{ wish }}")
    ann = talk(scenario(step, bye, say("other"), first_message="answer"))
    assert ann.say(word) == []
    assert ann.say("?") == [BUSY]
    assert ann.finish(**known(name="Ann")) == said


def test_an_album_that_opens_a_dialog_is_one_answer() -> None:
    ann = talk(scenario(ask("hello", "wish", "Hello {{ contact.name }}!"), first_message="answer"))
    ann.send_file(album="a1")
    assert len(ann.finish(**known(name="Ann"))) == 2
    assert ann.send_file(album="a1") == []


def test_the_word_that_opens_a_dialog_only_opens_it_otherwise() -> None:
    ann = talk()
    ann.say("tea")
    ann.finish(**known(name="Ann"))
    assert (ann.dialog.current_step, ann.variables) == ("hello", {})


COMMANDS = {"/help": {"next_step": "help", "resume": True}, "/menu": {"next_step": "help"}}


def with_commands(**fields: Any) -> Talk:
    return talk(
        {
            **scenario(*GREETING["steps"], say("help", "Help, {{ contact.name }}")),
            "commands": COMMANDS,
            **fields,
        }
    )


@pytest.mark.parametrize("mode", ["start", "answer"])
def test_a_command_that_opens_a_dialog_and_returns_waits_for_it(mode: str) -> None:
    ann = with_commands(first_message=mode)
    assert ann.say("/help") == []
    assert ann.finish(**known(name="Ann")) == ["Hello Ann!", "Help, Ann", "Hello Ann!"]
    assert ann.say("tea") == ["Ann: tea"]


def test_a_run_that_begins_at_a_command_waits_for_it() -> None:
    ann = with_commands()
    assert ann.say("/menu") == []
    assert ann.finish(**known(name="Ann")) == ["Help, Ann"]


def test_a_command_does_not_wait_and_the_run_begins_when_it_is_over() -> None:
    ann = with_commands()
    ann.start()
    assert ann.say("/help") == ["Help, ", "Hello !"]
    assert ann.finish_task(1, **known(name="Ann")) == []
    assert ann.say("tea") == ["Ann: tea"]


def test_a_new_start_asks_again_and_what_comes_late_is_not_its_own() -> None:
    ann = talk()
    ann.start()
    assert ann.start() == []
    assert ann.ended == [(1, "abandoned")]
    assert ann.finish_task(1, **known(name="Olga")) == []
    assert ann.dialog.contact == {}
    assert ann.finish(**known(name="Ann")) == ["Hello Ann!"]


@pytest.mark.parametrize(
    ("is_found", "said"), [(True, "Hello Ann!"), (False, "Hello !")], ids=["come meanwhile", "on its way"]
)
def test_a_run_given_back_by_an_operator_begins(said: str, *, is_found: bool) -> None:
    ann = talk()
    ann.start()
    ann.hand_off()
    if is_found:
        assert ann.finish_task(1, **known(name="Ann")) == []
    assert ann.give_back() == [said]
    assert ann.dialog.status == "active"


def test_it_comes_behind_a_block() -> None:
    ann = talk()
    ann.start()
    ann.block()
    assert ann.finish(**known(name="Ann")) == ["Hello Ann!"]
    assert ann.dialog.status == "blocked"
    ann.unblock()
    assert ann.say("tea") == ["Ann: tea"]


def test_what_comes_once_the_run_is_over_is_dropped() -> None:
    ann = talk(scenario(say("a", "{{ contact.name }}!")))
    ann.start(welcomed_by=1)
    assert (ann.dialog.status, ann.turn.tasks) == ("completed", ())
    assert ann.finish_task(1, **known(name="Ann")) == []
    assert ann.dialog.contact == {}


# --- welcomes -----------------------------------------------------------------------------------------


def test_a_welcome_does_not_wait_and_the_record_is_known_from_the_first_answer_on() -> None:
    ann = talk()
    assert ann.start(welcomed_by=1) == []
    assert [task.kind for task in ann.turn.tasks] == ["contact"]
    assert ann.dialog.status == "active"
    assert ann.finish_task(1, **known(name="Ann")) == []
    assert ann.say("tea") == ["Ann: tea"]


def test_a_welcome_says_the_first_step_without_it() -> None:
    active = ActiveScenario("Bot", "UTC", SCENARIO_ID, 1, contact_fields=FIELDS)
    opened = sealed(ConversationStarted(id="1", occurred_at=NOW, only_opens=True))
    message = first_message(active, GREETING, opened)
    assert message is not None
    assert message.text == "Hello !"


# --- in a dialog that is kept -------------------------------------------------------------------------


def parley_with(document: Document = GREETING) -> Parley:
    parley = Parley(document)
    parley.bots.change(BOT_ID, contact_fields=FIELDS)
    return parley


def come(parley: Parley, number: int, **record: Any) -> None:
    name = f"task/{number}"
    event = TaskFinished(
        id=name, occurred_at=NOW, epoch=parley.dialog.epoch, task=number, result={"contact": record}
    )
    parley.manager.handle(sealed(event))


def test_a_run_keeps_the_fields_that_it_began_with() -> None:
    parley = parley_with()
    parley.say("hi")
    parley.bots.change(BOT_ID, contact_fields={"name": "integer"})
    parley.now += timedelta(minutes=1)
    come(parley, 1, name="Ann")
    parley.say("tea")
    assert parley.outbound.texts == ["Hello Ann!", "Ann: tea"]
    parley.say("/start")
    come(parley, 2, name=5)
    assert parley.outbound.texts[-1] == "Hello 5!"


def test_a_run_that_goes_over_to_another_revision_keeps_what_it_knows() -> None:
    parley = parley_with()
    parley.say("hi")
    come(parley, 1, name="Ann")
    parley.bots.change(BOT_ID, contact_fields={"name": "string", "age": "string"})
    steps = [*GREETING["steps"][:1], say("bye", "Bye, {{ contact.name }}")]
    parley.save({**GREETING, "steps": steps}, "move")
    parley.now += timedelta(minutes=1)
    parley.say("tea")
    assert parley.outbound.texts[-1] == "Bye, Ann"
    assert parley.dialog.contact_fields == FIELDS


def test_a_run_that_begins_anew_on_another_revision_asks_again() -> None:
    parley = parley_with()
    parley.say("hi")
    come(parley, 1, name="Ann")
    parley.save(GREETING, "restart")
    parley.now += timedelta(minutes=1)
    parley.say("tea")
    assert [task.kind for task in parley.tasks.tasks] == ["contact", "contact"]
    assert parley.dialog.contact == {}


@pytest.mark.parametrize("sensitive", [True, False])
def test_a_word_that_waits_is_sealed_where_it_may_be_a_secret(*, sensitive: bool) -> None:
    variables = {"pin": {"type": "string", "sensitive": sensitive}}
    steps = [ask("a", "pin", "PIN, {{ contact.name }}?", next_step="b"), ask("b", "x")]
    parley = parley_with(scenario(*steps, variables=variables, first_message="answer"))
    parley.say("4510123456", "2")
    come(parley, 1, name="Ann")
    assert parley.dialog.variables == {"pin": "4510123456"}
    told = [str(entry.message_data) for entry in parley.entries]
    assert ["4510123456" in each for each in told] == [not sensitive, False]
    assert ["Ann" in each for each in told] == [False, not sensitive]
