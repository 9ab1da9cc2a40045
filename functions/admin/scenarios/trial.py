"""Scenarios tried out on behalf of the API: bounded in time, for an author may write what never ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from functions.admin.scenarios.checking import FIELD
from shared.dialog.rehearsal import ends_within
from shared.errors import Invalid, Violation
from shared.scenario.models import TestTurn
from shared.simulation.conversation import Conversation, Documents, Opening, Outcome, Program
from shared.simulation.errors import Senseless
from shared.simulation.playing import Unplayable, play
from shared.simulation.testing import Report, run_tests
from shared.storage.bots import Bot

SECONDS = 8.0
"""A trial is made twice, first where it can be stopped; both have to fit into the Lambda's time."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Trials:
    """Makes trials that end within so many seconds."""

    seconds: float = SECONDS

    def simulated(
        self, document: Mapping[str, Any], called: Documents, opening: Opening, acts: Sequence[TestTurn]
    ) -> tuple[Conversation, list[Outcome]]:
        """The conversation that the acts make, and what each of them brought about. Raises `Invalid`."""

        def trial() -> tuple[Conversation, list[Outcome]]:
            conversation = Program.of(document, called, opening.known_of([opening.record])).begin(opening)
            return conversation, play(conversation, acts)

        try:
            return self.bounded(trial, "/acts")
        except Unplayable as error:
            violation = Violation(f"/acts/{error.index}", str(error), "cannot_happen")
            raise Invalid("The acts cannot all be done.", [violation]) from None
        except Senseless as error:
            raise Invalid("The conversation cannot begin.", [Violation("/given", str(error))]) from None

    def tested(self, document: Mapping[str, Any], called: Documents, bot: Bot) -> Report:
        """The report on the document's tests. Raises `Invalid` if they do not come to an end."""
        setting = Opening(bot_name=bot.name, timezone=bot.timezone, contact_fields=bot.contact_fields)
        return self.bounded(lambda: run_tests(document, called, setting), f"{FIELD}/tests")

    def bounded(self, trial: Callable[[], T], pointer: str) -> T:
        """What the trial, which must be pure, returns. Raises `Invalid` if it does not end in time."""
        if not ends_within(self.seconds, trial):
            words = f"this takes longer than {self.seconds:.0f} s"
            raise Invalid(f"The trial was broken off: {words}.", [Violation(pointer, words, "too_slow")])
        return trial()


def failures_in(report: Report) -> Iterator[Violation]:
    """Every test that fails, where it does."""
    for index, result in enumerate(report.results):
        if result.failure:
            pointer = f"{FIELD}/tests/{index}/turns/{result.failure.turn}"
            yield Violation(pointer, f"{result.name}: {result.failure.message}", "test_failed")
