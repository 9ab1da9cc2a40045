"""What one message's outcome means for others: holds, templates, links, findings, and what came later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from shared.credential import Credential
from shared.delivery.account import REFUSED_SECONDS
from shared.delivery.holds import Hold
from shared.delivery.message import HOLD_SECONDS, LONGEST_BACKOFF_SECONDS, SPREAD_SECONDS
from shared.delivery.transport import AnswerLost
from shared.dialog.history import DeliveryRecord, HistoryEntry, ReceiptRecord, entry_key
from shared.dialog.messages import Message, Template
from shared.errors import Wait
from shared.platforms.base import Delivery, Outcome
from tests.delivery.stage import DIALOG, NOW, SENT, KeptNames, Stage

GONE = Delivery(Outcome.RECIPIENT_GONE, reason="blocked by the user")
REFUSED = Delivery(Outcome.CREDENTIAL_BAD, reason="401")
CLOSED = Delivery(Outcome.WINDOW_CLOSED, reason="24 hours are over")
TOO_OLD = Delivery(Outcome.APP_TOO_OLD, reason="13 apiVersionNotSupported")
NO_MEDIA = Delivery(Outcome.MEDIA_FAILED, reason="no such file")
UNHEARD_OF = Delivery(Outcome.BAD_PAYLOAD, reason="400 Bad Request: FILE_ODD")
APPROVED = Template("hello", "en")


def held(stage: Stage, **more: Any) -> float:
    with pytest.raises(Wait) as wait:
        stage.deliver("one", "two", **more)
    return wait.value.seconds


# ── Holds ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("asked", "kept"), [(17.0, 17.0), (None, HOLD_SECONDS)], ids=["told", "not told"])
def test_a_limit_of_the_bot_holds_all_its_dialogs(asked: float | None, kept: float) -> None:
    stage = Stage([Delivery(Outcome.BOT_LIMITED, retry_after_seconds=asked, reason="slow down")])
    assert held(stage) == kept
    assert stage.holds == {("b", "telegram"): Hold(NOW + timedelta(seconds=kept), "slow down")}


@pytest.mark.parametrize("outcome", [Outcome.CHAT_LIMITED, Outcome.BOT_LIMITED], ids=str)
def test_a_limit_that_lasts_is_asked_about_ever_more_seldom(outcome: Outcome) -> None:
    """SQS hands a message out a thousand times."""
    stage, waited = Stage([Delivery(outcome, reason="too many")] * 12), []
    for number in range(12):
        waited.append(held(stage, is_repeat=number > 0))
        stage.now += timedelta(seconds=waited[-1])
    assert waited[0] <= HOLD_SECONDS
    assert waited[-1] >= LONGEST_BACKOFF_SECONDS / 2
    assert stage.records()[0].attempts == 0
    stage.deliver("one", "two", is_repeat=True)
    assert stage.statuses() == ["sent", "sent"]


def test_a_limit_of_a_chat_holds_nobody_else() -> None:
    stage = Stage([Delivery(Outcome.CHAT_LIMITED, retry_after_seconds=17)])
    held(stage)
    assert stage.holds == {}


def test_a_held_bot_sends_nothing_and_counts_no_failure() -> None:
    stage = Stage(holds={("b", "telegram"): Hold(NOW + timedelta(seconds=17), "slow down")})
    assert 17 <= held(stage) <= 17 + SPREAD_SECONDS
    assert (stage.lines, stage.writes) == ([], 1)
    assert stage.records() == [DeliveryRecord("queued", reason="slow down")]

    held(stage, is_repeat=True)
    assert stage.writes == 1
    stage.now += timedelta(seconds=17)
    stage.deliver("one", "two", is_repeat=True)
    assert stage.records() == [DeliveryRecord("sent", message_ids=("m",))] * 2


def test_a_hold_of_another_bot_or_messenger_delays_nobody() -> None:
    until = NOW + timedelta(hours=1)
    stage = Stage(holds={("c", "telegram"): Hold(until, "x"), ("b", "viber"): Hold(until, "x")})
    stage.deliver("one")
    assert stage.statuses() == ["sent"]


class Hasty(Stage):
    """Has looked at the hold just before another sender met its limit."""

    def get(self, bot_id: str, platform: str) -> Hold | None:
        return super().get(bot_id, platform) if self.lines else None


def test_a_shorter_hold_does_not_take_a_longer_one_s_place() -> None:
    longer = {("b", "telegram"): Hold(NOW + timedelta(seconds=60), "slow down")}
    stage = Hasty([Delivery(Outcome.BOT_LIMITED, retry_after_seconds=1)], holds=dict(longer))
    assert held(stage) == 1
    assert stage.holds == longer


def test_a_message_without_requests_waits_for_no_hold() -> None:
    stage = Stage(holds={("b", "telegram"): Hold(NOW + timedelta(seconds=17), "slow down")})
    stage.deliver("")
    assert stage.statuses() == ["sent"]


def test_a_limit_takes_the_place_of_a_refusal_that_is_past() -> None:
    past = Hold(NOW + timedelta(seconds=60), "401", refused="the mark of another credential")
    stage = Stage([Delivery(Outcome.BOT_LIMITED, retry_after_seconds=17)], holds={("b", "telegram"): past})
    assert held(stage) == 17
    assert stage.holds["b", "telegram"].refused == ""


# ── A credential that is refused ─────────────────────────────────────────────────────────────────────


def test_a_refused_credential_is_told_of_and_not_tried_for_a_minute() -> None:
    stage = Stage([REFUSED])
    stage.deliver("one", "two")
    assert stage.found == [("refused", "401")]

    stage.deliver("three", turn=2)
    assert stage.lines == ["one"]
    (entry,) = stage.history.of_turn(DIALOG, "e", 2)
    assert entry.delivery == DeliveryRecord("failed", reason="401")
    assert stage.found == [("refused", "401")], "told once"

    stage.now += timedelta(seconds=REFUSED_SECONDS)
    stage.deliver("four", turn=3)
    assert stage.lines == ["one", "four"]


def test_a_credential_that_takes_a_refused_one_s_place_is_tried_at_once() -> None:
    stage = Stage([REFUSED])
    stage.deliver("one")
    fresh = Credential("c", "b", "telegram", is_active=True, settings={"bot_token": "new"})
    stage.credential = lambda: fresh
    stage.deliver("two", turn=2)
    assert stage.lines == ["one", "two"]


def test_a_credential_replaced_elsewhere_costs_no_message_of_those_behind_the_hold() -> None:
    stage = Stage([REFUSED])
    stage.deliver("one")
    stage.fresh = Credential("c", "b", "telegram", is_active=True, settings={"bot_token": "new"})
    assert held(stage, turn=2) <= SPREAD_SECONDS
    assert stage.lines == ["one"]


# ── Somebody who is gone ─────────────────────────────────────────────────────────────────────────────


def test_somebody_gone_is_told_of_before_it_is_recorded() -> None:
    stage = Stage([GONE])
    stage.deliver("one", "two")
    assert stage.found == [("gone", "blocked by the user")]
    assert stage.records() == [DeliveryRecord("failed", reason="blocked by the user")] * 2

    class Unheard(Stage):
        def gone(self, *_: Any) -> None:
            raise ConnectionError

    unheard = Unheard([GONE])
    with pytest.raises(ConnectionError):
        unheard.deliver("one")
    assert unheard.records() == []


# ── What is said in another's place ──────────────────────────────────────────────────────────────────


def test_a_closed_window_is_opened_by_the_message_s_template() -> None:
    stage = Stage([CLOSED])
    stage.deliver(Message("one", template=APPROVED))
    assert stage.lines == ["one", "template hello"]
    assert stage.records() == [DeliveryRecord("sent", ("m",), degradations=("sent_as_template",))]


def test_a_template_that_is_refused_too_is_no_loop() -> None:
    stage = Stage([CLOSED, CLOSED])
    stage.deliver(Message("one", template=APPROVED))
    assert stage.records() == [
        DeliveryRecord("failed", reason="24 hours are over", degradations=("sent_as_template",))
    ]


def test_behind_a_closed_window_only_what_has_a_template_is_tried() -> None:
    stage = Stage([CLOSED, CLOSED])
    stage.deliver("one", "two", Message("three", template=APPROVED))
    assert stage.lines == ["one", "three", "template hello"]
    assert stage.statuses() == ["failed", "failed", "sent"]


@pytest.mark.parametrize(
    ("silent_for", "is_over"),
    [
        (timedelta(hours=23), False),
        (timedelta(hours=24, minutes=4), False),
        (timedelta(hours=24, minutes=6), True),
        (None, True),
    ],
    ids=["open", "at the edge", "over", "never wrote"],
)
def test_a_window_known_to_be_over_is_not_tried(*, silent_for: timedelta | None, is_over: bool) -> None:
    stage = Stage(window=timedelta(hours=24))
    written_at = NOW - silent_for if silent_for else None
    said = ("one\nmore", Message("two", template=APPROVED))
    stage.deliver(*said, said_at=NOW, last_interaction_at=written_at)
    assert stage.lines == (["template hello"] if is_over else ["one", "more", "two"])
    assert stage.statuses() == (["failed", "sent"] if is_over else ["sent", "sent"])
    if is_over:
        failure, sent = stage.records()
        assert "template" in failure.reason
        assert sent.degradations == ("sent_as_template",)


@pytest.mark.parametrize("window", [None, timedelta(hours=24)])
def test_what_nobody_knows_of_a_window_is_tried(window: timedelta | None) -> None:
    """Not every messenger has one, and an envelope of before does not tell."""
    stage = Stage(window=window)
    stage.deliver("one", said_at=None if window else NOW)
    assert stage.lines == ["one"]


def test_a_turn_made_in_the_window_and_sent_after_it_is_for_the_messenger_to_judge() -> None:
    stage = Stage(window=timedelta(hours=24), now=NOW + timedelta(days=2))
    stage.deliver("one", said_at=NOW, last_interaction_at=NOW)
    assert stage.lines == ["one"]


def test_media_that_cannot_be_had_are_told_by_their_address() -> None:
    stage = Stage([SENT, NO_MEDIA])
    stage.deliver("text\npicture\nmore")
    assert stage.lines == ["text", "picture", "link to picture", "more"]
    assert stage.records() == [DeliveryRecord("sent", ("m",) * 3, degradations=("media_as_links",))]


def test_words_are_said_without_a_file_that_is_refused_by_words_nobody_has_heard_of() -> None:
    stage = Stage([UNHEARD_OF])
    stage.deliver("picture")
    assert stage.lines == ["picture", "link to picture"]
    assert stage.records() == [DeliveryRecord("sent", ("m",), degradations=("media_as_links",))]


def test_what_is_refused_with_its_file_and_without_has_failed() -> None:
    stage = Stage([UNHEARD_OF, UNHEARD_OF])
    stage.deliver("picture", "more")
    assert stage.lines == ["picture", "link to picture", "more"]
    assert stage.statuses() == ["failed", "sent"]


@pytest.mark.parametrize("refusal", [UNHEARD_OF, NO_MEDIA])
def test_what_cannot_be_tidied_up_costs_no_message_behind_it(refusal: Delivery) -> None:
    stage = Stage([refusal])
    stage.deliver("tidy\ntext")
    assert stage.lines == ["tidy", "text"]
    assert stage.records() == [DeliveryRecord("sent", ("", "m"))]


def test_somebody_gone_is_told_of_by_whatever_is_refused_first() -> None:
    stage = Stage([GONE])
    stage.deliver("tidy\ntext")
    assert (stage.lines, stage.statuses()) == (["tidy"], ["failed"])
    assert stage.found == [("gone", "blocked by the user")]


def test_a_file_whose_answer_is_lost_twice_is_told_by_its_address() -> None:
    stage = Stage([AnswerLost("ReadTimeout"), AnswerLost("ReadTimeout")])
    with pytest.raises(Wait):
        stage.deliver("picture")
    stage.deliver("picture", is_repeat=True)
    assert stage.lines == ["picture", "picture", "link to picture"]
    (record,) = stage.records()
    assert (record.status, record.possibly_doubled) == ("sent", True)
    assert record.degradations == ("media_as_links",)


@pytest.mark.parametrize(("status", "is_unknown"), [(500, False), (502, True), (503, False), (504, True)])
def test_where_a_gateway_had_no_answer_the_messenger_may_have_acted(status: int, *, is_unknown: bool) -> None:
    stage = Stage([Delivery(Outcome.RETRY, reason=str(status))], status=status)
    with pytest.raises(Wait):
        stage.deliver("picture")
    stage.status = 200
    stage.deliver("picture", is_repeat=True)
    assert stage.lines == ["picture", "picture"]
    (record,) = stage.records()
    assert (record.status, record.possibly_doubled, record.in_doubt) == ("sent", is_unknown, False)


def test_an_app_that_is_too_old_to_share_is_shown_the_same_without_the_button() -> None:
    stage = Stage([SENT, TOO_OLD])
    stage.deliver("text\nshare\nmore")
    assert stage.lines == ["text", "share", "no button, share", "more"]
    assert stage.records() == [DeliveryRecord("sent", ("m",) * 3, degradations=("share_dropped",))]


def test_an_app_that_is_too_old_for_a_message_without_such_a_button_is_shown_nothing() -> None:
    stage = Stage([TOO_OLD])
    stage.deliver("one", "two")
    assert stage.statuses() == ["failed", "sent"]


def test_a_template_that_has_to_wait_is_sent_after_it() -> None:
    stage = Stage([CLOSED, Delivery(Outcome.CHAT_LIMITED, retry_after_seconds=1), CLOSED])
    message = Message("one", template=APPROVED)
    with pytest.raises(Wait):
        stage.deliver(message)
    stage.deliver(message, is_repeat=True)
    assert stage.lines == ["one", "template hello"] * 2
    assert stage.records() == [DeliveryRecord("sent", ("m",), degradations=("sent_as_template",))]


def test_a_degradation_is_told_once_and_not_forgotten_by_a_wait() -> None:
    stage = Stage([NO_MEDIA, SENT, NO_MEDIA, SENT, Delivery(Outcome.CHAT_LIMITED, retry_after_seconds=1)])
    with pytest.raises(Wait):
        stage.deliver("picture 1\npicture 2\ntext")
    stage.deliver("picture 1\npicture 2\ntext", is_repeat=True)
    assert stage.lines == ["picture 1", "link to picture 1", "picture 2", "link to picture 2", "text", "text"]
    assert stage.records() == [DeliveryRecord("sent", ("m",) * 3, degradations=("media_as_links",))]


def test_media_without_an_address_fail() -> None:
    stage = Stage([NO_MEDIA])
    stage.deliver("one", "two")
    assert stage.statuses() == ["failed", "sent"]


# ── Receipts ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_messenger_s_name_of_a_message_is_kept_where_receipts_know_no_other() -> None:
    stage = Stage(names_messages=True)
    stage.deliver("one", "")
    assert stage.names == {("b", "telegram", "m"): f"{DIALOG}:e:1:1"}
    other = Stage()
    other.deliver("one")
    assert other.names == {}


class Killed(BaseException):
    """The process is gone."""


@dataclass
class DiesOnceRecorded(Stage):
    def record(self, entry: HistoryEntry) -> None:
        super().record(entry)
        raise Killed


def test_whoever_dies_once_a_message_is_recorded_has_kept_its_name() -> None:
    stage = DiesOnceRecorded(names_messages=True)
    with pytest.raises(Killed):
        stage.deliver("one")
    assert stage.statuses() == ["sent"]
    assert stage.names == {("b", "telegram", "m"): f"{DIALOG}:e:1:1"}


class Unreachable(KeptNames):
    def put(self, bot_id: str, platform: str, message_id: str, delivery_id: str) -> None:
        raise OSError("no route")


def test_a_name_that_cannot_be_kept_has_no_message_sent_twice() -> None:
    stage = Stage(names_messages=True, names=Unreachable())
    with pytest.raises(OSError, match="no route"):
        stage.deliver("one", "two")
    assert stage.statuses() == ["sent"]


@pytest.mark.parametrize(
    ("told", "lines"), [("delivered", ["one"]), ("read", ["one"]), ("failed", ["one", "one"])]
)
def test_a_message_that_a_receipt_tells_of_is_not_sent_again_for_its_lost_answer(
    told: Any, lines: list[str]
) -> None:
    stage = Stage([AnswerLost("ReadTimeout")])
    held_for = held(stage)
    assert held_for > 0
    stage.history.receive(DIALOG, entry_key("e", 1, 1), ReceiptRecord(told, NOW))
    stage.deliver("one", "two", is_repeat=True)
    assert stage.lines == [*lines, "two"]
    assert stage.statuses() == ["sent", "sent"]
    assert stage.records()[0].possibly_doubled is (told == "failed")


# ── What comes too late ──────────────────────────────────────────────────────────────────────────────


def later(stage: Stage, **entry: Any) -> None:
    """Something of the turn after this one."""
    given = {"message_type": "bot", "message_data": {}, "timestamp": NOW, "created_at": NOW}
    stage.history.record(HistoryEntry(dialog_id=DIALOG, epoch="e", turn=2, **{**given, **entry}))


def given_up(stage: Stage) -> None:
    stage.script = [Delivery(Outcome.BAD_PAYLOAD, reason="bad")]
    stage.deliver("one")


@pytest.mark.parametrize(
    "copy", [{"failure": "given up"}, {"reemitted": True}], ids=["redriven", "reemitted"]
)
def test_a_copy_that_comes_after_a_later_turn_is_not_sent(copy: dict[str, Any]) -> None:
    stage = Stage()
    later(stage, n=1, delivery=DeliveryRecord("sent"))
    stage.deliver("one", "two", **copy)
    assert stage.lines == []
    assert {record.reason for record in stage.records()} == {"superseded"}
    assert stage.statuses() == ["failed"] * 2


@pytest.mark.parametrize(
    "entry",
    [
        {"n": 0},
        {"n": 1, "delivery": DeliveryRecord("failed")},
        {"n": 1, "delivery": DeliveryRecord("queued")},
    ],
    ids=["only an answer", "only a failure", "only waiting"],
)
def test_a_redriven_message_is_sent_where_nothing_later_was(entry: dict[str, Any]) -> None:
    stage = Stage()
    given_up(stage)
    later(stage, **entry)
    stage.deliver("one", failure="given up")
    assert stage.statuses() == ["sent"]


@pytest.mark.parametrize("is_repeat", [False, True])
def test_a_turn_in_its_order_is_never_superseded(*, is_repeat: bool) -> None:
    stage = Stage()
    later(stage, n=1, delivery=DeliveryRecord("sent"))
    stage.deliver("one", is_repeat=is_repeat)
    assert stage.statuses() == ["sent"]


def test_what_a_superseded_turn_had_sent_stays_as_it_was() -> None:
    stage = Stage()
    stage.deliver("one")
    before = stage.records()
    later(stage, n=1, delivery=DeliveryRecord("sent"))
    stage.deliver("one", failure="given up")
    assert stage.records() == before
