"""Steps at a messenger made one after the other, and what is told of them afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.connecting.base import Answered, Connector, Reading, Step
from shared.connecting.caller import Caller, Unanswered

STEPS_WITHIN_SECONDS = 10.0
"""No step begins later than this: with the longest call it has to fit into the Lambda's time."""

_NO_TIME = Reading(Answered.LATER, "there was no time left for it")
_HEALTH = {
    Answered.DONE: "ok",
    Answered.CREDENTIAL_BAD: "bad",
    Answered.REFUSED: "bad",
    Answered.LATER: "unknown",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """A step, and what came of it."""

    step: Step
    reading: Reading


@dataclass(frozen=True, slots=True)
class Report:
    """Every step that was tried: all, or those up to the first needed one that failed."""

    taken: tuple[Taken, ...]

    @property
    def failure(self) -> Taken | None:
        """The step without which the bot does not work."""
        failed = (each for each in self.taken if each.reading.answered is not Answered.DONE)
        return next((each for each in failed if each.step.needed), None)

    @property
    def account(self) -> dict[str, str]:
        """How the messenger calls the account: what the check of the credential has found out."""
        checks = (each.reading.account for each in self.taken if each.step.name == "credential")
        return dict(next(checks, {}))

    def health(self, now: datetime, webhook_url: str) -> dict[str, Any]:
        """What is kept with the credential; `webhook_url` is what the messenger calls from now on, "" for
        nothing. Where something failed that is not known.
        """
        failed = self.failure
        told = {"status": "ok", "detail": ""} if failed is None else told_of(failed)
        where = {"webhook_url": webhook_url} if failed is None else {}
        return {**told, "checked_at": now.isoformat(), **where}


def told_of(failed: Taken) -> dict[str, str]:
    """A failure in the words of `health`."""
    status = _HEALTH[failed.reading.answered]
    return {"status": status, "detail": f"{failed.step.name}: {failed.reading.detail}"}


def perform(
    connector: Connector,
    steps: Iterable[Step],
    caller: Caller,
    is_late: Callable[[], bool] = lambda: False,
) -> Report:
    """Do the steps until a needed one fails; none is begun once it `is_late`."""
    taken: list[Taken] = []
    for step in steps:
        taken.append(Taken(step, _read(connector, step, caller, is_late)))
        if step.needed and taken[-1].reading.answered is not Answered.DONE:
            break
    return Report(tuple(taken))


def late_after(
    seconds: float = STEPS_WITHIN_SECONDS, clock: Callable[[], float] = time.monotonic
) -> Callable[[], bool]:
    """Tells whether so many seconds have passed since now."""
    until = clock() + seconds
    return lambda: clock() > until


def _read(connector: Connector, step: Step, caller: Caller, is_late: Callable[[], bool]) -> Reading:
    if is_late():
        return _NO_TIME
    try:
        return connector.read(caller(step.call))
    except Unanswered as error:
        return Reading(Answered.LATER, f"no answer ({error})")
