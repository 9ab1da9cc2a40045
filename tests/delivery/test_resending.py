"""What a messenger took and did not deliver is said again in another way: once, and while it is of use."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import permutations
from typing import Any

import msgspec
import pytest

from shared.delivery.failures import Failures
from shared.delivery.message import MAX_FAILURES
from shared.delivery.receipts import NO_NAMES, ReceiptBook
from shared.delivery.resending import SAID_AGAIN_WITHIN, taken_up
from shared.delivery.transport import AnswerLost
from shared.dialog.history import DeliveryRecord, HistoryEntry, ReceiptRecord, ReceiptStatus, delivery_id_of
from shared.dialog.messages import Media, Message, Template
from shared.dialog.state import Dialog, Remains
from shared.errors import Wait
from shared.platforms.base import Delivery, Outcome, Request, Response
from shared.queueing.envelopes import OutboundEnvelope, ReceiptEnvelope, Resend
from shared.storage.memory import MemoryDialogs
from tests.delivery.stage import DIALOG, NOW, Stage, Step

REMINDER = Message("Are you there?", template=Template("reminder", "en"))
ALBUM = Message("picture a\npicture b\npicture c", media=(Media("image", "https://example.com/a.jpg"),))
CLOSED, NO_MEDIA = "window_closed", "media_failed"
WHY = {CLOSED: "131047 Re-engagement message", NO_MEDIA: "131053 Media upload error"}


@dataclass
class Street(Stage):
    """A sender, its queue, and a messenger that numbers what it takes and tells the rest afterwards."""

    queue: list[OutboundEnvelope] = field(default_factory=list)
    dialogs: MemoryDialogs = field(default_factory=MemoryDialogs)

    def __post_init__(self) -> None:
        times: dict[str, Any] = {"created_at": NOW, "updated_at": NOW, "last_interaction_at": NOW}
        chat: dict[str, Any] = {"bot_id": "b", "platform": "telegram", "platform_chat_id": "7"}
        self.dialogs.commit(Dialog(id=DIALOG, epoch="e", turn=1, **chat, **times), None)

    def send(self, request: Request) -> Response:
        if not self.script:
            self.script.append(Delivery(Outcome.SENT, message_id=f"m{len(self.lines) + 1}"))
        return super().send(request)

    def tell(
        self, message_id: str, outcome: str = "", *, status: ReceiptStatus = "failed", **more: Any
    ) -> bool:
        given: dict[str, Any] = {"bot_id": "b", "platform": "telegram", "at": NOW, "trace_id": "t"}
        told = ReceiptEnvelope(
            status=status,
            delivery_id=delivery_id_of(DIALOG, "e", 1, 1),
            message_id=message_id,
            outcome=outcome,
            reason=WHY.get(outcome, ""),
            **{**given, **more},
        )
        failures = Failures(self.dialogs, self.history, Outbound(self.queue), self)
        return ReceiptBook(self.history, NO_NAMES, failures).put(told, 1)

    def work(self, *, is_repeat: bool = False) -> None:
        """Deliver what is in the queue; what is not done stays its first."""
        while self.queue:
            self.sender().deliver(self.queue[0], is_repeat=is_repeat)
            del self.queue[0]
            is_repeat = False

    def say_later(self, turn: int, *said: str | Message) -> None:
        self.deliver(*said, turn=turn)

    def hear(self, turn: int) -> None:
        """The person writes."""
        times: dict[str, Any] = {"timestamp": self.now, "created_at": self.now}
        entry = HistoryEntry(
            dialog_id=DIALOG, epoch="e", turn=turn, n=0, message_type="user", message_data={}, **times
        )
        self.history.record(entry)

    def record_of(self) -> DeliveryRecord:
        (record,) = self.records()
        return record


@dataclass
class Outbound:
    envelopes: list[OutboundEnvelope]

    def send(self, envelope: OutboundEnvelope) -> None:
        self.envelopes.append(envelope)


def said(message: Message, **more: Any) -> Street:
    street = Street(**more)
    street.deliver(message)
    street.lines.append("---")  # what follows is said again
    return street


def again(street: Street) -> list[str]:
    return street.lines[street.lines.index("---") + 1 :]


AS_TEMPLATE = DeliveryRecord("sent", ("m3",), degradations=("sent_as_template",), replaced={"m1": 0})


def test_a_window_found_closed_afterwards_is_opened_by_the_message_s_template() -> None:
    street = said(REMINDER)
    assert street.tell("m1", CLOSED)
    assert street.records()[0].status == "sent"
    street.work()
    assert again(street) == ["template reminder"]
    assert street.records() == [AS_TEMPLATE]


@pytest.mark.parametrize("works_between", [False, True])
def test_told_twice_it_is_said_again_once(*, works_between: bool) -> None:
    street = said(REMINDER)
    for _ in range(3):
        street.tell("m1", CLOSED)
        if works_between:
            street.work()
    street.work()
    assert again(street) == ["template reminder"]
    assert street.records() == [AS_TEMPLATE]


def test_a_failure_told_after_what_took_its_place_was_read_says_nothing() -> None:
    street = said(REMINDER)
    street.tell("m1", CLOSED)
    street.work()
    street.tell("m3", status="read")
    street.tell("m1", CLOSED)
    street.work()
    assert again(street) == ["template reminder"]
    assert street.record_of().receipt == ReceiptRecord("read", NOW)


def test_a_template_that_fails_too_is_the_end_and_tells_why() -> None:
    street = said(REMINDER)
    street.tell("m1", CLOSED)
    street.work()
    street.tell("m3", CLOSED)
    assert street.queue == []
    assert (street.record_of().reached, street.record_of().explained) == ("failed", WHY[CLOSED])


@pytest.mark.parametrize(
    ("message", "outcome", "message_id"),
    [
        (Message("one"), CLOSED, "m1"),
        (Message("one"), NO_MEDIA, "m1"),
        (REMINDER, NO_MEDIA, "m1"),
        (REMINDER, "bad_payload", "m1"),
        (REMINDER, CLOSED, ""),
        (REMINDER, CLOSED, "unheard of"),
    ],
    ids=["no template", "no file", "only a template", "another failure", "no name", "another name"],
)
def test_where_nothing_else_can_be_said_the_history_tells_why(
    message: Message, outcome: str, message_id: str
) -> None:
    street = said(message)
    street.tell(message_id, outcome)
    assert street.queue == []
    assert street.record_of().receipt == ReceiptRecord("failed", NOW, WHY.get(outcome, ""))


def test_a_message_too_large_to_be_kept_cannot_be_said_again() -> None:
    street = said(REMINDER)
    (entry,) = street.history.of_turn(DIALOG, "e", 1)
    street.history.record(msgspec.structs.replace(entry, message_data={"omitted": "too many"}))
    street.tell("m1", CLOSED)
    assert street.record_of().reached == "failed"


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("failed", list(permutations(["m1", "m2", "m3"])), ids="".join)
def test_each_file_that_failed_is_said_again_as_its_address(failed: tuple[str, ...]) -> None:
    street = said(ALBUM)
    for message_id in (*failed, *failed):
        street.tell(message_id, NO_MEDIA)
        street.work()
    pictures = {"m1": "a", "m2": "b", "m3": "c"}
    assert again(street) == [f"link to picture {pictures[message_id]}" for message_id in failed]
    assert street.record_of() == DeliveryRecord(
        "sent",
        ("m5", "m6", "m7"),
        degradations=("media_as_links",),
        replaced={message_id: int(message_id[1]) - 1 for message_id in failed},
    )


def test_files_that_arrived_are_not_said_again() -> None:
    street = said(ALBUM)
    street.tell("m2", NO_MEDIA)
    street.work()
    assert again(street) == ["link to picture b"]
    assert street.record_of().message_ids == ("m1", "m3", "m5")


def test_a_link_that_fails_is_not_said_again() -> None:
    street = said(ALBUM)
    street.tell("m2", NO_MEDIA)
    street.work()
    street.tell("m5", NO_MEDIA)
    assert street.queue == []
    assert street.record_of().reached == "failed"


def test_a_message_that_is_laid_out_otherwise_by_now_is_not_guessed_at() -> None:
    street = said(ALBUM)
    street.tell("m2", NO_MEDIA)
    shorter = msgspec.structs.replace(ALBUM, text="picture b")
    street.queue[0] = msgspec.structs.replace(street.queue[0], messages=(shorter,))
    street.work()
    assert again(street) == []
    assert (street.record_of().status, street.record_of().reason) == ("failed", WHY[NO_MEDIA])


def test_a_template_takes_the_place_of_all_that_a_message_said() -> None:
    street = said(msgspec.structs.replace(ALBUM, template=REMINDER.template))
    for message_id in ("m3", "m1", "m2"):
        street.tell(message_id, CLOSED)
    street.work()
    street.tell("m1", CLOSED)
    assert again(street) == ["template reminder"]
    assert (street.record_of().status, street.record_of().message_ids) == ("sent", ("m5",))
    assert street.record_of().receipt is None


# ── Whether it is still of use ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("message", "outcome", "later", "is_said"),
    [
        (REMINDER, CLOSED, None, False),
        (REMINDER, CLOSED, Message("two"), True),  # it cannot have arrived either
        (ALBUM, NO_MEDIA, None, False),
        (ALBUM, NO_MEDIA, Message("two"), False),
        (ALBUM, NO_MEDIA, Message("refused"), True),
    ],
    ids=["answered", "went on behind the window", "a picture's question answered", "went on", "in vain"],
)
def test_what_a_dialog_has_left_behind_is_not_said_again(
    message: Message, outcome: str, later: Message | None, *, is_said: bool
) -> None:
    street = said(message)
    if later:
        street.script = [Delivery(Outcome.BAD_PAYLOAD)] * (later.text == "refused")
        street.say_later(2, later)
    else:
        street.hear(2)
    street.lines.append("---")
    street.tell("m1", outcome)
    street.work()
    assert (street.lines[-1] != "---") is is_said
    if not is_said:
        assert (street.record_of().status, street.record_of().reason) == ("failed", WHY[outcome])
        street.tell("m1", outcome)
        assert street.queue == []


def test_a_later_template_that_has_arrived_is_not_followed_by_an_earlier_one() -> None:
    street = said(REMINDER)
    street.script = [Delivery(Outcome.WINDOW_CLOSED), Delivery(Outcome.SENT, "later")]
    street.say_later(2, REMINDER)
    street.tell("m1", CLOSED)
    street.work()
    assert again(street) == ["Are you there?", "template reminder"]
    assert street.record_of().reason == WHY[CLOSED]


@pytest.mark.parametrize("is_queued", [False, True], ids=["before", "after"])
def test_what_has_arrived_is_not_said_again_whatever_is_told_of_it(*, is_queued: bool) -> None:
    street = said(REMINDER)
    if is_queued:
        street.tell("m1", CLOSED)
    street.tell("m1", status="delivered")
    street.tell("m1", CLOSED)
    street.work()
    assert again(street) == []
    assert street.record_of() == DeliveryRecord("sent", ("m1",), receipt=ReceiptRecord("delivered", NOW))


@pytest.mark.parametrize(("late", "is_said"), [(timedelta(), True), (timedelta(minutes=1), False)])
def test_nobody_is_said_again_what_nobody_expects_any_more(late: timedelta, *, is_said: bool) -> None:
    street = said(REMINDER)
    street.now += SAID_AGAIN_WITHIN + late
    street.tell("m1", CLOSED)
    street.work()
    assert again(street) == ["template reminder"] * is_said


def test_of_a_bot_that_is_not_connected_any_more_nothing_is_said_again() -> None:
    street = said(REMINDER)
    street.tell("m1", CLOSED)
    street.is_active = False
    street.work()
    assert again(street) == []
    assert street.record_of().reason == WHY[CLOSED]


def test_nobody_has_another_s_message_said_again() -> None:
    street = said(REMINDER)
    street.tell("m1", CLOSED, bot_id="another")
    assert street.queue == []


@pytest.mark.parametrize("is_deleted", [True, False], ids=["deleted", "goes on elsewhere"])
def test_a_dialog_that_is_left_is_left_in_peace(*, is_deleted: bool) -> None:
    street = said(REMINDER)
    found = street.dialogs.follow(DIALOG)
    assert found.dialog
    if is_deleted:
        street.dialogs.delete(found.dialog, Remains("e", NOW, ()))
    else:
        other = msgspec.structs.replace(found.dialog, id=DIALOG.replace("1", "2"))
        street.dialogs.join(other, None, [found])
    street.tell("m1", CLOSED)
    assert street.queue == []
    assert street.record_of().reached == "failed"


# ── Crashes and waits ────────────────────────────────────────────────────────────────────────────────


class _Death(Exception):
    pass


@dataclass
class Mortal(Street):
    """Dies at one of the calls that leave it, before it or after it."""

    dies_at: int = -1
    calls: int = 0

    def send(self, request: Request) -> Response:
        self._call()
        answer = super().send(request)
        self._call()
        return answer

    def record(self, entry: HistoryEntry) -> None:
        self._call()
        super().record(entry)
        self._call()

    def _call(self) -> None:
        self.calls += 1
        if self.calls == self.dies_at:
            raise _Death


@pytest.mark.parametrize("step", range(1, 7))
@pytest.mark.parametrize(
    ("message", "outcome", "line"),
    [(REMINDER, CLOSED, "template reminder"), (ALBUM, NO_MEDIA, "link to picture a")],
    ids=["template", "links"],
)
def test_a_sender_may_die_anywhere(step: int, message: Message, outcome: str, line: str) -> None:
    street = Mortal()
    street.deliver(message)
    street.lines.append("---")
    street.tell("m1", outcome)
    street.tell("m1", outcome)
    street.dies_at = street.calls + step
    with pytest.raises(_Death):
        street.work()
    street.tell("m1", outcome)
    street.work(is_repeat=True)
    record = street.record_of()
    lines = again(street)
    assert lines == [line] or (lines == [line] * 2 and record.possibly_doubled)
    assert (record.status, record.in_doubt, list(record.replaced)) == ("sent", False, ["m1"])


def test_what_has_to_wait_goes_on_where_it_stopped() -> None:
    street = said(REMINDER)
    street.tell("m1", CLOSED)
    street.script = [Delivery(Outcome.CHAT_LIMITED, retry_after_seconds=6)]
    with pytest.raises(Wait):
        street.work()
    assert (street.record_of().status, list(street.record_of().replaced)) == ("queued", ["m1"])
    street.work(is_repeat=True)
    assert again(street) == ["template reminder"] * 2
    assert street.record_of().status == "sent"


def test_what_was_given_up_is_said_when_it_is_redriven() -> None:
    street = said(REMINDER)
    street.tell("m1", CLOSED)
    dead = street.queue[0]
    street.script = [Delivery(Outcome.RETRY, reason="503")] * MAX_FAILURES
    for _ in range(MAX_FAILURES - 1):
        with pytest.raises(Wait):
            street.work(is_repeat=True)
    for _ in range(2):  # and told again, should we have died before it was
        assert street.sender().deliver(dead, is_repeat=True) == ("503",)
    street.queue.clear()
    assert street.record_of().status == "failed"
    street.now += 2 * SAID_AGAIN_WITHIN
    street.queue.append(msgspec.structs.replace(dead, failure="503"))
    street.work()
    assert (street.record_of().status, street.record_of().degradations) == ("sent", ("sent_as_template",))


@pytest.mark.parametrize(
    "copy", [{"reemitted": True}, {"failure": "redriven"}], ids=["emitted again", "redriven"]
)
@pytest.mark.parametrize(
    ("step", "status"),
    [
        (Delivery(Outcome.SENT, "m3"), "sent"),
        (Delivery(Outcome.BAD_PAYLOAD), "failed"),
        (AnswerLost("timeout"), "queued"),
    ],
    ids=["sent", "failed", "under way"],
)
def test_a_copy_of_the_turn_says_nothing_of_what_was_said_again(
    copy: dict[str, Any], step: Step, status: str
) -> None:
    street = said(REMINDER)
    street.tell("m1", CLOSED)
    street.script = [step]
    with suppress(Wait):
        street.work()
    assert street.statuses() == [status]
    street.deliver(REMINDER, **copy)
    assert again(street) == ["template reminder"]


def test_a_failure_of_what_may_have_gone_out_twice_is_the_known_one_s() -> None:
    street = Street([AnswerLost("timeout")])
    with pytest.raises(Wait):
        street.deliver(REMINDER)
    street.deliver(REMINDER, is_repeat=True)
    assert street.record_of().possibly_doubled
    assert street.tell("the one whose answer was lost", CLOSED)
    assert (street.queue, street.record_of().receipt) == ([], None)
    street.tell("m2", CLOSED)
    street.work()
    assert street.lines[-1] == "template reminder"


def test_a_failure_told_while_the_sender_is_at_the_message_waits_for_it_in_the_queue() -> None:
    street = Street([AnswerLost("timeout")])
    with pytest.raises(Wait):
        street.deliver(REMINDER)
    assert street.tell("the one whose answer was lost", CLOSED)
    street.deliver(REMINDER, is_repeat=True)
    street.work()
    assert street.lines == ["Are you there?"] * 2
    assert (street.record_of().status, street.record_of().receipt) == ("sent", None)


UNDER_WAY = DeliveryRecord("queued", ("c",), replaced={"a": 0, "b": 1})


@pytest.mark.parametrize(
    ("record", "message_id", "is_redriven", "goes_on"),
    [
        (UNDER_WAY, "b", False, True),
        (UNDER_WAY, "a", False, False),
        (UNDER_WAY, "c", False, False),
        (DeliveryRecord("queued", ("c", "d")), "c", False, False),
        (msgspec.structs.replace(UNDER_WAY, status="failed"), "b", False, False),
        (msgspec.structs.replace(UNDER_WAY, status="failed", attempts=20), "b", True, True),
        (msgspec.structs.replace(UNDER_WAY, status="failed"), "c", True, False),
        (msgspec.structs.replace(UNDER_WAY, status="sent"), "b", True, False),
    ],
    ids=[
        "its own",
        "one before",
        "another",
        "still being said",
        "over",
        "redriven",
        "another redriven",
        "done",
    ],
)
def test_what_goes_on_is_what_was_begun_last(
    record: DeliveryRecord, message_id: str, *, is_redriven: bool, goes_on: bool
) -> None:
    found = taken_up(record, Resend(1, "links", message_id), is_redriven=is_redriven)
    assert found == (UNDER_WAY if goes_on else None)


def test_it_is_tried_as_often_as_anything_new() -> None:
    worn_out = DeliveryRecord("sent", ("a",), attempts=MAX_FAILURES - 1)
    begun = taken_up(worn_out, Resend(1, "template", "a", "131047"), is_redriven=False)
    assert begun
    assert (begun.attempts, begun.reason) == (0, "131047")
