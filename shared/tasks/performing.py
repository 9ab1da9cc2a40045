"""Work that is slow or outside of us: one row says how a kind of it is done, and what giving it up means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.dialog.events import TaskFinished
from shared.errors import GiveUp, ParleyError
from shared.queueing.envelopes import FirstSendEnvelope, InboundEnvelope, TaskEnvelope, Work
from shared.queueing.giving_up import TRIES

NOTHING_COMES_BACK = frozenset({"fetch"})
"""The kinds of tasks that no dialog waits for."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a piece of work: the how-manieth, from 1, and how long it may take still."""

    number: int
    seconds_left: Callable[[], float]

    def within(self, seconds: float) -> Attempt:
        """The same try, if it may take no longer than so from now on."""
        beyond = max(self.seconds_left() - seconds, 0)
        return Attempt(self.number, lambda: self.seconds_left() - beyond)


@dataclass(frozen=True, slots=True)
class Job:
    """How one kind of work is done.

    `perform` may be called again for what is done, or half done. It returns once that is over, or raises:
    `Wait` to be called again, as often as it likes; `GiveUp` where repeating cannot help; anything else is
    a fault, and is tried `TRIES` times. `give_up` is told why, for people, before the work is put away.
    """

    perform: Callable[[Any, Attempt], None]
    give_up: Callable[[Any, str], None] = lambda _work, _reason: None


class Inbound(Protocol):
    """The queue towards the dialog worker."""

    def send(self, envelopes: Sequence[InboundEnvelope]) -> None: ...


class NoSuchJob(GiveUp):
    """Work that nothing here knows how to do."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"there is no worker for “{kind}”")


@dataclass(frozen=True, slots=True)
class TaskWorker:
    """Does one piece of work, by its row in the table; a dialog that waits hears of its end in any case."""

    jobs: Mapping[str, Job]
    inbound: Inbound
    now: Callable[[], datetime]

    def perform(self, work: Work, attempt: Attempt) -> None:
        """Raises what the job does, and `NoSuchJob`."""
        kind = kind_of(work)
        if kind not in self.jobs:
            raise NoSuchJob(kind)
        self.jobs[kind].perform(work, _in_time(work, attempt))

    def give_up(self, work: Work, error: Exception) -> None:
        """Raises `NotAccepted`, and what the stores do: then it has to be given up again."""
        job, reason = self.jobs.get(kind_of(work)), words_of(error)
        if job:
            job.give_up(work, reason)
        if isinstance(work, TaskEnvelope) and work.task.kind not in NOTHING_COMES_BACK:
            self.inbound.send([self._failed(work, reason)])

    def _failed(self, work: TaskEnvelope, reason: str) -> InboundEnvelope:
        now, number = self.now(), work.task.number
        name = f"task/{work.dialog_id}/{work.epoch}/{number}"
        return InboundEnvelope(
            dialog_id=work.dialog_id,
            bot_id=work.bot_id,
            platform=work.platform,
            platform_chat_id=work.platform_chat_id,
            event=TaskFinished(id=name, occurred_at=now, epoch=work.epoch, task=number, error=reason),
            received_at=now,
            trace_id=work.trace_id,
        )


def kind_of(work: Work) -> str:
    """What the table of jobs goes by: the kind of a task, or the envelope's own name (`upload`)."""
    if isinstance(work, TaskEnvelope):
        return work.task.kind
    return str(type(work).__struct_config__.tag).partition(".")[0]


def _in_time(work: Work, attempt: Attempt) -> Attempt:
    return attempt.within(work.task.timeout) if isinstance(work, TaskEnvelope) else attempt


def about(work: Work) -> dict[str, str]:
    """What a log line tells of it."""
    of = work.turn if isinstance(work, FirstSendEnvelope) else work
    return {"kind": kind_of(work), "trace_id": of.trace_id, "bot_id": of.bot_id, "platform": of.platform}


def words_of(error: Exception) -> str:
    """For people: what errors of ours say; others may quote what they failed on."""
    return str(error) if isinstance(error, ParleyError) else "Something went wrong on our side."


def tries_of(error: Exception) -> int:
    """How often what fails so is tried."""
    return 1 if isinstance(error, GiveUp) else TRIES
