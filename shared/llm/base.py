"""What a model is asked and what it says, in no vendor's terms. A provider speaks one vendor's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from shared.tasks.retrying import TryAgain

Role = Literal["system", "user", "assistant"]

End = Literal["done", "too_long", "filtered", "refused"]
"""Why a model stopped: it was done; it was cut off; its vendor, or it itself, would not say more."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message of those that a model reads."""

    role: Role
    words: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """The JSON that an answer has to be.

    `exact`: the schema is our own, in the subset to which vendors can hold a model; `near`: an author's,
    which a vendor may only try to follow; `told`: one that means nothing outside of the instructions.
    """

    schema: Mapping[str, Any]
    held: Literal["exact", "near", "told"]


@dataclass(frozen=True, slots=True)
class Question:
    """All that a model is asked with; without a `form` it answers in words."""

    model: str
    messages: tuple[Said, ...]
    form: Form | None = None
    max_tokens: int | None = None
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model said, and what that cost. `model` is who said it, as the vendor names it."""

    words: str = field(repr=False)
    end: End
    model: str
    prompt_tokens: int
    completion_tokens: int


class AnswerLost(TryAgain):
    """The model was asked, and its answer did not arrive: it is paid for all the same."""


class Provider(Protocol):
    """Speaks to the models of one vendor, as one bot."""

    def ask(self, question: Question, seconds_left: Callable[[], float]) -> Completion:
        """One answer, within the time.

        Raises `TryAgain` (`AnswerLost`) for a passing fault, and `TaskFailed` for one that would come again;
        neither quotes what was asked.
        """
        ...
