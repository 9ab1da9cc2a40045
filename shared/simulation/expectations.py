"""What a test expects of a conversation, and how to say that it is not so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from shared.scenario.models import Expectation
from shared.simulation.conversation import Conversation

MAX_SHOWN = 300
"""Characters of what was said, or of a value, that a report repeats."""


def unmet(expected: str | Expectation, conversation: Conversation) -> str:
    """What is not as expected, in words; "" if all is."""
    wanted = Expectation(text=expected) if isinstance(expected, str) else expected
    return "; ".join(_unmet(wanted, conversation))


def _unmet(wanted: Expectation, conversation: Conversation) -> Iterator[str]:
    for name in Expectation.model_fields:
        if name in wanted.model_fields_set:
            words = _CHECKS[name](getattr(wanted, name), conversation)
            if words:
                yield words


def _text(expected: str | None, conversation: Conversation) -> str:
    is_said = any(message.text == expected for message in conversation.messages)
    return "" if is_said else f"expected the message {shown(expected)}, but {_said(conversation)}"


def _contains(expected: str | None, conversation: Conversation) -> str:
    is_said = any((expected or "") in message.text for message in conversation.messages)
    return "" if is_said else f"expected a message with {shown(expected)}, but {_said(conversation)}"


def _not(unwanted: str | None, conversation: Conversation) -> str:
    is_said = any((unwanted or "") in message.text for message in conversation.messages)
    return f"expected no message with {shown(unwanted)}, but {_said(conversation)}" if is_said else ""


def _buttons(expected: list[str] | None, conversation: Conversation) -> str:
    labels = conversation.labels
    if labels == (expected or []):
        return ""
    return f"expected the buttons {shown(expected)}, but they were {shown(labels)}"


def _step(expected: str | None, conversation: Conversation) -> str:
    here = conversation.dialog.current_step
    return "" if here == expected else f"expected the step {shown(expected)}, but it is {shown(here)}"


def _variables(expected: Mapping[str, Any] | None, conversation: Conversation) -> str:
    values = conversation.dialog.variables
    return "; ".join(
        f"expected {name} to be {shown(value)}, but it {_is(values, name)}"
        for name, value in (expected or {}).items()
        if not is_same(values.get(name), value)
    )


def _is(values: Mapping[str, Any], name: str) -> str:
    return f"is {shown(values[name])}" if name in values else "has no value"


def _status(expected: str | None, conversation: Conversation) -> str:
    status = conversation.dialog.status
    return "" if status == expected else f"expected the status {shown(expected)}, but it is {shown(status)}"


def _end(expected: bool | None, conversation: Conversation) -> str:  # noqa: FBT001 (a value of JSON)
    is_over = conversation.dialog.status == "completed"
    if is_over == bool(expected):
        return ""
    return "expected the run to go on, but it has ended" if is_over else "expected the run to have ended"


def _request(expected: Mapping[str, Any] | None, conversation: Conversation) -> str:
    task = conversation.task
    if task is None:
        return "expected a request, but no task waits"
    if is_within(expected or {}, task.request):
        return ""
    return f"expected a request with {shown(expected)}, but it is {shown(task.request)}"


_CHECKS: Mapping[str, Callable[[Any, Conversation], str]] = {
    "text": _text,
    "contains": _contains,
    "not_": _not,
    "buttons": _buttons,
    "step": _step,
    "variables": _variables,
    "status": _status,
    "end": _end,
    "request": _request,
}


# --- comparing as people do -------------------------------------------------------------------------


def is_same(found: Any, expected: Any) -> bool:
    """Equality of JSON: 1 is 1.0, but not true; no value is null."""
    if isinstance(found, bool) or isinstance(expected, bool):
        return found is expected
    if isinstance(found, Mapping) and isinstance(expected, Mapping):
        return found.keys() == expected.keys() and all(is_same(found[k], expected[k]) for k in expected)
    if isinstance(found, list | tuple) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(is_same, found, expected))
    return bool(found == expected)


def is_within(expected: Any, found: Any) -> bool:
    """Whether all that is expected of an object is there, however deep; there may be more."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        return all(key in found and is_within(value, found[key]) for key, value in expected.items())
    return is_same(found, expected)


# --- words ------------------------------------------------------------------------------------------


def shown(value: Any) -> str:
    """A value as a report has it: a text in quotes, anything else as JSON; not too long."""
    words = f"“{value}”" if isinstance(value, str) else msgspec.json.encode(value).decode()
    return words if len(words) <= MAX_SHOWN else words[: MAX_SHOWN - 1] + "…"


def _said(conversation: Conversation) -> str:
    if not conversation.messages:
        return "nothing was said"
    said = ", ".join(shown(message.text) for message in conversation.messages)
    return f"this was said: {said if len(said) <= MAX_SHOWN * 4 else said[: MAX_SHOWN * 4] + '…'}"
