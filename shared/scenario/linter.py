"""Finds what the schema cannot: meaning that would let a person down.

Errors refuse activation; warnings do not. Every finding has a stable code, a JSON pointer into the
document, words for the author, and, where it concerns a way through the scenario, the shortest one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.scenario.findings import CODES, ERRORS, WARNINGS, Finding
from shared.scenario.linting import (
    actions,
    calls,
    circles,
    languages,
    messengers,
    questions,
    references,
    values,
    variables,
)
from shared.scenario.linting.edges import Passage
from shared.scenario.linting.subject import Capabilities, Library, LibraryFile, Subject, broken

__all__ = ["CODES", "ERRORS", "WARNINGS", "Capabilities", "Finding", "Library", "LibraryFile", "lint"]

MAX_FINDINGS = 1000


def lint(document: Mapping[str, Any], library: Library | None = None) -> tuple[Finding, ...]:
    """The findings of a document whose form `document.read` has accepted: errors first.

    With a `library` that has scenarios, those that it calls are linted with it as one.
    """
    found = dict.fromkeys(_Linter(document, library or Library()).findings())
    return tuple(sorted(found, key=lambda finding: finding.severity != "error"))[:MAX_FINDINGS]


class _Linter:
    """One document, and the scenarios that are called from it, each made a subject once."""

    def __init__(self, document: Mapping[str, Any], library: Library) -> None:
        self.library = library
        self.subjects: dict[str, Subject | None] = {}
        self.passages: dict[str, Passage] = {}
        self.subject = Subject(document, library, self._passage)

    def findings(self) -> Iterator[Finding]:
        yield from self._of(self.subject)
        if self.library.scenarios is not None:
            yield from calls.chains(self.subject, self._called)
            yield from self._of_called()

    def _of(self, subject: Subject) -> Iterator[Finding]:
        yield from references.check(subject)
        yield from (subject.finding(*broken(pointer, error)) for pointer, error in subject.reports)
        yield from variables.check(subject)
        yield from questions.check(subject)
        yield from actions.check(subject)
        yield from languages.check(subject)
        yield from circles.check(subject)
        yield from values.check(subject, variables.written_in(subject.document))
        yield from messengers.check(subject)
        if self.library.scenarios is not None:
            yield from calls.check(subject, self._called)

    # --- called scenarios -------------------------------------------------------------------------

    def _of_called(self) -> Iterator[Finding]:
        """What is found in called scenarios, told at the step of this one that leads to them."""
        told: set[str] = set()
        for at, call in calls.calls_in(self.subject.document):
            for scenario_id, child in self._below(call["id"].lower(), told):
                for finding in self._of(child):
                    place = f" at {finding.pointer}" if finding.pointer else ""
                    message = f"in the scenario {scenario_id}{place}: {finding.message}"
                    yield self.subject.finding(finding.code, at, message)

    def _below(self, scenario_id: str, told: set[str]) -> Iterator[tuple[str, Subject]]:
        """A called scenario and all that it leads to, but for those that have been told of."""
        waiting = [scenario_id]
        while waiting:
            here = waiting.pop()
            child = self._called(here)
            if here not in told and child is not None:
                told.add(here)
                yield here, child
                waiting += calls.called_by(child.document)

    def _called(self, scenario_id: str) -> Subject | None:
        if scenario_id not in self.subjects:
            document = (self.library.scenarios or {}).get(scenario_id)
            found = Subject(document, self.library, self._passage) if document is not None else None
            self.subjects[scenario_id] = found
        return self.subjects[scenario_id]

    def _passage(self, scenario_id: str) -> Passage:
        """What a call does with a turn; of one that calls itself nothing more is said than that."""
        if scenario_id not in self.passages:
            self.passages[scenario_id] = Passage()
            document = (self.library.scenarios or {}).get(scenario_id)
            if document is not None:
                self.passages[scenario_id] = calls.passage_of(document, self._passage)
        return self.passages[scenario_id]
