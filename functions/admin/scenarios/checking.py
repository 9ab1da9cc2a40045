"""What is told about a scenario document: its form decides if it can be saved, its meaning if it can run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from shared.errors import Invalid, Violation
from shared.scenario.document import read
from shared.scenario.linter import Finding, Library, lint

FIELD = "/scenario_data"
"""Where the document stands in a body, and in a scenario that is shown."""

Document = Mapping[str, Any]
Findings = tuple[Finding, ...]


@contextmanager
def pointing_into_the_body() -> Iterator[None]:
    """Around what takes a document: what it says of places in the document, it says of the body."""
    try:
        yield
    except Invalid as error:
        moved = [replace(violation, pointer=FIELD + violation.pointer) for violation in error.violations]
        raise Invalid(str(error), moved) from None


def require_form(document: Any) -> None:
    """Raises `Invalid` for what is not in the language's form."""
    with pointing_into_the_body():
        read(document)


def findings_of_form(document: Any) -> Findings:
    """What is wrong with the form of one that was saved: the language may have grown stricter since."""
    try:
        read(document)
    except Invalid as error:
        return tuple(
            Finding(severity="error", code=each.code, message=each.message, pointer=each.pointer)
            for each in error.violations
        )
    return ()


def findings_of_meaning(document: Document, library: Library) -> Findings:
    """What the linter finds in a document whose form is right; errors first."""
    return tuple(sorted(lint(document, library), key=lambda finding: finding.severity != "error"))


def violation_of(finding: Finding) -> Violation:
    return Violation(FIELD + finding.pointer, finding.message, finding.code)
