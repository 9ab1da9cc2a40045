"""A scenario's own tests: run them all, tell which fail and where, and what they covered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from shared.scenario.models import Test, TestTurn
from shared.simulation.acts import act
from shared.simulation.conversation import NOON, Conversation, Documents, Opening, Program
from shared.simulation.coverage import Coverage, covered
from shared.simulation.errors import Senseless
from shared.simulation.expectations import unmet


class Failure(msgspec.Struct, frozen=True):
    """Where a test went wrong: its turn, counted from 0, and why, in words."""

    turn: int
    message: str


class Result(msgspec.Struct, frozen=True):
    """One test; it has passed if there is no failure."""

    name: str
    failure: Failure | None = None


class Report(msgspec.Struct, frozen=True):
    """All tests of a document, in order, and what they covered together."""

    results: tuple[Result, ...]
    coverage: Coverage

    @property
    def has_passed(self) -> bool:
        return all(result.failure is None for result in self.results)


_NOWHERE = Opening()


def run_tests(
    document: Mapping[str, Any], called: Documents | None = None, setting: Opening = _NOWHERE
) -> Report:
    """Run the tests of a document whose form `document.read` has accepted.

    The bot's name and time zone are those of the setting; all else each test says by itself.
    """
    tests = [Test.model_validate(data) for data in document.get("tests", [])]
    openings = [_opening_of(test, setting) for test in tests]
    program = Program.of(document, called, setting.known_of(opening.record for opening in openings))
    ways: set[tuple[str, str, str]] = set()
    results = []
    for test, opening in zip(tests, openings, strict=True):
        results.append(Result(test.name, _failure(program, test, opening, ways)))
    return Report(tuple(results), covered(document, ways))


def _failure(
    program: Program, test: Test, opening: Opening, ways: set[tuple[str, str, str]]
) -> Failure | None:
    """Where the test fails first, if it does; adds the ways that it takes."""
    try:
        conversation = program.begin(opening)
    except Senseless as error:
        return Failure(0, str(error))
    try:
        return _failing_turn(test, conversation) or _left_waiting(test, conversation)
    finally:
        ways |= conversation.ways


def _opening_of(test: Test, setting: Opening) -> Opening:
    return replace(
        setting, platform=test.platform, language=test.language, now=test.now or NOON, given=test.given
    )


def _failing_turn(test: Test, conversation: Conversation) -> Failure | None:
    for index, turn in enumerate(test.turns):
        if words := _trouble_with(turn, conversation):
            return Failure(index, words + _hint(conversation))
    return None


def _trouble_with(turn: TestTurn, conversation: Conversation) -> str:
    if turn.expect is not None:
        return unmet(turn.expect, conversation)
    try:
        act(conversation, turn)
    except Senseless as error:
        return str(error)
    return ""


def _hint(conversation: Conversation) -> str:
    task = conversation.task
    return f" (a task of kind {task.kind} waits for its respond)" if task else ""


def _left_waiting(test: Test, conversation: Conversation) -> Failure | None:
    task = conversation.task
    if task is None:
        return None
    return Failure(
        len(test.turns) - 1, f"the test ends while a task of kind {task.kind} waits for its respond"
    )
