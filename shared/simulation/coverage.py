"""Which steps and branches of a document were gone through, and which were not.

A branch is named as the engine names the way by which a step is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

import msgspec

from shared.scenario.compiler import value_key
from shared.scenario.document import escape
from shared.scenario.linting.steps import (
    Raw,
    choices_of,
    every_choice_leads_on,
    is_dynamic,
    may_be_empty,
    setting,
)

Ways = AbstractSet[tuple[str, str, str]]
"""As `Turn.ways` tells them."""

OWN = ""
"""What the bot's own scenario is called there."""


ANY_CHOICE = "buttons/*"
"""The branch of choices whose values are known only when they are shown."""


class Branch(msgspec.Struct, frozen=True):
    """A way that may be taken: out of a step, or by a condition of the scenario (`step_id` is None)."""

    step_id: str | None
    way: str
    pointer: str


class Share(msgspec.Struct, frozen=True):
    """How many there are, and how many of them were gone through."""

    total: int
    covered: int


class Coverage(msgspec.Struct, frozen=True):
    """What was gone through, and what was not, in document order."""

    steps: Share
    branches: Share
    missed_steps: tuple[str, ...]
    missed_branches: tuple[Branch, ...]


def covered(document: Raw, ways: Ways) -> Coverage:
    """What these ways cover of the document's steps and branches."""
    taken = {(step_id, way) for scenario_id, step_id, way in ways if scenario_id == OWN}
    steps = list(dict.fromkeys(step["id"] for step in document["steps"]))
    branches = list(branches_of(document))
    missed_steps = tuple(step for step in steps if (step, "") not in taken)
    missed_branches = tuple(branch for branch in branches if not _is_taken(branch, taken))
    return Coverage(
        Share(len(steps), len(steps) - len(missed_steps)),
        Share(len(branches), len(branches) - len(missed_branches)),
        missed_steps,
        missed_branches,
    )


def _is_taken(branch: Branch, taken: AbstractSet[tuple[str, str]]) -> bool:
    if branch.step_id is None:
        return any(way == branch.way for _, way in taken)
    if branch.way == ANY_CHOICE:
        return any(step == branch.step_id and way.startswith("buttons/") for step, way in taken)
    return (branch.step_id, branch.way) in taken


def branches_of(document: Raw) -> Iterator[Branch]:
    """Every branch of the document, each step's by itself."""
    seen: set[str] = set()
    for index, step in enumerate(document["steps"]):
        if step["id"] not in seen:
            seen.add(step["id"])
            ways = _ways_of(document, step, f"/steps/{index}")
            yield from (Branch(step["id"], way, pointer) for way, pointer in ways)
    for index, condition in enumerate(document.get("conditions", [])):
        for name in ("then", "else"):
            if condition.get(name) is not None:
                way = f"conditions/{index}/{name}"
                yield Branch(None, f"scenario/{way}", f"/{way}")


def _ways_of(document: Raw, step: Raw, at: str) -> Iterator[tuple[str, str]]:
    """How a step may be left, each way with its pointer."""
    yield from _ways_of_input(document, step, at)
    yield from _ways_of_action(step, at)
    if step.get("end"):
        yield "end", f"{at}/end"
    else:
        yield from _ways_of_buttons(step, at)
        yield from _ways_on(step, at)


def _ways_of_input(document: Raw, step: Raw, at: str) -> Iterator[tuple[str, str]]:
    if step.get("when_empty") and may_be_empty(step):
        yield "when_empty", f"{at}/when_empty"
    if setting(document, step, "on_failure")[0] and setting(document, step, "max_attempts")[0]:
        yield "on_failure", f"{at}/expected_input/on_failure"
    if (setting(document, step, "timeout")[0] or {}).get("next_step"):
        yield "timeout", f"{at}/expected_input/timeout/next_step"


def _ways_of_action(step: Raw, at: str) -> Iterator[tuple[str, str]]:
    for kind in ("llm", "http"):
        if (step.get(kind) or {}).get("on_error"):
            yield "on_error", f"{at}/{kind}/on_error"
    for name in (step.get("llm") or {}).get("routes", {}):
        yield f"routes/{name}", f"{at}/llm/routes/{escape(name)}"
    if (step.get("handoff") or {}).get("next_step"):
        yield "timeout", f"{at}/handoff/next_step"


def _ways_of_buttons(step: Raw, at: str) -> Iterator[tuple[str, str]]:
    for index, button in choices_of(step):
        if button.get("next_step"):
            way = ANY_CHOICE if is_dynamic(button) else f"buttons/{value_key(button['value'])}"
            yield way, f"{at}/buttons/{index}/next_step"


def _ways_on(step: Raw, at: str) -> Iterator[tuple[str, str]]:
    """Conditions up to the first with an `else`, after which nothing comes any more; then `next_step`."""
    if every_choice_leads_on(step):
        return
    for index, condition in enumerate(step.get("conditions", [])):
        yield f"conditions/{index}/then", f"{at}/conditions/{index}/then"
        if "else" in condition:
            yield f"conditions/{index}/else", f"{at}/conditions/{index}/else"
            return
    if step.get("next_step"):
        yield "next_step", f"{at}/next_step"
