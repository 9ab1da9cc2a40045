"""ETags: which version of an object somebody saw, so that no one's change is lost unseen (RFC 9110, 13.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from shared.admin_api.problems import Problem, ProblemError
from shared.errors import Conflict


def etag_of(view: BaseModel) -> str:
    """A strong tag of everything the object shows."""
    return f'"{hashlib.sha256(view.model_dump_json().encode()).hexdigest()[:32]}"'


def tag(response: Response, view: BaseModel) -> None:
    response.headers["ETag"] = etag_of(view)


@dataclass(frozen=True, slots=True)
class IfMatch:
    """The header of that name, if it was sent."""

    tags: frozenset[str] | None

    def __bool__(self) -> bool:
        """Whether the caller says which version the change is for."""
        return self.tags is not None

    def check(self, current: BaseModel | None) -> None:
        """Refuse a change that was meant for another version of the object, or for one where none is."""
        meant = set() if current is None else {"*", etag_of(current)}
        if self.tags is not None and not self.tags & meant:
            raise changed()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Around the write: one that was overtaken since the check is a failed precondition too."""
        try:
            yield
        except Conflict:
            if self.tags is None:
                raise
            raise changed() from None


def _if_match(header: Annotated[str | None, Header(alias="If-Match")] = None) -> IfMatch:
    if header is None:
        return IfMatch(None)
    return IfMatch(frozenset(part.strip() for part in header.split(",")))


def changed() -> ProblemError:
    """412: the version that the caller named is no longer the current one."""
    return ProblemError(
        Problem("changed", "It was changed since you read it; read it again, then change that.")
    )


AS_KNOWN: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "It is as you know it"}}
"""What the document tells of an answer to `If-None-Match`."""


def unless_known(request: Request, response: Response) -> Response:
    """304 in place of an object that the caller, as `If-None-Match` tells, has in this very version."""
    known, etag = request.headers.get("if-none-match"), response.headers.get("etag")
    if known is None or etag is None or (request.method, response.status_code) != ("GET", 200):
        return response
    tags = {part.strip().removeprefix("W/") for part in known.split(",")}
    return Response(status_code=304, headers={"ETag": etag}) if tags & {"*", etag} else response


IfMatchSent = Annotated[IfMatch, Depends(_if_match)]
