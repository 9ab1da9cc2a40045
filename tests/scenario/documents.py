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

CALLED_ID = "11111111-1111-4111-8111-111111111111"
"""The id of the scenario that `EVERYTHING` calls."""

EVERYTHING: Document = {
    "version": "any label, even 🚀",
    "start": "a",
    "languages": ["en", "pt-BR"],
    "default_language": "en",
    "timezone": "Europe/Berlin",
    "variables": {
        "score": {"type": "integer", "initial": 0, "scope": "person"},
        "rate": {"type": "number", "initial": 1},
        "size": {"type": "string", "sensitive": True},
        "agreed": {"type": "boolean", "initial": None, "scope": "run"},
        "born": {"type": "date", "initial": "2000-02-29"},
        "items": {"type": "list", "initial": ["tea", "milk"]},
        "record": {"type": "map", "initial": {"nested": [1, 2.5, None]}},
        "anything": {},
    },
    "steps": [
        {
            "id": "a",
            "before": {"score": "score + 1"},
            "message": [
                {"text": "One", "media": [], "delay": "3s"},
                {
                    "text": {"en": "Two", "pt-BR": "Dois"},
                    "media": [{"media_id": "logo"}, {"url": "https://example.com/x.png", "type": "image"}],
                    "whatsapp_template": {
                        "name": "hello_again",
                        "language": "en",
                        "parameters": ["{{ size }}"],
                    },
                },
            ],
            "buttons": [
                {"text": "Text", "value": "x", "next_step": "B_2-c", "show_if": "score > 1"},
                {"text": {"en": "Number"}, "value": -1, "next_step": None},
                {"text": "Flag", "value": True},
                {"text": "Link", "url": "https://example.com/?q={{ size }}", "show_if": "agreed"},
                {
                    "for_each": "items",
                    "text": "{{ index + 1 }}. {{ item }}",
                    "value": "item",
                    "next_step": "B_2-c",
                    "show_if": "item != 'milk'",
                },
            ],
            "when_empty": "B_2-c",
            "expected_input": {
                "type": "button",
                "variable": "choice",
                "error_message": "No",
                "max_attempts": 3,
                "on_failure": "B_2-c",
                "timeout": {
                    "after": "24h",
                    "remind": "Still there?",
                    "every": "6h",
                    "times": 2,
                    "next_step": "B_2-c",
                },
                "skip_if_set": True,
            },
            "set": {"rate": "rate * 1.5"},
            "conditions": [{"if": "score > 5", "then": None}, {"if": "agreed", "then": "talk", "else": None}],
            "next_step": "B_2-c",
        },
        {
            "id": "B_2-c",
            "message": {"text": "?"},
            "expected_input": {
                "type": "text",
                "variable": "note",
                "validation": {
                    "min_length": 1,
                    "max_length": 5,
                    "pattern": "\\d+",
                    "rules": [{"reject_if": "value == '0'", "message": "Not that one"}],
                },
                "understand": {"fill": ["day", "guests"]},
            },
            "next_step": "numbers",
        },
        {
            "id": "numbers",
            "expected_input": {
                "type": "number",
                "variable": "amount",
                "validation": {"min": 0, "max": "rate * 10"},
            },
            "next_step": "guests",
        },
        {
            "id": "guests",
            "message": {"text": "How many?"},
            "expected_input": {
                "type": "integer",
                "variable": "guests",
                "validation": {"min": 1, "max": 20},
                "skip_if_set": True,
            },
            "next_step": "day",
        },
        {
            "id": "day",
            "message": {"text": "When?"},
            "expected_input": {
                "type": "date",
                "variable": "day",
                "validation": {"min": "today", "max": "today + days(60)"},
            },
            "next_step": "hour",
        },
        {
            "id": "hour",
            "expected_input": {
                "type": "time",
                "variable": "hour",
                "validation": {"min": "09:00", "max": "18:30"},
            },
            "next_step": "several",
        },
        {
            "id": "several",
            "message": {"text": "Which?"},
            "buttons": [
                {"text": "A", "value": "a"},
                {"text": "B", "value": "b"},
                {"text": "C", "value": "c"},
            ],
            "expected_input": {"type": "buttons", "variable": "letters", "validation": {"min": 1, "max": 2}},
            "next_step": "mail",
        },
        {"id": "mail", "expected_input": {"type": "email", "variable": "mail"}, "next_step": "phone"},
        {
            "id": "phone",
            "message": {"text": "Your number?"},
            "expected_input": {"type": "phone", "variable": "phone", "validation": {"region": "DE"}},
            "next_step": "site",
        },
        {"id": "site", "expected_input": {"type": "url", "variable": "site"}, "next_step": "place"},
        {"id": "place", "expected_input": {"type": "location", "variable": "place"}, "next_step": "card"},
        {
            "id": "card",
            "expected_input": {"type": "contact", "variable": "card", "validation": {"own": True}},
            "next_step": "files",
        },
        {
            "id": "files",
            "expected_input": {
                "type": "media",
                "variable": "files",
                "validation": {"accept": ["image", "file"], "max_bytes": 1000000, "max": 5},
            },
            "next_step": "thing",
        },
        {"id": "thing", "expected_input": {"type": "any", "variable": "thing"}, "next_step": "talk"},
        {
            "id": "talk",
            "llm": {
                "prompt": "Tell me of {{ note }}",
                "system": {"en": "Be brief."},
                "history": 5,
                "variable": "told",
                "reply": True,
                "output": {"type": "text"},
                "routes": {"fetch": {"step": "fetch", "when": "the person wants facts"}},
                "model": "small",
                "max_tokens": 100,
                "temperature": 0.5,
                "cache": "24h",
                "timeout": "20s",
                "on_error": "fetch",
            },
            "next_step": "pick",
        },
        {
            "id": "pick",
            "llm": {
                "prompt": "Sort",
                "variable": "sort",
                "output": {"type": "choice", "options": ["x", "y"]},
            },
            "next_step": "shape",
        },
        {
            "id": "shape",
            "llm": {
                "prompt": "Describe",
                "variable": "shape",
                "output": {"type": "object", "schema": {"type": "object"}},
            },
            "next_step": "fetch",
        },
        {
            "id": "fetch",
            "http": {
                "method": "POST",
                "url": "https://example.com/{{ note }}",
                "headers": {"Authorization": "Bearer {{ secret('token') }}"},
                "body": {"note": "{{ note }}", "list": ["{{ score }}", 1, None]},
                "timeout": "5s",
                "schema": {"type": "object"},
                "variable": "fetched",
                "on_error": "ask_a_person",
            },
            "next_step": "call",
        },
        {
            "id": "call",
            "scenario": {"id": CALLED_ID, "inputs": {"who": "note"}, "outputs": {"came_back": "greeting"}},
            "next_step": "ask_a_person",
        },
        {
            "id": "ask_a_person",
            "handoff": {"reason": "{{ note }} is stuck", "timeout": "2h", "next_step": "pause"},
            "next_step": "pause",
        },
        {"id": "pause", "wait": "10m", "next_step": "hand_in"},
        {"id": "hand_in", "sync": {}, "end": True},
        {"id": "help", "message": {"text": "Ask away."}},
    ],
    "conditions": [{"if": "score > 1", "then": "B_2-c", "else": "a", "after": "a"}],
    "commands": {
        "/help": {"next_step": "help", "resume": True, "description": {"en": "What I can do"}},
        "menu": {"next_step": "a"},
        "/back": {"back": True},
    },
    "defaults": {
        "max_attempts": 3,
        "on_failure": "B_2-c",
        "timeout": {"after": "30m", "next_step": "hand_in"},
    },
    "fallbacks": {"choose_button": "Choose!", "ended": {"en": "Over."}, "busy": "One moment."},
    "after_end": "restart",
    "first_message": "answer",
    "tests": [
        {
            "name": "everything that can happen in a test",
            "platform": "webchat",
            "language": "en",
            "now": "2026-11-22T10:00:00Z",
            "given": {"size": "XL"},
            "turns": [
                {"send": "/start"},
                {"expect": "One"},
                {"press": "x", "ask": -1},
                {
                    "expect": {
                        "text": "?",
                        "contains": "?",
                        "not": "!",
                        "buttons": [],
                        "step": "B_2-c",
                        "variables": {"score": 1},
                        "status": "active",
                        "end": False,
                        "request": {"method": "POST"},
                    }
                },
                {"advance": "25h"},
                {"respond": {"llm": {"error": "timeout"}}},
                {"respond": {"http": {"status": 200, "body": {}}}},
                {"respond": {"sync": {}}},
                {"respond": {"understand": {"values": {}}}},
                {"photo": {"file_name": "a.png", "size": 1, "caption": "!", "album": "1"}},
                {"video": {}},
                {"audio": {}},
                {"file": {}},
                {"contact": {"phone": "+79990000000", "first_name": "A", "last_name": "B", "own": False}},
                {"location": {"latitude": 1.5, "longitude": 2, "title": "Here"}},
                {"operator": "Hello"},
                {"give_back": True},
                {"give_back": "a"},
            ],
        }
    ],
}
"""A document with every field of the language."""
