"""What the sender does with every outcome, and what it does when it has seen an envelope before."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from shared.credential import Credential
from shared.delivery.message import MAX_FAILURES
from shared.delivery.transport import AnswerLost, NotReached
from shared.dialog.history import DeliveryRecord, HistoryEntry
from shared.dialog.messages import Message
from shared.errors import Wait
from shared.platforms.base import Delivery, Outcome
from tests.delivery.stage import DIALOG, NOW, SENT, Stage, Step, envelope


def test_each_message_is_sent_in_order_and_written_once() -> None:
    stage = Stage()
    assert stage.deliver("one", "two") == ()
    assert stage.lines == ["one", "two"]
    assert stage.writes == 2
    assert stage.records() == [DeliveryRecord("sent", message_ids=("m",))] * 2


def test_the_entry_is_the_bots_side_of_the_history() -> None:
    stage = Stage()
    stage.deliver("one")
    (entry,) = stage.history.of_turn(DIALOG, "e", 1)
    assert (entry.n, entry.message_type, entry.message_data) == (1, "bot", {"text": "one"})
    assert (entry.timestamp, entry.created_at) == (NOW, NOW)


@pytest.mark.parametrize("is_repeat", [False, True])
def test_a_message_without_requests_is_delivered_by_its_record(*, is_repeat: bool) -> None:
    stage = Stage()
    stage.deliver("", is_repeat=is_repeat)
    assert stage.lines == []
    assert stage.records() == [DeliveryRecord("sent")]


@pytest.mark.parametrize(
    "outcome", [Outcome.RECIPIENT_GONE, Outcome.WINDOW_CLOSED, Outcome.CREDENTIAL_BAD], ids=str
)
def test_what_stands_against_all_messages_is_not_hammered(outcome: Outcome) -> None:
    stage = Stage([Delivery(outcome, reason="no")])
    assert stage.deliver("one", "two", "three") == ()
    assert stage.lines == ["one"]
    assert stage.records() == [DeliveryRecord("failed", reason="no")] * 3


@pytest.mark.parametrize("outcome", [Outcome.BAD_PAYLOAD, Outcome.MEDIA_FAILED], ids=str)
def test_one_bad_message_does_not_keep_the_others(outcome: Outcome) -> None:
    stage = Stage([Delivery(outcome, reason="bad")])
    stage.deliver("one", "two")
    assert stage.statuses() == ["failed", "sent"]


@pytest.mark.parametrize("outcome", [Outcome.CHAT_LIMITED, Outcome.BOT_LIMITED], ids=str)
def test_a_wait_a_messenger_asks_for_is_kept_to_and_is_no_failure(outcome: Outcome) -> None:
    stage = Stage([Delivery(outcome, retry_after_seconds=17, reason="slow down")])
    with pytest.raises(Wait) as wait:
        stage.deliver("one", "two")
    assert wait.value.seconds == 17
    assert stage.records() == [DeliveryRecord("queued", reason="slow down")]

    stage.now += timedelta(seconds=17)
    stage.deliver("one", "two", is_repeat=True)
    assert stage.lines == ["one", "one", "two"]
    assert stage.records() == [DeliveryRecord("sent", message_ids=("m",))] * 2


@pytest.mark.parametrize(("asked", "waited"), [(1e9, 12 * 3600), (-5, 0)], ids=["too long", "negative"])
def test_a_wait_is_one_that_the_queue_can_keep(asked: float, waited: float) -> None:
    stage = Stage([Delivery(Outcome.CHAT_LIMITED, retry_after_seconds=asked)])
    with pytest.raises(Wait) as wait:
        stage.deliver("one")
    assert wait.value.seconds == waited


@pytest.mark.parametrize(
    "fault", [Delivery(Outcome.RETRY, reason="500"), NotReached("ConnectError")], ids=["5xx", "not reached"]
)
def test_a_passing_fault_is_tried_again_and_counted(fault: Step) -> None:
    stage = Stage([fault, fault])
    for attempt in (1, 2):
        with pytest.raises(Wait) as wait:
            stage.deliver("one", is_repeat=attempt > 1)
        assert 0 < wait.value.seconds <= 2**attempt
        assert stage.records()[0].attempts == attempt
    stage.deliver("one", is_repeat=True)
    assert stage.records() == [DeliveryRecord("sent", message_ids=("m",), attempts=2)]


def test_a_message_is_given_up_after_the_last_try_and_told() -> None:
    stage = Stage([Delivery(Outcome.RETRY, reason="500")] * MAX_FAILURES)
    for attempt in range(MAX_FAILURES - 1):
        with pytest.raises(Wait):
            stage.deliver("one", "two", is_repeat=attempt > 0)
    assert stage.deliver("one", "two", is_repeat=True) == ("500",)
    assert stage.statuses() == ["failed", "sent"]
    assert stage.deliver("one", "two", is_repeat=True) == ("500",), "told again, should we have died before"
    assert stage.lines.count("two") == 1


def test_a_redriven_envelope_tries_what_failed_once_more() -> None:
    stage = Stage([Delivery(Outcome.BAD_PAYLOAD, reason="bad")])
    stage.deliver("one", "two")
    stage.deliver("one", "two", failure="given up")
    assert stage.lines == ["one", "two", "one"]
    assert stage.statuses() == ["sent", "sent"]


BAD = Delivery(Outcome.BAD_PAYLOAD, reason="bad")


def test_what_fails_again_after_a_redrive_is_not_tried_whenever_its_turn_comes_back() -> None:
    stage = Stage([BAD, BAD])
    stage.deliver("one", "two", "three")
    stage.script = [BAD, Delivery(Outcome.CHAT_LIMITED, retry_after_seconds=1)]
    again: dict[str, Any] = {"failure": "given up", "redrive": "first"}
    with pytest.raises(Wait):
        stage.deliver("one", "two", "three", **again)
    stage.deliver("one", "two", "three", is_repeat=True, **again)
    assert stage.lines == ["one", "two", "three", "one", "two", "two"]
    assert stage.statuses() == ["failed", "sent", "sent"]

    stage.deliver("one", "two", "three", failure="given up", redrive="second")
    assert stage.statuses() == ["sent"] * 3


def test_what_is_given_up_again_after_a_redrive_is_told_again_should_we_have_died() -> None:
    stage = Stage([BAD, *[Delivery(Outcome.RETRY, reason="500")] * MAX_FAILURES])
    stage.deliver("one")
    again: dict[str, Any] = {"failure": "given up", "redrive": "first"}
    for attempt in range(MAX_FAILURES - 1):
        with pytest.raises(Wait):
            stage.deliver("one", is_repeat=attempt > 0, **again)
    for _ in range(2):
        assert stage.deliver("one", is_repeat=True, **again) == ("500",)
    assert stage.statuses() == ["failed"]


def test_a_redriven_message_whose_answer_was_lost_is_possibly_doubled() -> None:
    stage = Stage([AnswerLost("ReadTimeout")] * MAX_FAILURES)
    for attempt in range(MAX_FAILURES - 1):
        with pytest.raises(Wait):
            stage.deliver("one", is_repeat=attempt > 0)
    stage.deliver("one", is_repeat=True)
    assert stage.statuses() == ["failed"]

    stage.deliver("one", failure="given up")
    (record,) = stage.records()
    assert (record.status, record.possibly_doubled, record.in_doubt) == ("sent", True, False)


def test_a_redriven_message_that_was_doubled_before_stays_known_as_that() -> None:
    stage = Stage([AnswerLost("ReadTimeout"), Delivery(Outcome.BAD_PAYLOAD, reason="bad")])
    with pytest.raises(Wait):
        stage.deliver("one")
    stage.deliver("one", is_repeat=True)
    stage.deliver("one", failure="given up")
    assert [record.possibly_doubled for record in stage.records()] == [True]


def test_a_lost_answer_is_recorded_and_its_repeat_possibly_doubled() -> None:
    stage = Stage([AnswerLost("ReadTimeout")])
    with pytest.raises(Wait):
        stage.deliver("one", "two")
    assert stage.records()[0].in_doubt

    stage.deliver("one", "two", is_repeat=True)
    one, two = stage.records()
    assert (one.possibly_doubled, one.in_doubt, two.possibly_doubled) == (True, False, False)


class Killed(BaseException):
    """The process is gone."""


@dataclass
class DiesAfterAnswer(Stage):
    """Dies once a message is out, before that is recorded."""

    def record(self, entry: HistoryEntry) -> None:
        if entry.delivery and entry.delivery.status == "sent":
            raise Killed
        super().record(entry)


@pytest.mark.parametrize(
    "earlier",
    [Delivery(Outcome.CHAT_LIMITED, retry_after_seconds=1), Delivery(Outcome.RETRY), NotReached("no route")],
    ids=["told to wait", "5xx", "not reached"],
)
def test_a_later_try_that_nobody_could_record_leaves_its_message_in_doubt(earlier: Step) -> None:
    stage = DiesAfterAnswer([earlier])
    with pytest.raises(Wait):
        stage.deliver("one")
    assert not stage.records()[0].in_doubt, "it has certainly not gone out yet"
    with pytest.raises(Killed):
        stage.deliver("one", is_repeat=True)

    restarted = Stage(history=stage.history)
    restarted.deliver("one", is_repeat=True)
    (record,) = restarted.records()
    assert (record.status, record.possibly_doubled, record.in_doubt) == ("sent", True, False)


def test_a_request_that_there_was_no_time_for_is_not_in_doubt() -> None:
    stage = Stage([Delivery(Outcome.CHAT_LIMITED, retry_after_seconds=1)])
    with pytest.raises(Wait):
        stage.deliver("one")
    stage.seconds = 3
    with pytest.raises(Wait):
        stage.deliver("one", is_repeat=True)
    assert not stage.records()[0].in_doubt


def test_a_message_that_there_was_no_time_to_begin_is_not_in_doubt() -> None:
    stage = Stage(seconds=3)
    with pytest.raises(Wait):
        stage.deliver("one")
    stage.seconds = 30
    stage.deliver("one", is_repeat=True)
    assert stage.records() == [DeliveryRecord("sent", message_ids=("m",))]


def test_a_credential_replaced_while_messages_wait_costs_none_of_them() -> None:
    stage = Stage([Delivery(Outcome.CREDENTIAL_BAD, reason="401")])
    stage.fresh = Credential("c", "b", "telegram", is_active=True, settings={"bot_token": "new"})
    with pytest.raises(Wait):
        stage.deliver("one", "two")
    assert stage.statuses() == ["queued"]

    stage.deliver("one", "two", is_repeat=True)
    assert stage.statuses() == ["sent", "sent"]


@pytest.mark.parametrize(
    "seen",
    [{"is_repeat": True}, {"reemitted": True}, {"failure": "received too often"}],
    ids=["redelivered", "reemitted", "redriven"],
)
def test_of_a_repeat_without_records_only_the_first_message_is_in_doubt(seen: Mapping[str, Any]) -> None:
    stage = Stage()
    stage.deliver("one", "two", **seen)
    assert [record.possibly_doubled for record in stage.records()] == [True, False]


def test_what_follows_a_message_said_elsewhere_is_not_in_doubt_for_that() -> None:
    stage = Stage()
    stage.deliver(Message("welcome", is_said=True), "two", is_repeat=True)
    assert stage.lines == ["two"]
    assert [record.possibly_doubled for record in stage.records()] == [False, False]


def test_what_is_recorded_is_not_sent_again() -> None:
    stage = Stage()
    stage.deliver("one", "two")
    stage.deliver("one", "two", is_repeat=True)
    assert stage.lines == ["one", "two"]


def test_a_message_of_several_requests_goes_on_where_it_stopped() -> None:
    stage = Stage([SENT, Delivery(Outcome.CHAT_LIMITED, retry_after_seconds=1)])
    with pytest.raises(Wait):
        stage.deliver("a\nb\nc")
    stage.deliver("a\nb\nc", is_repeat=True)
    assert stage.lines == ["a", "b", "b", "c"]
    assert stage.records() == [DeliveryRecord("sent", message_ids=("m", "m", "m"))]


def test_a_bot_that_is_not_connected_any_more_sends_nothing() -> None:
    for stage in (Stage(is_active=False), Stage(credential=lambda: None)):
        stage.deliver("one", "two")
        assert stage.lines == []
        assert {record.reason for record in stage.records()} == {"the bot is not connected or not active"}
        assert stage.statuses() == ["failed", "failed"]


def test_nothing_is_begun_that_the_process_has_no_time_for() -> None:
    stage = Stage(seconds=3)
    with pytest.raises(Wait) as wait:
        stage.deliver("one")
    assert wait.value.seconds == 0
    assert stage.lines == []


def test_the_first_time_of_an_entry_stays() -> None:
    stage = Stage([Delivery(Outcome.CHAT_LIMITED, retry_after_seconds=1)])
    with pytest.raises(Wait):
        stage.deliver("one")
    (waiting,) = stage.history.of_turn(DIALOG, "e", 1)
    earlier = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    stage.history.record(msgspec.structs.replace(waiting, created_at=earlier))
    stage.deliver("one", is_repeat=True)
    (sent,) = stage.history.of_turn(DIALOG, "e", 1)
    assert (sent.created_at, sent.timestamp) == (earlier, NOW)


LATER = Message("later", delay=3)


def waited(stage: Stage, *said: str | Message, **more: Any) -> float:
    """How long the queue is asked to keep the envelope; the clock then stands at the end of that."""
    with pytest.raises(Wait) as wait:
        stage.deliver(*said, **more)
    stage.now += timedelta(seconds=wait.value.seconds)
    return wait.value.seconds


def test_a_delay_counts_from_the_message_before_and_is_spent_in_the_queue() -> None:
    stage = Stage()
    assert waited(stage, "one", LATER) == 3
    assert stage.lines == ["one"]
    assert stage.records()[1] == DeliveryRecord("queued", not_before=NOW + timedelta(seconds=3))

    assert stage.deliver("one", LATER, is_repeat=True) == ()
    assert stage.lines == ["one", "later"]
    assert stage.records() == [DeliveryRecord("sent", message_ids=("m",))] * 2


def test_the_first_message_s_delay_counts_from_when_the_sender_took_it_up() -> None:
    stage = Stage()
    assert waited(stage, LATER, LATER) == 3
    assert waited(stage, LATER, LATER, is_repeat=True) == 3
    stage.deliver(LATER, LATER, is_repeat=True)
    assert stage.lines == ["later", "later"]
    assert not any(record.possibly_doubled or record.attempts for record in stage.records())


def test_a_delayed_message_costs_a_write_more_and_the_one_before_any_repeat() -> None:
    stage = Stage()
    waited(stage, LATER)
    stage.deliver(LATER, is_repeat=True)
    assert stage.writes == 3

    without_requests = Stage()
    silent = Message("", delay=3)
    waited(without_requests, silent)
    without_requests.deliver(silent, is_repeat=True)
    assert without_requests.writes == 2


def test_an_envelope_that_comes_back_too_soon_waits_for_the_rest() -> None:
    stage = Stage()
    waited(stage, LATER)
    stage.now -= timedelta(seconds=1)
    writes = stage.writes
    assert waited(stage, LATER, is_repeat=True) == 1
    assert (stage.lines, stage.writes) == ([], writes)


def test_during_a_delay_the_person_is_shown_once_that_somebody_types() -> None:
    stage = Stage()
    waited(stage, "one", LATER, last_message_id="wamid.1")
    assert stage.hints == ["typing to 7, wamid.1"]
    stage.now -= timedelta(seconds=1)
    waited(stage, "one", LATER, is_repeat=True, last_message_id="wamid.1")
    stage.deliver("one", LATER, is_repeat=True, last_message_id="wamid.1")
    assert (stage.lines, len(stage.hints)) == (["one", "later"], 1)


@pytest.mark.parametrize("message", ["at once", Message("soon", delay=1)], ids=str)
def test_for_a_moment_nobody_is_shown_to_type(message: str | Message) -> None:
    stage = Stage()
    with suppress(Wait):
        stage.deliver(message)
    assert stage.hints == []


def test_the_longest_delay_is_one_wait() -> None:
    assert waited(Stage(), Message("later", delay=900)) == 900


@dataclass
class DiesBeforeWaiting(Stage):
    """Dies as soon as it would record a wait."""

    def record(self, entry: HistoryEntry) -> None:
        if entry.delivery and entry.delivery.not_before:
            raise Killed
        super().record(entry)


def test_a_death_before_the_wait_was_recorded_delays_the_message_and_never_doubles_it() -> None:
    dying = DiesBeforeWaiting()
    with pytest.raises(Killed):
        dying.deliver("one", LATER)

    stage = Stage(history=dying.history, now=NOW + timedelta(minutes=3))
    assert waited(stage, "one", LATER, is_repeat=True) == 0
    stage.deliver("one", LATER, is_repeat=True)
    assert stage.lines == ["later"]
    assert not any(record.possibly_doubled for record in stage.records())


def test_a_death_after_the_delayed_message_went_out_leaves_it_in_doubt() -> None:
    dying = DiesAfterAnswer()
    waited(dying, LATER)
    with pytest.raises(Killed):
        dying.deliver(LATER, is_repeat=True)

    stage = Stage(history=dying.history, now=dying.now)
    stage.deliver(LATER, is_repeat=True)
    assert [record.possibly_doubled for record in stage.records()] == [True]


def test_a_delay_is_kept_once_however_often_the_message_fails_after_it() -> None:
    stage = Stage()
    waited(stage, LATER)
    stage.script = [Delivery(Outcome.RETRY, reason="500")]
    assert waited(stage, LATER, is_repeat=True) < 3
    stage.deliver(LATER, is_repeat=True)
    assert stage.records() == [DeliveryRecord("sent", message_ids=("m",), attempts=1)]


def test_a_redriven_message_does_not_keep_its_delay_again() -> None:
    stage = Stage()
    waited(stage, LATER)
    stage.script = [Delivery(Outcome.BAD_PAYLOAD, reason="bad")]
    stage.deliver(LATER, is_repeat=True)
    stage.deliver(LATER, failure="given up")
    assert stage.statuses() == ["sent"]


def test_nothing_waits_for_a_bot_that_is_not_connected_any_more() -> None:
    stage = Stage(is_active=False)
    stage.deliver(LATER)
    assert stage.statuses() == ["failed"]


def test_a_turn_that_only_waited_behind_another_is_not_in_doubt() -> None:
    stage = Stage()
    stage.sender().leave(envelope(["one", "two"]))
    assert stage.statuses() == ["queued"]
    stage.deliver("one", "two", is_repeat=True)
    assert stage.records() == [DeliveryRecord("sent", message_ids=("m",))] * 2


@pytest.mark.parametrize(
    "copy", [{"reemitted": True}, {"failure": "given up"}], ids=["reemitted", "redriven"]
)
def test_a_copy_that_is_left_says_nothing_of_the_one_before(copy: Mapping[str, Any]) -> None:
    stage = Stage()
    stage.deliver("one")
    stage.sender().leave(envelope(["one"], **copy))
    assert stage.statuses() == ["sent"]


def test_an_operator_s_words_are_recorded_as_theirs() -> None:
    stage = Stage()
    stage.deliver("one", Message("Hello, I am Ann.", by_operator=True))
    assert [e.message_type for e in stage.history.of_turn(DIALOG, "e", 1)] == ["bot", "operator"]


@pytest.mark.parametrize("is_active", [True, False])
def test_what_was_said_in_a_webhook_s_answer_is_only_recorded(*, is_active: bool) -> None:
    stage = Stage(is_active=is_active)
    stage.deliver(Message("Hello!", is_said=True), is_repeat=True)
    assert stage.records() == [DeliveryRecord("sent")]
    assert stage.lines == []


def test_what_the_messenger_has_already_so_is_done() -> None:
    stage = Stage([Delivery(Outcome.ALREADY_SO)])
    stage.deliver(Message("one", replaces="17"), "two")
    assert stage.statuses() == ["sent", "sent"]
