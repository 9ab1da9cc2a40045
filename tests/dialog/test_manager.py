"""Events become turns: once, in order, whatever the queue does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import msgspec
import pytest

from shared.dialog.events import (
    ButtonPressed,
    ChatBlocked,
    ConversationStarted,
    MessageReceived,
    OperatorWrote,
    RunRequested,
    TaskFinished,
)
from shared.dialog.manager import LATE_AFTER, Applied, DialogManager, Outside
from shared.dialog.programs import ActiveScenarios, CompiledScenarios
from shared.dialog.rehearsal import watched
from shared.dialog.replay import Difference, replay
from shared.dialog.state import RECENT_EVENTS, dialog_id_of
from shared.dialog.turns import event_hash, new_dialog
from shared.dialog.welcome import first_message
from shared.errors import ConcurrentTurn, EventNotApplicable, NotAccepted, ScenarioUnusable
from shared.queueing.envelopes import InboundEnvelope, OutboundEnvelope
from shared.storage.bots import Bot
from shared.storage.dialogs import DynamoDialogs
from shared.storage.memory import MemoryBots, MemoryDialogs, MemoryHistory, MemoryScenarios
from shared.storage.scenarios import Scenario
from tests.conftest import Aws
from tests.dialog.doubles import KeptDeletions, KeptTasks, KeptTimers, PaperSealer
from tests.dialog.world import BOT_ID, CHAT_ID, DIALOG_ID, NOW, SCENARIO_ID

COUNTING: dict[str, Any] = {
    "version": "1.0",
    "variables": {"count": {"type": "integer", "initial": 0}},
    "steps": [
        {
            "id": "next",
            "message": {"text": "{{ count }}"},
            "expected_input": {"type": "text", "variable": "last"},
            "set": {"count": "count + 1"},
            "next_step": "next",
        }
    ],
}
CHOOSING: dict[str, Any] = {
    "version": "1.0",
    "steps": [
        {
            "id": "choose",
            "message": {"text": "Choose."},
            "buttons": [{"text": "A", "value": "a"}, {"text": "B", "value": "b"}],
            "expected_input": {"type": "button", "variable": "letter"},
            "next_step": "done",
        },
        {"id": "done", "message": {"text": "{{ letter }}"}},
    ],
}


class Outbound:
    """Keeps what was sent; refuses while `is_down`."""

    def __init__(self) -> None:
        self.envelopes: list[OutboundEnvelope] = []
        self.is_down = False

    def send(self, envelope: OutboundEnvelope) -> None:
        if self.is_down:
            raise NotAccepted("outbound", ["ServiceUnavailable"])
        self.envelopes.append(envelope)

    @property
    def texts(self) -> list[str]:
        return [message.text for envelope in self.envelopes for message in envelope.messages]


class Parley:
    """A manager over memory, for one bot. `made` are all of the test."""

    made: ClassVar[list[Parley]] = []

    def __init__(
        self, document: dict[str, Any] = COUNTING, dialogs: MemoryDialogs | DynamoDialogs | None = None
    ) -> None:
        self.made.append(self)
        self.dialogs, self.history, self.bots = dialogs or MemoryDialogs(), MemoryHistory(), MemoryBots()
        self.scenarios, self.outbound = MemoryScenarios(), Outbound()
        self.timers, self.tasks, self.sealer = KeptTimers(), KeptTasks(), PaperSealer()
        self.deletions = KeptDeletions()
        self.now = NOW
        self.mistakes: list[tuple[str, tuple[str, ...]]] = []
        self.bots.create(Bot(id=BOT_ID, account_id=BOT_ID, name="Bot", created_at=NOW, updated_at=NOW))
        head = Scenario(
            id=SCENARIO_ID,
            bot_id=BOT_ID,
            name="s",
            description="",
            version="1.0",
            latest_revision=1,
            created_at=NOW,
            updated_at=NOW,
        )
        self.scenarios.create(head, document)
        self.activate(1)
        self.manager = DialogManager(
            self.dialogs,
            self.history,
            ActiveScenarios(self.bots, clock=self.clock),
            CompiledScenarios(self.scenarios),
            self.outbound,
            self.timers,
            self.tasks,
            self.deletions,
            self.sealer,
            Outside(now=lambda: self.now, random=lambda: 0.5),
            lambda bot_id, notes: self.mistakes.append((bot_id, notes)),
        )

    def clock(self) -> float:
        return self.now.timestamp()

    def activate(
        self, revision: int | None, running: str = "keep", called: dict[str, int] | None = None
    ) -> None:
        scenario_id = SCENARIO_ID if revision else None
        self.bots.change(
            BOT_ID,
            active_scenario_id=scenario_id,
            active_revision=revision,
            active_running=running,
            active_called=called or {},
        )

    def say(self, text: str, update: str | None = None, **of_envelope: Any) -> Applied:
        return self.manager.handle(said(text, update or text, **of_envelope))

    def save(self, document: dict[str, Any], running: str = "keep") -> None:
        """Save the next revision of the scenario, and activate it."""
        head = self.scenarios.add_revision(SCENARIO_ID, document, "s", "", "1.1")
        self.activate(head.latest_revision, running)

    def difference(self) -> Difference | None:
        """What a replay of the dialog finds."""
        if self.dialog is None:
            return None
        return replay(self.dialog, self.entries, self.manager.scenarios.get, self.sealer.open)

    @property
    def dialog(self) -> Any:
        return self.dialogs.load(DIALOG_ID)

    @property
    def entries(self) -> Iterator[Any]:
        return iter(self.history.after(DIALOG_ID, self.dialog.epoch, "", 500))


@pytest.fixture(autouse=True)
def every_dialog_replays() -> Iterator[None]:
    """Whatever a test has put a dialog through can be done again from its history alone."""
    Parley.made.clear()
    yield
    for parley in Parley.made:
        if isinstance(parley.dialogs, MemoryDialogs):
            assert parley.difference() is None


def said(
    text: str, update: str, bot_id: str = BOT_ID, ago: timedelta = timedelta(0), **more: Any
) -> InboundEnvelope:
    return sealed(MessageReceived(id=update, occurred_at=NOW - ago, text=text), bot_id, **more)


def sealed(event: Any, bot_id: str = BOT_ID, **more: Any) -> InboundEnvelope:
    return InboundEnvelope(
        dialog_id=dialog_id_of(bot_id, "telegram", CHAT_ID),
        bot_id=bot_id,
        platform="telegram",
        platform_chat_id=CHAT_ID,
        event=event,
        received_at=NOW,
        trace_id="trace",
        **more,
    )


@pytest.mark.parametrize("times", [1, 2, 50])
def test_an_event_delivered_again_is_applied_once(times: int) -> None:
    parley = Parley()
    parley.say("hello")
    outcomes = [parley.say("one", "u1") for _ in range(times)]

    assert outcomes == [Applied.TURN] + [Applied.KNOWN] * (times - 1)
    assert parley.dialog.variables == {"count": 1, "last": "one"}
    assert len(list(parley.entries)) == 2
    assert [e.reemitted for e in parley.outbound.envelopes] == [False, False] + [True] * (times - 1)


def test_a_turn_names_what_it_answers_where_a_person_said_that() -> None:
    parley = Parley()
    parley.say("hello", "wamid.1")
    parley.manager.handle(sealed(OperatorWrote(id="o", occurred_at=NOW, text="I am here")))
    answered = [(each.messages[0].text, each.last_message_id) for each in parley.outbound.envelopes]
    assert answered == [("0", "wamid.1"), ("I am here", "")]


def test_what_a_task_brings_about_names_what_the_task_came_of() -> None:
    asks = {"llm": {"prompt": "?", "reply": True}}
    steps = [{"id": "one", **asks, "next_step": "two"}, {"id": "two", **asks, "end": True}]
    parley = Parley({"version": "1.0", "steps": steps})
    parley.say("hello", "wamid.1")
    done = TaskFinished(id="t", occurred_at=NOW, epoch=parley.dialog.epoch, task=1, result={"text": "Hi"})
    parley.manager.handle(sealed(done, last_message_id="wamid.1"))
    assert parley.tasks.of == ["wamid.1", "wamid.1"]
    assert parley.outbound.envelopes[0].last_message_id == "wamid.1"


def test_a_reemitted_turn_is_the_committed_one() -> None:
    parley = Parley()
    parley.say("hello", "u1")
    parley.say("hello", "u1")
    first, again = parley.outbound.envelopes
    assert msgspec.structs.replace(again, reemitted=False) == first


def test_what_a_turn_wanted_is_done_when_the_queue_is_back() -> None:
    parley = Parley()
    parley.outbound.is_down = True
    with pytest.raises(NotAccepted):
        parley.say("hello", "u1")
    assert parley.dialog.turn == 1

    parley.outbound.is_down = False
    assert parley.say("hello", "u1") is Applied.KNOWN
    assert parley.outbound.texts == ["0"]


def test_an_event_of_an_earlier_turn_is_not_emitted_again() -> None:
    parley = Parley()
    parley.say("hello", "u1")
    parley.say("one", "u2")
    assert parley.say("hello", "u1") is Applied.KNOWN
    assert parley.outbound.texts == ["0", "1"]


@pytest.mark.parametrize("dialogs", [MemoryDialogs, DynamoDialogs])
def test_twenty_events_at_once_are_each_applied_once(
    dialogs: Callable[[], MemoryDialogs | DynamoDialogs], aws_account: Aws
) -> None:
    parley = Parley(dialogs=dialogs())
    parley.say("hello")
    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(lambda n: parley.say(f"word {n}", f"u{n}"), range(20)))

    assert outcomes == [Applied.TURN] * 20
    assert parley.dialog.variables["count"] == 20
    assert parley.dialog.turn == 21
    assert parley.difference() is None
    entries = list(parley.entries)
    assert [entry.turn for entry in entries] == list(range(1, 22))
    told = {entry.message_data["event"]["text"] for entry in entries[1:]}
    assert told == {f"word {n}" for n in range(20)}
    by_turn = sorted(parley.outbound.envelopes, key=lambda envelope: envelope.turn)
    assert [envelope.messages[0].text for envelope in by_turn] == [str(n) for n in range(21)]


@pytest.mark.parametrize(
    ("ago", "status"), [(timedelta(minutes=20), "active"), (timedelta(minutes=1), "blocked")]
)
def test_that_somebody_cannot_be_reached_is_not_believed_long_after_they_wrote(
    ago: timedelta, status: str
) -> None:
    """A messenger may tell it late, and in the meantime the person has unblocked the bot and written."""
    parley = Parley()
    parley.say("hello")
    parley.manager.handle(sealed(ChatBlocked(id="gone/1/1", occurred_at=NOW - ago)))
    assert parley.dialog.status == status


def test_the_sender_is_told_when_the_person_last_wrote_and_if_they_ever_did() -> None:
    parley = Parley()
    parley.manager.handle(sealed(RunRequested(id="r", occurred_at=NOW - timedelta(hours=1))))
    parley.say("hello", ago=timedelta(minutes=1))
    told = [(each.said_at, each.last_interaction_at) for each in parley.outbound.envelopes]
    assert told == [(NOW, None), (NOW, NOW - timedelta(minutes=1))]


def test_an_event_that_never_wins_goes_back_to_the_queue() -> None:
    class Contested(MemoryDialogs):
        def commit(self, dialog: Any, met: Any) -> None:
            raise ConcurrentTurn(dialog.id)

    parley = Parley()
    contested = replace(parley.manager, dialogs=Contested())
    with pytest.raises(ConcurrentTurn):
        contested.handle(said("hello", "u1"))


def test_equal_update_ids_of_two_bots_do_not_meet() -> None:
    parley = Parley()
    other = "00000000-0000-4000-8000-000000000001"
    parley.bots.create(
        Bot(
            id=other,
            account_id=BOT_ID,
            name="Other",
            active_scenario_id=SCENARIO_ID,
            active_revision=1,
            created_at=NOW,
            updated_at=NOW,
        )
    )
    assert parley.say("hello", "u1") is Applied.TURN
    assert parley.say("hello", "u1", bot_id=other) is Applied.TURN
    assert [envelope.bot_id for envelope in parley.outbound.envelopes] == [BOT_ID, other]


def test_a_message_and_a_press_of_one_id_are_two_events() -> None:
    message = MessageReceived(id="7", occurred_at=NOW, text="a")
    assert event_hash(message) != event_hash(ButtonPressed(id="7", occurred_at=NOW, data="a"))


def test_only_so_many_events_are_remembered() -> None:
    parley = Parley()
    for number in range(RECENT_EVENTS + 10):
        parley.say(str(number))
    assert len(parley.dialog.recent_events) == RECENT_EVENTS
    assert parley.say(str(RECENT_EVENTS + 9)) is Applied.KNOWN


def test_an_event_much_older_than_the_last_is_kept_but_not_applied() -> None:
    parley = Parley()
    parley.say("hello")
    assert parley.say("old", ago=LATE_AFTER + timedelta(seconds=1)) is Applied.LATE
    assert parley.say("not so old", ago=LATE_AFTER) is Applied.TURN

    assert parley.dialog.variables["last"] == "not so old"
    late = list(parley.entries)[1]
    assert late.message_data["event"]["text"] == "old"
    assert late.message_data["not_applied"] == "late"


def test_a_redriven_event_is_applied_only_at_the_turn_it_met() -> None:
    parley = Parley()
    parley.say("hello")
    assert parley.say("in time", met_turn=1) is Applied.TURN
    assert parley.say("too late", met_turn=1) is Applied.LATE
    assert parley.dialog.variables["last"] == "in time"


def test_a_fault_of_the_engine_is_told_apart_and_commits_nothing() -> None:
    parley = Parley()
    parley.say("hello")
    broken = said("x", "u9")
    msgspec.structs.force_setattr(broken.event, "person", 5)
    with pytest.raises(EventNotApplicable) as caught:
        parley.manager.handle(broken)
    assert (caught.value.dialog_id, caught.value.turn) == (DIALOG_ID, 1)
    assert parley.dialog.turn == 1


@pytest.mark.parametrize("revision", [2, 7], ids=["that no compiler digests", "that is gone"])
def test_a_revision_is_a_fault_of_ours(revision: int) -> None:
    parley = Parley()
    parley.scenarios.add_revision(SCENARIO_ID, {"steps": 5}, "s", "", "1.1")
    parley.activate(revision)
    with pytest.raises(EventNotApplicable):
        parley.say("hello")
    assert parley.dialog is None


def test_a_bot_without_a_scenario_keeps_what_it_is_told() -> None:
    parley = Parley()
    parley.activate(None)
    assert parley.say("hello", "u1") is Applied.NO_SCENARIO
    assert parley.outbound.envelopes == []
    assert next(parley.entries).message_data["not_applied"] == "no_scenario"

    parley.activate(1)
    assert parley.say("hello again", "u2") is Applied.TURN
    assert parley.outbound.texts == ["0"]


def test_a_run_stays_on_its_revision_and_the_next_one_follows_the_bot() -> None:
    parley = Parley(CHOOSING)
    parley.say("hello")
    changed = {**CHOOSING, "steps": [{**CHOOSING["steps"][0]}, {"id": "done", "message": {"text": "new"}}]}
    parley.scenarios.add_revision(SCENARIO_ID, changed, "s", "", "1.1")
    parley.activate(2)

    parley.say("a")
    assert parley.outbound.texts[-1] == "a"
    assert parley.dialog.revision == 1
    parley.say("/start")
    parley.say("b")
    assert parley.outbound.texts[-1] == "new"
    assert (parley.dialog.revision, parley.dialog.run) == (2, 2)


def test_what_is_said_after_the_end_leaves_the_run_on_its_revision() -> None:
    parley = Parley(CHOOSING)
    parley.say("hello")
    parley.say("a")
    parley.scenarios.add_revision(SCENARIO_ID, CHOOSING, "s", "", "1.1")
    parley.activate(2)
    parley.say("anybody there?")
    assert parley.dialog.revision == 1
    assert parley.dialog.status == "completed"


def test_an_abandoned_run_is_kept_with_what_it_collected() -> None:
    parley = Parley()
    parley.say("hello")
    parley.say("one")
    parley.say("/start")
    (ended,) = list(parley.entries)[2].message_data["ended_runs"]
    assert ended == {
        "run": 1,
        "status": "abandoned",
        "collected_data": {"count": 1, "last": "one"},
        "scenario_id": SCENARIO_ID,
        "revision": 1,
        "started_at": "2026-11-22T10:00:00Z",
    }


def test_a_welcome_already_said_is_not_said_again_and_its_buttons_work() -> None:
    parley = Parley(CHOOSING)
    event = ConversationStarted(id="open", occurred_at=NOW, only_opens=True)
    active = parley.bots.active_scenario(BOT_ID)
    assert active is not None
    welcome = first_message(active, CHOOSING, sealed(event))
    assert welcome is not None

    parley.manager.handle(sealed(msgspec.structs.replace(event, welcomed_by=1)))
    (recorded,) = parley.outbound.envelopes
    assert recorded.messages == (msgspec.structs.replace(welcome, is_said=True),)
    assert parley.dialog.current_step == "choose"
    parley.manager.handle(sealed(ButtonPressed(id="press", occurred_at=NOW, data=welcome.buttons[1].data)))
    assert parley.dialog.variables == {"letter": "b"}


def test_opening_the_chat_again_changes_nothing() -> None:
    parley = Parley(CHOOSING)
    parley.say("hello")
    parley.manager.handle(sealed(ConversationStarted(id="open", occurred_at=NOW, only_opens=True)))
    assert parley.outbound.texts == ["Choose."]
    assert parley.dialog.run == 1


def test_the_epoch_follows_from_the_event_that_opens_the_dialog() -> None:
    one, two = said("x", "u1"), said("x", "u2")
    assert new_dialog(one, NOW).epoch == new_dialog(one, NOW + timedelta(hours=1)).epoch
    assert new_dialog(one, NOW).epoch != new_dialog(two, NOW).epoch


def test_an_authors_mistake_is_told_and_kept_and_the_dialog_goes_on() -> None:
    steps = [{"id": "a", "message": {"text": "{{ 1 / 0 }}ok"}, "next_step": "b"}, *CHOOSING["steps"]]
    parley = Parley({"version": "1.0", "steps": [{**steps[0], "next_step": "choose"}, *steps[1:]]})
    parley.say("hello")
    assert parley.outbound.texts == ["ok", "Choose."]
    ((bot_id, notes),) = parley.mistakes
    assert bot_id == BOT_ID
    assert "divide by zero" in notes[0]
    assert next(parley.entries).message_data["notes"] == list(notes)


def test_a_clock_that_runs_ahead_makes_nothing_late_once_it_is_mended() -> None:
    parley = Parley()
    parley.say("hello", ago=-timedelta(days=365))
    parley.say("still ahead", ago=-timedelta(days=365))
    assert parley.say("mended") is Applied.TURN


def test_a_fault_is_told_without_what_a_person_wrote() -> None:
    parley = Parley()
    parley.say("hello")
    broken = said("x", "u9")
    msgspec.structs.force_setattr(broken.event, "person", SaysTooMuch())
    with pytest.raises(EventNotApplicable) as caught:
        parley.manager.handle(broken)
    assert "passport" not in str(caught.value)
    assert "ValueError at " in str(caught.value)


class SaysTooMuch:
    """Breaks the engine with a fault that quotes what a person wrote."""

    @property
    def language(self) -> str:
        raise ValueError("not a language: my passport is 4510 123456")


def test_a_welcome_holds_although_another_scenario_was_activated_meanwhile() -> None:
    parley = Parley(CHOOSING)
    other = "00000000-0000-4000-8000-00000000000b"
    named = replace(parley.scenarios.get(SCENARIO_ID), id=other)
    parley.scenarios.create(named, COUNTING)
    parley.scenarios.add_revision(SCENARIO_ID, CHOOSING, "s", "", "1.1")
    event = ConversationStarted(
        id="open", occurred_at=NOW, only_opens=True, welcomed_by=2, welcomed_scenario=SCENARIO_ID
    )
    parley.bots.change(BOT_ID, active_scenario_id=other, active_revision=1)

    assert parley.manager.handle(sealed(event)) is Applied.TURN
    assert (parley.dialog.scenario_id, parley.dialog.revision) == (SCENARIO_ID, 2)
    parley.say("B")
    assert parley.outbound.texts[-1] == "b"


ENDLESS: dict[str, Any] = {
    "version": "1.0",
    "variables": {"many": {"type": "list", "initial": [1] * 99}},
    "steps": [
        {
            "id": "again",
            "before": {f"x{n}": "size(many.map(a, many.exists(b, b > 3)))" for n in range(100)},
            "next_step": "again",
        }
    ],
}
"""Within every bound of the language, and yet busy for half a minute."""


def test_a_turn_that_takes_too_long_is_given_up_rather_than_the_worker() -> None:
    parley = Parley(ENDLESS)
    careful = replace(parley.manager, rehearsal_seconds=0.2)
    with pytest.raises(EventNotApplicable, match=r"longer than 0\.2 s"):
        careful.handle(said("hello", "u1"))
    assert parley.dialog is None


def test_a_turn_that_takes_too_long_leaves_the_worker_time_for_others() -> None:
    parley = Parley(ENDLESS)
    hasty = replace(parley.manager, most_seconds=0.2)
    with watched(0.05), pytest.raises(EventNotApplicable, match="TookTooLong"):
        hasty.handle(said("hello", "u1"))
    assert parley.dialog is None


def test_a_turn_that_was_rehearsed_is_the_turn_that_would_have_been_made() -> None:
    parley = Parley()
    careful = replace(parley.manager, rehearsal_seconds=30)
    assert careful.handle(said("hello", "u1")) is Applied.TURN
    assert careful.handle(said("one", "u2")) is Applied.TURN
    assert parley.outbound.texts == ["0", "1"]


def test_a_scenario_that_takes_too_long_to_compile_is_unusable() -> None:
    parley, steps = Parley(), [{"id": f"s{n}", "before": {"x": f"{n} + {n}"}} for n in range(500)]
    parley.scenarios.create(
        replace(parley.scenarios.get(SCENARIO_ID), id="long"), {**COUNTING, "steps": steps}
    )
    with watched(0.001), pytest.raises(ScenarioUnusable, match="TookTooLong"):
        CompiledScenarios(parley.scenarios, most_seconds=0.001).get("long", 1)
    assert len(CompiledScenarios(parley.scenarios).get("long", 1).scenario.steps) == 500


def test_scenarios_are_kept_compiled_as_far_as_there_is_room() -> None:
    class Counted(MemoryScenarios):
        reads = 0

        def document(self, scenario_id: str, revision: int) -> dict[str, Any]:
            self.reads += 1
            return super().document(scenario_id, revision)

    parley, scenarios = Parley(), Counted()
    head = parley.scenarios.get(SCENARIO_ID)
    for name in "abc":
        scenarios.create(replace(head, id=name), COUNTING)

    def reads(max_bytes: int) -> int:
        compiled, scenarios.reads = CompiledScenarios(scenarios, max_bytes), 0
        for name in "abacabab":
            compiled.get(name, 1)
        return scenarios.reads

    size = len(msgspec.json.encode(COUNTING))
    assert (reads(3 * size), reads(2 * size), reads(1)) == (3, 4, 8)
