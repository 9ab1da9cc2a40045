"""The table of jobs, and what becomes of work that nobody can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.dialog.events import TaskFinished
from shared.dialog.state import Task, TaskKind
from shared.errors import GiveUp, Wait
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
from shared.tasks.performing import Attempt, Job, NoSuchJob, TaskWorker, about, kind_of, tries_of

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


def a_task(kind: TaskKind = "fetch") -> TaskEnvelope:
    return TaskEnvelope(
        dialog_id="d",
        epoch="e",
        bot_id="b",
        platform="telegram",
        platform_chat_id="42",
        task=Task(number=7, kind=kind, request={}, timeout=60),
        trace_id="t",
    )


@dataclass
class Inbound:
    sent: list[InboundEnvelope] = field(default_factory=list)

    def send(self, envelopes: Sequence[InboundEnvelope]) -> None:
        self.sent += envelopes


def worker(**jobs: Job) -> tuple[TaskWorker, Inbound]:
    inbound = Inbound()
    return TaskWorker(jobs, inbound, lambda: NOON), inbound


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


@pytest.mark.parametrize("kind", ["llm", "http", "sync", "understand"])
def test_a_dialog_that_waits_hears_of_the_failure_under_one_name(kind: TaskKind) -> None:
    by_kind, inbound = worker()

    for _ in range(2):
        by_kind.give_up(a_task(kind), GiveUp("no worker"))

    first, again = inbound.sent
    assert first == again
    assert (first.dialog_id, first.bot_id, first.platform_chat_id) == ("d", "b", "42")
    assert first.event == TaskFinished(
        id="task/d/e/7", occurred_at=NOON, epoch="e", task=7, error="no worker"
    )


@pytest.mark.parametrize(
    ("error", "tries"),
    [(NoSuchJob("llm"), 1), (GiveUp("no"), 1), (KeyError("x"), TRIES), (Wait(1, ""), TRIES)],
)
def test_only_where_repeating_cannot_help_one_try_is_enough(error: Exception, tries: int) -> None:
    assert tries_of(error) == tries
