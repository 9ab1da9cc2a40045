"""The settings of a bot's model."""

from __future__ import annotations

import msgspec

from shared.llm.settings import ModelSettings

SETTINGS = ModelSettings(provider="openai", model="gpt-5-mini", api_key="sk-very-secret")


def test_settings_never_show_the_key() -> None:
    for shown in (repr(SETTINGS), str(SETTINGS), f"{SETTINGS}", repr([SETTINGS])):
        assert "very-secret" not in shown


def test_settings_survive_json() -> None:
    written = msgspec.json.encode(SETTINGS)
    assert msgspec.json.decode(written, type=ModelSettings) == SETTINGS
