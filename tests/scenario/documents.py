"""Short ways to write scenario documents."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]


def scenario(*steps: Document, **fields: Any) -> Document:
    return {"version": "1", "steps": list(steps), **fields}


def say(id_: str, text: Any = "…", **fields: Any) -> Document:
    """A step that says something and goes on."""
    return {"id": id_, "message": {"text": text}, **fields}


def ask(id_: str, variable: str | None = None, text: Any = "?", **fields: Any) -> Document:
    """A step that asks for a text; limits and the like go into `expected_input`."""
    expected = {"type": "text", **({"variable": variable} if variable else {})}
    expected |= fields.pop("expected_input", {})
    return {"id": id_, "message": {"text": text}, "expected_input": expected, **fields}


def choose(id_: str, variable: str, *buttons: Any, text: Any = "?", **fields: Any) -> Document:
    """A step that asks for one of some buttons; a plain value stands for one with that label."""
    whole = [each if isinstance(each, dict) else {"text": str(each), "value": each} for each in buttons]
    expected = {"type": "button", "variable": variable} | fields.pop("expected_input", {})
    return {"id": id_, "message": {"text": text}, "buttons": whole, "expected_input": expected, **fields}


MISSION: Document = {
    "version": "1.0",
    "steps": [
        {
            "id": "welcome",
            "message": {"text": "Hello! What's your name?", "media": []},
            "expected_input": {"type": "text", "variable": "first_name"},
            "next_step": "ask_lastname",
        },
        {
            "id": "ask_lastname",
            "message": {"text": "Please enter your last name"},
            "expected_input": {"type": "text", "variable": "last_name"},
            "next_step": "ask_position",
        },
        {
            "id": "ask_position",
            "message": {"text": "What's your position in the company?"},
            "buttons": [
                {"text": "Food Guide", "value": "food-guide"},
                {"text": "Cook", "value": "cook"},
            ],
            "expected_input": {"type": "button", "variable": "position"},
            "next_step": "ask_project",
        },
    ],
    "conditions": [{"if": "citizenship == 'РФ'", "then": "show_rf_docs", "else": "show_sng_docs"}],
}
"""The example that the project was ordered with, unfinished as it is."""

COMPLETED: Document = MISSION | {
    "steps": [
        *MISSION["steps"],
        ask("ask_project", "project", "Which project?", next_step="ask_citizenship"),
        choose("ask_citizenship", "citizenship", "РФ", "СНГ", text="Your citizenship?"),
        say("show_rf_docs", "Bring your passport, {{ first_name }} {{ last_name }}."),
        say("show_sng_docs", "Bring your passport and its translation, {{ first_name }}."),
    ]
}
"""The same with the steps that it lacks."""

EVERYTHING: Document = {
    "version": "any label, even 🚀",
    "start": "a",
    "languages": ["en", "pt-BR"],
    "default_language": "en",
    "variables": {
        "score": {"type": "integer", "initial": 0},
        "rate": {"type": "number", "initial": 1},
        "size": {"type": "string"},
        "agreed": {"type": "boolean", "initial": None},
        "anything": {"type": "any", "initial": {"nested": [1, 2.5, None]}},
    },
    "steps": [
        {
            "id": "a",
            "before": {"score": "score + 1"},
            "message": [{"text": "One", "media": []}, {"text": {"en": "Two", "pt-BR": "Dois"}}],
            "buttons": [
                {"text": "Text", "value": "x", "next_step": "b", "show_if": "score > 1"},
                {"text": {"en": "Number"}, "value": -1, "next_step": None},
                {"text": "Flag", "value": True},
                {"text": "Link", "url": "https://example.com/?q={{ size }}", "show_if": "agreed"},
            ],
            "when_empty": "b",
            "expected_input": {
                "type": "button",
                "variable": "choice",
                "error_message": "No",
                "max_attempts": 3,
                "on_failure": "b",
                "skip_if_set": True,
            },
            "set": {"rate": "rate * 1.5"},
            "conditions": [{"if": "score > 5", "then": None}, {"if": "agreed", "then": "b", "else": None}],
            "next_step": "b",
        },
        {
            "id": "B_2-c",
            "expected_input": {
                "type": "text",
                "validation": {"min_length": 1, "max_length": 5, "pattern": "\\d+"},
            },
            "end": True,
        },
    ],
    "conditions": [{"if": "score > 1", "then": "b", "else": "a", "after": "a"}],
    "defaults": {"max_attempts": 3, "on_failure": "b"},
    "fallbacks": {"choose_button": "Choose!", "ended": {"en": "Over."}},
    "after_end": "restart",
    "first_message": "answer",
}
"""A document with every field of the language."""
