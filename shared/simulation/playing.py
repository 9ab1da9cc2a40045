"""Acts done one after the other from the beginning of a conversation, as whoever tries a scenario out does.

A simulator keeps nothing between two questions: it is asked with all acts so far, and does them again.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from shared.scenario.models import TestTurn
from shared.simulation.acts import act
from shared.simulation.conversation import Conversation, Outcome
from shared.simulation.errors import Senseless

MAX_ANSWER_BYTES = 4_000_000
"""Of all outcomes together, as JSON; an answer has to fit through Lambda (6 MB)."""


class Unplayable(Senseless):
    """The act at this place cannot be done; those before it can."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(reason)
        self.index = index


def play(conversation: Conversation, acts: Sequence[TestTurn]) -> list[Outcome]:
    """Do the acts. Raises `Unplayable` at the first that makes no sense, or that makes too much of it."""
    outcomes, room = [], MAX_ANSWER_BYTES
    for index, each in enumerate(acts):
        try:
            outcomes.append(act(conversation, each))
        except Senseless as error:
            raise Unplayable(index, str(error)) from None
        room -= len(msgspec.json.encode(outcomes[-1]))
        if room < 0:
            raise Unplayable(index, "the conversation has become too long to be shown")
    return outcomes
