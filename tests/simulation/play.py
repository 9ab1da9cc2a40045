"""Short ways to begin a conversation with a scenario, and to do a test's acts to it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from shared.scenario.document import read
from shared.scenario.models import TestTurn
from shared.simulation.acts import act
from shared.simulation.conversation import Conversation, Opening, Program
from shared.simulation.testing import Failure, run_tests

Json = dict[str, Any]


def scenario(*steps: Json, **more: Any) -> Json:
    """A document of these steps, its form checked."""
    document = {"version": "1", "steps": list(steps), **more}
    read(deepcopy(document))
    return document


def ask(step_id: str, kind: str = "text", **more: Any) -> Json:
    """A step that says its own id and asks; the answer goes into a variable of that name."""
    expected = {"type": kind, "variable": step_id, **more.pop("input", {})}
    return {"id": step_id, "message": {"text": f"{step_id}?"}, "expected_input": expected, **more}


def say(step_id: str, text: str | Json, **more: Any) -> Json:
    return {"id": step_id, "message": {"text": text}, **more}


def begin(document: Json, called: Mapping[str, Json] | None = None, **opening: Any) -> Conversation:
    return Program.of(document, called).begin(Opening(**opening))


def do(conversation: Conversation, **turn: Any) -> list[str]:
    """Do one act; what the bot says to it."""
    outcome = act(conversation, TestTurn.model_validate(turn))
    return [message.text for message in outcome.messages]


def failure_of(document: Json, *turns: Json, **test: Any) -> Failure | None:
    """Where a single test of the document fails."""
    made = {**document, "tests": [{"name": "t", "turns": list(turns), **test}]}
    read(deepcopy(made))
    return run_tests(made).results[0].failure
