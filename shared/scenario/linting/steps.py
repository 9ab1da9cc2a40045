"""What a step as it is written does: whether it waits, may be passed over, says by itself what follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Raw = Mapping[str, Any]
"""A document, or a part of one, as it is written."""

CHOOSING = ("button", "buttons")
"""Types of input that are answered by choices, as opposed to questions with quick replies."""


def messages_of(step: Raw) -> list[tuple[str, Raw]]:
    """A step's messages, each with its pointer within the step."""
    message = step.get("message", [])
    if isinstance(message, Mapping):
        return [("/message", message)]
    return [(f"/message/{index}", each) for index, each in enumerate(message)]


def files_of(document: Raw) -> Iterator[tuple[str, Raw]]:
    """Every file of the library that a document shows, with the pointer of where."""
    for number, step in enumerate(document["steps"]):
        for place, message in messages_of(step):
            for index, media in enumerate(message.get("media", [])):
                if media.get("media_id") is not None:
                    yield f"/steps/{number}{place}/media/{index}", media


def choices_of(step: Raw) -> list[tuple[int, Raw]]:
    """A step's choice buttons with their places in its list of buttons."""
    return [(i, button) for i, button in enumerate(step.get("buttons", [])) if "url" not in button]


def is_dynamic(button: Raw) -> bool:
    return "for_each" in button


def input_of(step: Raw) -> Raw:
    """What a step expects; nothing for one that does not wait."""
    expected: Raw | None = step.get("expected_input")
    return expected or ({"type": "button"} if choices_of(step) else {})


def waits(step: Raw) -> bool:
    return bool(input_of(step))


def expects_choice(step: Raw) -> bool:
    """Whether a choice is the answer, as opposed to a quick reply in a question of another type."""
    return input_of(step).get("type") in CHOOSING


def may_be_empty(step: Raw) -> bool:
    """Whether a question may be left with no choice to show."""
    return expects_choice(step) and all(b.get("show_if") or is_dynamic(b) for _, b in choices_of(step))


def may_be_skipped(step: Raw) -> bool:
    """Whether a question may be passed without asking it."""
    expected = input_of(step)
    return bool(expected.get("skip_if_set") and expected.get("variable"))


def every_choice_leads_on(step: Raw) -> bool:
    """Whether nothing that a step says of its own next one is ever asked."""
    all_lead_on = all(button.get("next_step") for _, button in choices_of(step))
    is_single = input_of(step).get("type") == "button" and bool(choices_of(step))
    return is_single and all_lead_on and not may_be_skipped(step)


def setting(document: Raw, step: Raw, name: str) -> tuple[Any, bool]:
    """`max_attempts`, `on_failure` or `timeout` of a question, and whether they are its own."""
    expected = input_of(step)
    is_own = expected.get(name) is not None if name == "timeout" else name in expected
    value = expected.get(name) if is_own else (document.get("defaults") or {}).get(name)
    return (value if expected else None), is_own


def leads_on(step: Raw) -> bool:
    """Whether a step says by itself what follows, whatever is decided."""
    has_else = any("else" in condition for condition in step.get("conditions", []))
    return bool(step.get("end") or step.get("next_step") or has_else)


def consulted(document: Raw, step: Raw) -> list[tuple[int, Raw]]:
    """The scenario-level conditions, with their places, that decide where a step leads; mostly none."""
    conditions = [] if leads_on(step) else document.get("conditions", [])
    return [(i, each) for i, each in enumerate(conditions) if each.get("after") in (None, step["id"])]


def may_end(step: Raw) -> bool:
    """Whether the run may be over with a step."""
    branches = [c.get(b, "") for c in step.get("conditions", []) for b in ("then", "else")]
    return not every_choice_leads_on(step) and (
        bool(step.get("end")) or None in branches or not leads_on(step)
    )
