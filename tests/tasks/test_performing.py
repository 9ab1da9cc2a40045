"""The table of jobs, and what becomes of work that nobody can do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from shared.dialog.events import TaskFinished
from shared.dialog.state import Task, TaskKind
from shared.errors import GiveUp, TaskFailed, Wait
from shared.queueing.envelopes import (
    FirstSendEnvelope,
    InboundEnvelope,
    MenuEnvelope,
    OutboundEnvelope,
    TaskEnvelope,
    UploadEnvelope,
    Work,
)
from shared.queueing.giving_up import TRIES
from shared.storage.memory import MemoryTaskResults
from shared.tasks.performing import (
    FINISHING_SECONDS,
    LOST_AFTER_SECONDS,
    MOST_RECEIVES,
    Attempt,
    Job,
    NoSuchJob,
    TaskWorker,
    about,
    kind_of,
    lost_after,
    tries_of,
)
from shared.tasks.results import MAX_RESULT_BYTES

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ATTEMPT = Attempt(1, lambda: 100.0)
TURN = OutboundEnvelope(
    dialog_id="d",
    epoch="e",
    turn=1,
    bot_id="b",
    platform="telegram",
    platform_chat_id="42",
    messages=(),
    trace_id="t",
)


WAITED_FOR: list[TaskKind] = ["llm", "http", "sync", "understand", "contact"]
NOT_WAITED_FOR: list[TaskKind] = ["fetch", "sync_run"]


def a_task(kind: TaskKind = "fetch") -> TaskEnvelope:
    return TaskEnvelope(
        dialog_id="d",
        epoch="e",
        bot_id="b",
        platform="telegram",
        platform_chat_id="42",
        task=Task(number=7, kind=kind, request={}, timeout=60),
        trace_id="t",
        last_message_id="wamid.1",
    )


@dataclass
class Inbound:
    sent: list[InboundEnvelope] = field(default_factory=list)

    def send(self, envelopes: Sequence[InboundEnvelope]) -> None:
        self.sent += envelopes


def worker(**jobs: Job) -> tuple[TaskWorker, Inbound]:
    inbound = Inbound()
    return TaskWorker(jobs, inbound, MemoryTaskResults(), lambda: NOON), inbound


def told(**found: Any) -> TaskFinished:
    """What the dialog of `a_task` hears."""
    return TaskFinished(id="task/d/e/7", occurred_at=NOON, epoch="e", task=7, **found)


@pytest.mark.parametrize(
    ("work", "kind"),
    [
        (a_task("fetch"), "fetch"),
        (a_task("llm"), "llm"),
        (UploadEnvelope(bot_id="b", platform="telegram", media_id="m", trace_id="t"), "upload"),
        (FirstSendEnvelope(turn=TURN, n=1), "first_send"),
        (MenuEnvelope(bot_id="b", platform="telegram", trace_id="t"), "menu"),
    ],
)
def test_each_kind_of_work_goes_to_its_own_row(work: Work, kind: str) -> None:
    done: list[Any] = []
    by_kind, _ = worker(**{kind: Job(lambda given, attempt: done.append((given, attempt)))})

    by_kind.perform(work, ATTEMPT)

    assert kind_of(work) == kind
    assert about(work) == {"kind": kind, "trace_id": "t", "bot_id": "b", "platform": "telegram"}
    ((given, attempt),) = done
    assert (given, attempt.number) == (work, 1)
    assert attempt.seconds_left() == (60 if isinstance(work, TaskEnvelope) else 100)


@pytest.mark.parametrize(("left", "seconds", "then"), [(100, 60, 50), (30, 60, 20), (5, 60, -5)])
def test_a_task_has_its_own_time_and_never_more_than_there_is(left: int, seconds: int, then: int) -> None:
    clock = [left]
    attempt = Attempt(1, lambda: clock[0]).within(seconds)
    assert attempt.seconds_left() == min(left, seconds)
    clock[0] -= 10
    assert attempt.seconds_left() == then


def test_work_without_a_row_is_given_up() -> None:
    by_kind, _ = worker()
    with pytest.raises(NoSuchJob, match="there is no worker for “llm”"):
        by_kind.perform(a_task("llm"), ATTEMPT)


@pytest.mark.parametrize("kind", WAITED_FOR)
def test_a_dialog_hears_what_its_task_has_found_out(kind: TaskKind) -> None:
    by_kind, inbound = worker(**{kind: Job(lambda *_: {"text": "warm"})})
    by_kind.perform(a_task(kind), ATTEMPT)
    assert [each.event for each in inbound.sent] == [told(result={"text": "warm"})]


def test_an_ordinary_failure_is_a_result_and_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: Any) -> None:
        raise TaskFailed("The model does not answer.")

    by_kind, inbound = worker(llm=Job(fail))
    by_kind.perform(a_task("llm"), ATTEMPT)
    assert [each.event for each in inbound.sent] == [told(error="The model does not answer.")]
    (counted,) = map(msgspec.json.decode, capsys.readouterr().out.splitlines())
    assert (counted["failed_tasks"], counted["kind"], counted["bot_id"]) == (1, "llm", "b")


def test_a_job_that_has_to_be_made_first_has_its_whole_time_all_the_same() -> None:
    clock, left = [100.0], []

    class Made(dict[str, Job]):
        def __getitem__(self, kind: str) -> Job:
            clock[0] -= 5
            return super().__getitem__(kind)

    by_kind, _ = worker()
    jobs = Made(llm=Job(lambda _, attempt: left.append(attempt.seconds_left())))
    task = a_task("llm")
    replace(by_kind, jobs=jobs).perform(task, Attempt(1, lambda: clock[0]))
    assert left == [task.task.timeout]


def test_what_cannot_be_told_at_once_is_not_found_out_again() -> None:
    answers = iter(({"text": "warm"}, {"text": "cold"}))
    by_kind, inbound = worker(llm=Job(lambda *_: next(answers)))
    for _ in range(2):
        by_kind.perform(a_task("llm"), ATTEMPT)
    assert [each.event for each in inbound.sent] == [told(result={"text": "warm"})] * 2


def test_what_was_found_out_is_told_though_it_is_given_up_later() -> None:
    by_kind, inbound = worker(llm=Job(lambda *_: {"text": "warm"}))
    by_kind.perform(a_task("llm"), ATTEMPT)
    by_kind.give_up(a_task("llm"), GiveUp("the queue is down"))
    assert inbound.sent[-1].event == told(result={"text": "warm"})


def test_what_was_given_up_is_given_up_again_until_it_is_put_away() -> None:
    done: list[Any] = []
    by_kind, inbound = worker(llm=Job(lambda *given: done.append(given)))
    by_kind.give_up(a_task("llm"), GiveUp("the model is gone"))
    with pytest.raises(GiveUp, match="the model is gone"):
        by_kind.perform(a_task("llm"), ATTEMPT)
    assert (done, len(inbound.sent)) == ([], 1)


def test_a_task_that_is_redriven_is_not_done_again_for_a_dialog_that_has_gone_on() -> None:
    done: list[Any] = []
    by_kind, inbound = worker(llm=Job(lambda *given: done.append(given)))
    by_kind.perform(msgspec.structs.replace(a_task("llm"), failure="KeyError"), ATTEMPT)
    assert done == []
    assert [each.event for each in inbound.sent] == [told(error="It was given up.")]


def test_a_redriven_task_that_has_a_result_tells_of_it_once_more() -> None:
    by_kind, inbound = worker(llm=Job(lambda *_: {"text": "warm"}))
    by_kind.give_up(a_task("llm"), GiveUp("the model is gone"))
    by_kind.perform(msgspec.structs.replace(a_task("llm"), failure="GiveUp"), ATTEMPT)
    assert [each.event for each in inbound.sent] == [told(error="the model is gone")] * 2


@pytest.mark.parametrize("kind", NOT_WAITED_FOR)
def test_nothing_comes_back_to_a_dialog_that_does_not_wait(kind: TaskKind) -> None:
    by_kind, inbound = worker(**{kind: Job(lambda *_: None)})
    by_kind.perform(a_task(kind), ATTEMPT)
    by_kind.give_up(a_task(kind), GiveUp("no"))
    assert inbound.sent == []


def test_nothing_leaves_for_a_dialog_that_waits_no_more() -> None:
    done: list[Any] = []
    by_kind, inbound = worker(llm=Job(lambda *given: done.append(given)))
    replace(by_kind, is_awaited=lambda work: work.dialog_id != "d").perform(a_task("llm"), ATTEMPT)
    assert (done, inbound.sent) == ([], [])


def test_more_than_a_dialog_can_hold_is_a_failure() -> None:
    by_kind, inbound = worker(http=Job(lambda *_: {"body": "x" * MAX_RESULT_BYTES}))
    by_kind.perform(a_task("http"), ATTEMPT)
    assert [each.event for each in inbound.sent] == [told(error="What came back is too large to be kept.")]


@pytest.mark.parametrize(("kind", "has"), [("llm", 20 - FINISHING_SECONDS), ("sync_run", 20)])
def test_a_task_that_is_waited_for_leaves_time_to_tell_of_it(kind: TaskKind, has: float) -> None:
    left: list[float] = []
    by_kind, _ = worker(**{kind: Job(lambda _, attempt: left.append(attempt.seconds_left()))})
    by_kind.perform(a_task(kind), Attempt(1, lambda: 20.0))
    assert left == [has]


def test_a_task_s_time_begins_when_its_job_is_made() -> None:
    clock, left = [100.0], []

    class Slow(dict[str, Job]):
        def __getitem__(self, kind: str) -> Job:
            clock[0] -= 30
            return super().__getitem__(kind)

    def perform(_work: TaskEnvelope, attempt: Attempt) -> None:
        left.append(attempt.seconds_left())

    by_kind, _ = worker()
    slow = replace(by_kind, jobs=Slow(llm=Job(perform)))
    slow.perform(a_task("llm"), Attempt(1, lambda: clock[0]))
    assert left == [60]


@pytest.mark.parametrize(
    ("work", "seconds"),
    [
        (a_task("llm"), 60 + LOST_AFTER_SECONDS),
        (a_task("sync_run"), None),
        (MenuEnvelope(bot_id="b", platform="telegram", trace_id="t"), None),
    ],
)
def test_only_what_a_person_waits_for_is_soon_taken_for_lost(work: Work, seconds: float | None) -> None:
    assert lost_after(work) == seconds


def test_a_task_that_kills_its_worker_is_not_tried_for_ever() -> None:
    by_kind, _ = worker(llm=Job(lambda *_: {"text": "warm"}))
    with pytest.raises(GiveUp, match="tried too often"):
        by_kind.perform(a_task("llm"), Attempt(MOST_RECEIVES + 1, lambda: 100.0))


def test_the_person_is_shown_that_something_is_done_while_it_is() -> None:
    shown: list[str] = []

    @contextmanager
    def showing(work: TaskEnvelope) -> Iterator[None]:
        shown.append(work.task.kind)
        yield
        shown.append("over")

    by_kind, _ = worker(llm=Job(lambda *_: shown.append("done")))
    showing_worker = replace(by_kind, showing=showing)
    for _ in range(2):
        showing_worker.perform(a_task("llm"), ATTEMPT)
    assert shown == ["llm", "done", "over"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (GiveUp("Telegram is down."), "Telegram is down."),
        (KeyError("4321"), "Something went wrong on our side."),
    ],
)
def test_giving_up_is_told_to_the_job_with_the_reason_for_people(error: Exception, reason: str) -> None:
    told: list[Any] = []
    by_kind, inbound = worker(fetch=Job(lambda *_: None, lambda *given: told.append(given)))

    by_kind.give_up(a_task("fetch"), error)

    assert told == [(a_task("fetch"), reason)]
    assert inbound.sent == []


def test_a_dialog_hears_of_its_end_though_nobody_can_make_the_job() -> None:
    class Broken(dict[str, Job]):
        def get(self, *_: Any) -> Any:
            raise ImportError("openai")

    by_kind, inbound = worker()
    replace(by_kind, jobs=Broken(llm=Job(lambda *_: {}))).give_up(a_task("llm"), ImportError("openai"))
    assert [each.event for each in inbound.sent] == [told(error="Something went wrong on our side.")]


@pytest.mark.parametrize("kind", WAITED_FOR)
def test_a_dialog_that_waits_hears_of_the_failure_under_one_name(kind: TaskKind) -> None:
    by_kind, inbound = worker()

    for _ in range(2):
        by_kind.give_up(a_task(kind), GiveUp("no worker"))

    first, again = inbound.sent
    assert first == again
    assert (first.dialog_id, first.bot_id, first.platform_chat_id) == ("d", "b", "42")
    assert first.last_message_id == "wamid.1"
    assert first.event == told(error="no worker")


@pytest.mark.parametrize(
    ("error", "tries"),
    [(NoSuchJob("llm"), 1), (GiveUp("no"), 1), (KeyError("x"), TRIES), (Wait(1, ""), TRIES)],
)
def test_only_where_repeating_cannot_help_one_try_is_enough(error: Exception, tries: int) -> None:
    assert tries_of(error) == tries
