"""The contract between Parley and what registers its webhook at a messenger."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

from shared.connecting.menus import Menus
from shared.credential import Credential
from shared.platforms import answers
from shared.platforms.base import Response

_LIKE_A_SECRET = re.compile(r"[^\s/]{24,}")

StepName = Literal["credential", "subscription", "webhook", "menu"]


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call to a messenger's API. `url` and `headers` may hold a token: never log them."""

    method: Literal["GET", "POST"]
    url: str = field(repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to be done at a messenger.

    `proof` names the field of the credential that a refusal speaks against. Without a step that is not
    `needed` the bot works too.
    """

    name: StepName
    call: Call
    proof: str = ""
    needed: bool = True


class Answered(StrEnum):
    """What a messenger made of a call: a bad credential is refused everywhere, a bad request at this call."""

    DONE = "done"
    CREDENTIAL_BAD = "credential_bad"
    REFUSED = "refused"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer says; `account` is how the messenger calls the account that the credential is of.

    `detail` is for people, and holds nothing that was sent.
    """

    answered: Answered
    detail: str = ""
    account: Mapping[str, str] = field(default_factory=dict)
    retry_after_seconds: float | None = None


class Connector(Protocol):
    """One messenger. Every method is pure and total."""

    def connecting(self, credential: Credential, webhook_url: str, menus: Menus | None) -> tuple[Step, ...]:
        """Check the credential, and have updates sent to the address; in this order, all idempotent.

        None for `menus` leaves them as they are.
        """
        ...

    def disconnecting(self, credential: Credential) -> tuple[Step, ...]:
        """Have no more updates sent."""
        ...

    def listing(self, credential: Credential, menus: Menus, former: Sequence[str]) -> tuple[Step, ...]:
        """Have these menus shown, where there are any, and none in the other languages of `former`."""
        ...

    def read(self, response: Response) -> Reading:
        """Sort a messenger's answer, whatever it is."""
        ...


def reason(code: object, words: object) -> str:
    """A line for people: the code and what the messenger said. Some quote the token that they refuse."""
    return answers.reason(code, _LIKE_A_SECRET.sub("…", words) if isinstance(words, str) else words)
