"""A request for every route that takes a body; a test sends them all, so each of them works."""

from __future__ import annotations

from typing import Any, Final

_SCENARIO: Final[dict[str, Any]] = {
    "version": "1.0",
    "steps": [
        {
            "id": "ask_name",
            "message": {"text": "What's your name?"},
            "expected_input": {"type": "text", "variable": "name"},
            "next_step": "bye",
        },
        {"id": "bye", "message": {"text": "Nice to meet you, {{ name }}!"}, "end": True},
    ],
}

REQUESTS: Final[dict[str, Any]] = {
    "create_bot": {"name": "Onboarding", "description": "Greets new people", "timezone": "Europe/Riga"},
    "replace_bot": {"name": "Onboarding", "description": "Greets new colleagues", "timezone": "Europe/Riga"},
    "set_model": {"provider": "openai", "model": "gpt-4.1-mini", "api_key": "sk-proj-a_key_of_OpenAI"},
    "set_secret": {"value": "a token that an http step of a scenario sends"},
    "set_sync": {
        "sink": {
            "type": "postgresql",
            "host": "db.example.com",
            "database": "hr",
            "user": "parley",
            "password": "a password of the database",
            "table": "hr.staff",
            "key": ["telegram_id"],
        },
        "mapping": {"dialog.platform_chat_id": "telegram_id", "name": "full_name"},
        "contact": {
            "table": "hr.staff",
            "match": {"telegram_id": "platform_chat_id"},
            "fields": {"full_name": "string", "hired_on": "date"},
        },
    },
    "connect_platform": {
        "platform": "telegram",
        "credentials": {"bot_token": "123456789:AAF0-token_from_BotFather"},
    },
    "replace_platform": {
        "credentials": {"bot_token": "123456789:AAF0-another_from_BotFather"},
        "is_active": True,
    },
    "add_media": {"file_name": "welcome.mp4", "content_type": "video/mp4", "size": 12_345_678},
    "create_scenario": {"name": "Getting to know you", "scenario_data": _SCENARIO},
    "save_revision": {"name": "Getting to know you", "version": "1.1", "scenario_data": _SCENARIO},
    "validate_scenario": {"scenario_data": _SCENARIO},
    "activate_scenario": {"revision": 1, "running": "keep"},
    "simulate_scenario": {
        "platform": "telegram",
        "language": "en",
        "acts": [{"send": "/start"}, {"send": "Ada"}],
    },
    "run_tests_of_scenario": {"revision": 1},
    "preview_step": {"step": "ask_name"},
    "start_dialog": {"platform": "telegram", "platform_chat_id": "42", "variables": {"name": "Ada"}},
    "export_results": {
        "format": "csv",
        "since": "2026-11-01T00:00:00Z",
        "filters": {"platform": "telegram", "status": "completed"},
    },
    "write_message": {"text": "Hello, this is Max. How can I help?"},
    "hand_off": {"reason": "She asks for a refund"},
    "give_back": {"step": "ask_name"},
    "restart": {"variables": {"name": "Ada"}},
}
"""By the operation's id."""

PARAMETERS: Final[dict[str, Any]] = {
    "account_id": "0b0c5b9c-3c5f-4d0e-9d53-2f4f6f1a7c11",
    "bot_id": "6f1d2b1e-7a52-4a6b-8f0e-0c9b5a3d4e21",
    "id": "2c9e4b76-1f0d-4a35-9b8a-7e6d5c4b3a29",
    "platform": "telegram",
    "revision": 1,
    "name": "crm_token",
}
"""By the place in a path."""
