"""Every error Parley raises on purpose, sorted by what the caller should do about it.

ParleyError
├── Refused            answer the caller: what was asked cannot be done
│   ├── NotFound
│   │   └── NoSuchBot
│   ├── Unauthenticated
│   ├── Forbidden
│   ├── Conflict
│   ├── Invalid
│   └── TooLarge
├── Again              load anew and repeat at once
│   ├── ConcurrentTurn
│   └── UploadLost
├── Later              put it back and try after a while
│   ├── NotAccepted
│   ├── Unavailable
│   ├── NotAnswered
│   └── Wait
├── TaskFailed         tell the dialog that waits: an ordinary outcome
└── GiveUp             repeating cannot help
    ├── UnreadableUpdate
    ├── AddressRefused
    ├── AnswerTooLarge
    ├── ScenarioUnusable
    ├── BadSchema
    └── EventNotApplicable
        └── DialogTooLarge

`shared.admin_api.problems` maps the first branch (and `Unavailable`) to HTTP answers, the workers map
the others to queue decisions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class ParleyError(Exception):
    """The root; never raised itself."""


class Refused(ParleyError):
    """The request cannot be fulfilled, and its sender should be told why."""


class NotFound(Refused):
    """It does not exist, or is not the caller's: the two look alike on purpose."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} not found")
        self.what = what


class NoSuchBot(NotFound):
    """The bot was deleted, or has never been: nothing may be done in its name."""

    def __init__(self) -> None:
        super().__init__("bot")


class Unauthenticated(Refused):
    """No proof of identity, or one that does not hold."""


class Forbidden(Refused):
    """The caller is known, but their role does not reach this far."""


class Conflict(Refused):
    """It collides with something that already exists."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with an input: where (a JSON pointer), what, and a stable code."""

    pointer: str
    message: str
    code: str = "invalid"


class Invalid(Refused):
    """The input breaks its schema; carries every violation found, not only the first."""

    def __init__(self, detail: str, violations: Sequence[Violation] = ()) -> None:
        super().__init__(detail)
        self.violations = tuple(violations)


class TooLarge(Refused):
    """More bytes than are taken here; the advice says what to do instead."""

    def __init__(self, limit_bytes: int, advice: str = "") -> None:
        super().__init__(f"at most {limit_bytes} bytes are taken here{advice and f': {advice}'}")
        self.limit_bytes = limit_bytes


class Again(ParleyError):
    """Somebody else was faster; repeating at once is the cure."""


class ConcurrentTurn(Again):
    """The dialog has moved on since it was loaded."""

    def __init__(self, dialog_id: str) -> None:
        super().__init__(f"dialog {dialog_id} was changed by another turn")
        self.dialog_id = dialog_id


class UploadLost(Again):
    """The store knows nothing of an upload under way: it was too old, or is a file already."""

    def __init__(self) -> None:
        super().__init__("the upload is gone")


class Later(ParleyError):
    """A passing fault; the same call may succeed after a while."""


class NotAccepted(Later):
    """A queue did not accept every message of a batch."""

    def __init__(self, queue: str, reasons: Sequence[str]) -> None:
        super().__init__(f"{queue} did not accept {len(reasons)} message(s): {', '.join(reasons)}")
        self.queue = queue
        self.reasons = tuple(reasons)


class Unavailable(Later):
    """Something this depends on does not answer; the caller may come back in a while."""

    def __init__(self, what: str, retry_after_seconds: int) -> None:
        super().__init__(f"{what} is not available at the moment")
        self.what = what
        self.retry_after_seconds = retry_after_seconds


class NotAnswered(Later):
    """An address that somebody has named gave no answer, or not the whole of one; says the kind of fault."""


class Wait(Later):
    """Put it back for so many seconds: somebody told us when to come again, or a backoff says so."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(f"waiting {seconds:.0f} s: {reason}")
        self.seconds = seconds
        self.reason = reason


class TaskFailed(ParleyError):
    """A task of a dialog came to nothing in an ordinary way (nobody answers, it is not there).

    Says why, for people: the dialog hears it and goes another way, and nothing is tried again. `found` is
    what is to be known of it all the same.
    """

    def __init__(self, reason: str, found: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.found = dict(found or {})


class GiveUp(ParleyError):
    """Repeating cannot help; keep the input where a person will find it."""


class UnreadableUpdate(GiveUp):
    """An authentic update that our parser does not understand."""


class AddressRefused(GiveUp):
    """Nothing is asked for at an address that somebody has named; says why, and never the address."""


class AnswerTooLarge(GiveUp):
    """An address that somebody has named answers with more than is taken."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"the answer is larger than {limit_bytes // 1000} KB")


class ScenarioUnusable(GiveUp):
    """A saved scenario that our compiler cannot digest: a fault of ours."""


class BadSchema(GiveUp):
    """A JSON schema that an author wrote cannot be used; says why."""


@dataclass
class EventNotApplicable(GiveUp):
    """The engine failed on an event before anything was committed: a fault of ours."""

    dialog_id: str
    turn: int
    reason: str = field(default="")

    def __str__(self) -> str:
        return f"dialog {self.dialog_id} at turn {self.turn}: {self.reason}"


class DialogTooLarge(EventNotApplicable):
    """A dialog with what its turn wants has grown beyond what can be kept."""
