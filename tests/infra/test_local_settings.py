"""What the shell says to `make run` reaches the deployment and the demo's bots."""

from __future__ import annotations

import pytest

from infra.local.settings import Settings

KEY = {"OPENAI_API_KEY": "sk-of-somebody"}


@pytest.mark.parametrize(
    ("environment", "model"),
    [
        ({}, None),
        ({"OPENAI_API_KEY": " "}, None),
        ({"OPENAI_BASE_URL": "http://localhost:11434/v1"}, None),
        (KEY, {"provider": "openai", "model": "gpt-4.1-mini", "api_key": "sk-of-somebody"}),
        (
            {**KEY, "OPENAI_BASE_URL": "http://localhost:11434/v1", "OPENAI_MODEL": "llama"},
            {
                "provider": "openai",
                "model": "llama",
                "api_key": "sk-of-somebody",
                "base_url": "http://localhost:11434/v1",
            },
        ),
    ],
)
def test_a_key_brings_a_model(environment: dict[str, str], model: dict[str, str] | None) -> None:
    settings = Settings.from_environment(environment)
    assert settings.model == model
    assert "sk-of-somebody" not in repr(settings)


@pytest.mark.parametrize(
    ("environment", "hosts"),
    [
        ({}, "127.0.0.1:8001"),
        ({"PRIVATE_HOSTS": "db.internal:5432"}, "db.internal:5432,127.0.0.1:8001"),
        (
            {**KEY, "OPENAI_BASE_URL": "http://me:pw@localhost:11434/v1"},
            "localhost:11434,127.0.0.1:8001",
        ),
        ({**KEY, "OPENAI_BASE_URL": "https://models.example/v1"}, "127.0.0.1:8001"),
    ],
)
def test_what_the_settings_name_may_be_called(environment: dict[str, str], hosts: str) -> None:
    assert Settings.from_environment(environment).private_hosts("http://127.0.0.1:8001") == hosts
