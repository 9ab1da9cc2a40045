"""Problem documents (RFC 9457): every answer of the admin API that is not a success."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from shared.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    ParleyError,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Violation,
)

MEDIA_TYPE: Final = "application/problem+json"

KINDS: Final[Mapping[str, tuple[int, str]]] = {
    "bad-request": (400, "The request cannot be read"),
    "not-json": (400, "The body is not JSON"),
    "unauthenticated": (401, "Not authenticated"),
    "forbidden": (403, "The role does not reach this far"),
    "not-found": (404, "Not found"),
    "method-not-allowed": (405, "The method is not allowed here"),
    "conflict": (409, "In conflict with what is there"),
    "under-way": (409, "The same request is under way"),
    "changed": (412, "Changed by somebody else"),
    "too-large": (413, "The body is too large"),
    "invalid": (422, "Not valid"),
    "key-reused": (422, "The Idempotency-Key is another request's"),
    "internal": (500, "Something went wrong here"),
    "unavailable": (503, "Not available at the moment"),
}
"""Status and title of every kind; a kind is the last part of a problem's `type`."""

MAX_ERRORS: Final = 500
"""As many are told; an answer has to fit through Lambda (6 MB)."""

_REFUSALS: Final[Mapping[type[ParleyError], str]] = {
    Unauthenticated: "unauthenticated",
    Forbidden: "forbidden",
    NotFound: "not-found",
    Conflict: "conflict",
    TooLarge: "too-large",
    Invalid: "invalid",
    Unavailable: "unavailable",
}
_HTTP: Final = {400: "bad-request", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}
_WORDS: Final = {
    "extra_forbidden": "There is no such field here.",
    "missing": "This is required.",
    "model_type": "This has to be an object.",
    "model_attributes_type": "This has to be an object.",
    "dict_type": "This has to be an object.",
}


_NAME_OF_A_FIELD: Final = "[key]"
"""How pydantic marks that the name of a field is wrong; a pointer leads to the field."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is told to the caller. `more` holds members beyond those of every problem."""

    kind: str
    detail: str
    errors: Sequence[Violation] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    def answer(self) -> Response:
        status, title = KINDS[self.kind]
        document = {
            "type": f"urn:parley:problem:{self.kind}",
            "title": title,
            "status": status,
            "detail": self.detail,
            "errors": [asdict(violation) for violation in self.errors[:MAX_ERRORS]],
            **self.more,
        }
        return JSONResponse(document, status, dict(self.headers), MEDIA_TYPE)


class ProblemError(Exception):
    """A problem that has no error of the domain; raised by routes and their dependencies."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def problem_of(error: Exception) -> Problem | None:
    """What to tell about an error raised on purpose; None for any other, which is nobody's business."""
    match error:
        case ProblemError(problem=problem):
            return problem
        case RequestValidationError():
            return _of_validation(error.errors(), error.body)
        case HTTPException():
            return _of_http(error)
        case ParleyError():
            return _of_refusal(error)
    return None


def _of_refusal(error: ParleyError) -> Problem | None:
    kind = next((_REFUSALS[cls] for cls in type(error).__mro__ if cls in _REFUSALS), None)
    if kind is None:
        return None
    errors = error.violations if isinstance(error, Invalid) else ()
    return Problem(kind, _sentence(str(error)), errors, _headers_of(error))


def _headers_of(error: ParleyError) -> dict[str, str]:
    match error:
        case Unavailable(retry_after_seconds=seconds):
            return {"Retry-After": str(seconds)}
        case Unauthenticated():
            return {"WWW-Authenticate": 'Bearer realm="parley", error="invalid_token"'}
    return {}


def _of_http(error: HTTPException) -> Problem:
    kind = _HTTP.get(error.status_code, "bad-request")
    details = {
        "not-found": "There is nothing at this address.",
        "method-not-allowed": "See the header Allow.",
    }
    return Problem(kind, details.get(kind, KINDS[kind][1] + "."), headers=error.headers or {})


def _of_validation(findings: Sequence[Mapping[str, Any]], body: Any) -> Problem:
    if any(finding["type"] == "json_invalid" for finding in findings):
        return Problem("not-json", _sentence(str(findings[0]["ctx"]["error"])))
    if any(finding["loc"][0] == "path" for finding in findings):
        return Problem("not-found", "There is nothing at this address.")
    errors = [_violation({**finding, "loc": [*_in_body(finding["loc"], body)]}) for finding in findings]
    return Problem("invalid", "The request is not valid; every reason is listed in errors.", errors)


def _in_body(where: Sequence[str | int], body: Any) -> Iterator[str | int]:
    """The way to a finding without the names of models among its steps: which one a `type` has chosen."""
    place, *steps = where
    yield place
    for left, step in zip(reversed(range(len(steps))), steps, strict=True):
        is_there = not isinstance(body, dict) or step in body
        if is_there or not left:
            yield step
        if is_there:
            body = _inner(body, step)


def _inner(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (LookupError, TypeError):
        return None


def violations_of(error: ValidationError, *where: str | int) -> list[Violation]:
    """What is wrong with a part of the body that lies at `where`."""
    findings = error.errors(include_url=False, include_input=False)
    return [_violation({**finding, "loc": ("body", *where, *finding["loc"])}) for finding in findings]


def _violation(finding: Mapping[str, Any]) -> Violation:
    """A finding of pydantic in our words; its message never repeats the input."""
    where, *path = (part for part in finding["loc"] if part != _NAME_OF_A_FIELD)
    code = str(finding["type"])
    message = _WORDS.get(code) or _sentence(str(finding["msg"]).removeprefix("Value error, "))
    if where != "body":
        message = f"In the {where}: {message}"
    return Violation(pointer(path), message, code)


def pointer(path: Iterable[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")


async def answer_error(_: Request, error: Exception) -> Response:
    """The exception handler of every app."""
    problem = problem_of(error)
    if problem is None:
        raise error
    return problem.answer()
