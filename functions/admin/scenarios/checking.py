"""What is told about a scenario document: its form decides if it can be saved, its meaning if it can run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import msgspec

from shared.admin_api.problems import Problem, ProblemError
from shared.errors import Invalid, Violation
from shared.scenario.document import read
from shared.scenario.linter import Finding, lint

FIELD = "/scenario_data"
"""Where the document stands in a body, and in a scenario that is shown."""


@contextmanager
def pointing_into_the_body() -> Iterator[None]:
    """Around what takes a document: what it says of places in the document, it says of the body."""
    try:
        yield
    except Invalid as error:
        moved = [replace(violation, pointer=FIELD + violation.pointer) for violation in error.violations]
        raise Invalid(str(error), moved) from None


def findings_of(document: dict[str, Any]) -> tuple[Finding, ...]:
    """What the linter finds in a document. Raises `Invalid` if it is not in the language's form."""
    with pointing_into_the_body():
        read(document)
    return lint(document)


def findings_of_saved(document: dict[str, Any]) -> tuple[Finding, ...]:
    """As `findings_of`, for one that was saved: the language may have grown stricter since."""
    try:
        read(document)
    except Invalid as error:
        return tuple(
            Finding(
                severity="error", code=violation.code, message=violation.message, pointer=violation.pointer
            )
            for violation in error.violations
        )
    return lint(document)


def require_runnable(findings: tuple[Finding, ...]) -> None:
    """Refuse a scenario with errors: a 422 that lists them, and the warnings with them."""
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        detail = f"The scenario cannot run yet: {len(errors)} of its findings are errors."
        violations = [Violation(FIELD + error.pointer, error.message, error.code) for error in errors]
        raise ProblemError(
            Problem("invalid", detail, violations, more={"findings": msgspec.to_builtins(findings)})
        )
