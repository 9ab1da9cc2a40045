"""Work that is slow or outside of us: one row says how a kind of it is done, and what giving it up means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from shared.errors import GiveUp, ParleyError, TaskFailed
from shared.observability import count
from shared.queueing.envelopes import FirstSendEnvelope, InboundEnvelope, SyncWork, TaskEnvelope, Work
from shared.queueing.giving_up import TRIES
from shared.tasks.results import TaskResult, TaskResults

NOTHING_COMES_BACK = frozenset({"fetch", "sync_run"})
"""The kinds of tasks that no dialog waits for."""

FINISHING_SECONDS = 10.0
"""What is left of an invocation for keeping and telling what a task has found out."""

LOST_AFTER_SECONDS = 45.0
"""Beyond the task's own time: whoever has not told of it by then has died."""

MOST_RECEIVES = 20
"""Whatever it is that hinders; a task that kills its worker is not tried for ever."""


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

    Where a dialog waits, it returns what that is to hear (`TaskFinished.result`), or raises `TaskFailed`,
    which is heard too; so is that it was given up, without `give_up`.
    """

    perform: Callable[[Any, Attempt], dict[str, Any] | None]
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
    """Does one piece of work, by its row in the table; a dialog that waits hears of its end in any case.

    What a dialog waits for is done once: its result is kept before it is told, and whatever is told later is
    what was kept first. `is_awaited` says whether the dialog still waits for it: it may have gone on, or have
    been deleted, and then nothing leaves for it any more. `showing` lets the person see, for as long as they
    wait, that something is being done.
    """

    jobs: Mapping[str, Job]
    inbound: Inbound
    results: TaskResults
    now: Callable[[], datetime]
    is_awaited: Callable[[TaskEnvelope], bool] = lambda _work: True
    showing: Callable[[TaskEnvelope], AbstractContextManager[None]] = lambda _work: nullcontext()

    def perform(self, work: Work, attempt: Attempt) -> None:
        """Raises what the job does, and `NoSuchJob`."""
        kind = kind_of(work)
        if kind not in self.jobs:
            raise NoSuchJob(kind)
        if isinstance(work, TaskEnvelope) and is_waited_for(work):
            self._answer(work, attempt)
        else:
            self.jobs[kind].perform(work, _in_time(work, attempt))

    def _answer(self, work: TaskEnvelope, attempt: Attempt) -> None:
        """Tell what is kept, or else find it out; of what is redriven only that it was given up."""
        result = self.results.find(work.id)
        if result is None and not self.is_awaited(work):
            return
        if result and result.given_up and not work.failure:
            raise GiveUp(result.error)
        self._tell(work, result or self.results.keep(work.id, self._result(work, attempt)))

    def _result(self, work: TaskEnvelope, attempt: Attempt) -> TaskResult:
        if work.failure:
            return TaskResult(self.now(), error="It was given up.", given_up=True)
        return self._found_out(work, attempt)

    def _found_out(self, work: TaskEnvelope, attempt: Attempt) -> TaskResult:
        """What the job brings, also where that is a failure. Raises what else the job raises."""
        if attempt.number > MOST_RECEIVES:
            raise GiveUp("It was tried too often.")
        try:
            with self.showing(work):
                job = self.jobs[work.task.kind]  # made first, perhaps: not the step's time
                found = job.perform(work, _in_time(work, _but_for_the_end(attempt)))
        except TaskFailed as failed:
            count("failed_tasks", kind=work.task.kind, bot_id=work.bot_id)
            return TaskResult(self.now(), failed.found, str(failed))
        return TaskResult(self.now(), found or {}).bounded()

    def give_up(self, work: Work, error: Exception) -> None:
        """Raises `NotAccepted`, and what the stores do: then it has to be given up again."""
        reason = words_of(error)
        if isinstance(work, TaskEnvelope) and is_waited_for(work):
            given_up = TaskResult(self.now(), error=reason, given_up=True)
            self._tell(work, self.results.keep(work.id, given_up))
        elif job := self.jobs.get(kind_of(work)):
            job.give_up(work, reason)

    def _tell(self, work: TaskEnvelope, result: TaskResult) -> None:
        self.inbound.send([result.told_to(work)])


def is_waited_for(work: TaskEnvelope) -> bool:
    """Whether its dialog waits for what comes of it."""
    return work.task.kind not in NOTHING_COMES_BACK


def lost_after(work: Work) -> float | None:
    """When another worker may take it up, where a person waits; None for as late as the queue has it."""
    if isinstance(work, TaskEnvelope) and is_waited_for(work):
        return work.task.timeout + LOST_AFTER_SECONDS
    return None


def kind_of(work: Work) -> str:
    """What the table of jobs goes by: the kind of a task, or the envelope's own name (`upload`)."""
    if isinstance(work, TaskEnvelope):
        return work.task.kind
    return str(type(work).__struct_config__.tag).partition(".")[0]


def _but_for_the_end(attempt: Attempt) -> Attempt:
    return attempt.within(attempt.seconds_left() - FINISHING_SECONDS)


def _in_time(work: Work, attempt: Attempt) -> Attempt:
    return attempt.within(work.task.timeout) if isinstance(work, TaskEnvelope) else attempt


def about(work: Work) -> dict[str, str]:
    """What a log line tells of it."""
    of = work.turn if isinstance(work, FirstSendEnvelope) else work
    known = {"kind": kind_of(work), "trace_id": of.trace_id, "bot_id": of.bot_id}
    return known if isinstance(of, SyncWork) else known | {"platform": of.platform}


def words_of(error: Exception) -> str:
    """For people: what errors of ours say; others may quote what they failed on."""
    return str(error) if isinstance(error, ParleyError) else "Something went wrong on our side."


def tries_of(error: Exception) -> int:
    """How often what fails so is tried."""
    return 1 if isinstance(error, GiveUp) else TRIES
