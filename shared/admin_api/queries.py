"""What an address takes in its query. Anything else is refused: a misspelt filter would filter nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant

from shared.admin_api.problems import pointer
from shared.errors import Invalid, Violation


def parameters_of(dependant: Dependant) -> list[str]:
    """The names that a route and all that it depends on take in the query."""
    return sorted(set(_names_in(dependant)))


def _names_in(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _names_in(inner)


def require_taken(request: Request, names: Collection[str]) -> None:
    """Raises `Invalid` for every other name in the request's query."""
    taken = ", ".join(names) or "nothing there"
    words = f"In the query: there is no such parameter here; this address takes {taken}."
    others = [name for name in request.query_params if name not in names]
    if others:
        violations = [Violation(pointer([name]), words, "extra_forbidden") for name in others]
        raise Invalid("The request is not valid; every reason is listed in errors.", violations)
