from __future__ import annotations

import pytest
from msgspec.structs import fields

from shared.settings import (
    AdminSettings,
    DialogSettings,
    MissingSetting,
    RelaySettings,
    SenderSettings,
    Settings,
    WebhookSettings,
)


@pytest.mark.parametrize(
    "kind", [WebhookSettings, DialogSettings, RelaySettings, SenderSettings, AdminSettings]
)
def test_every_field_is_the_variable_of_its_name(kind: type[Settings]) -> None:
    environment = {field.name.upper(): f"the {field.name}" for field in fields(kind)}
    settings = kind.from_environment(environment)

    assert fields(kind)
    for field in fields(kind):
        assert getattr(settings, field.name) == f"the {field.name}"


@pytest.mark.parametrize("environment", [{}, {"INBOUND_QUEUE_URL": ""}], ids=["absent", "empty"])
def test_a_missing_variable_is_told_by_its_name(environment: dict[str, str]) -> None:
    with pytest.raises(MissingSetting, match="INBOUND_QUEUE_URL") as caught:
        WebhookSettings.from_environment(environment)

    assert caught.value.name == "INBOUND_QUEUE_URL"


def test_an_empty_variable_does_not_override_a_default() -> None:
    class Example(Settings, frozen=True):
        greeting: str = "hello"

    assert Example.from_environment({"GREETING": ""}) == Example("hello")
    assert Example.from_environment({"GREETING": "hi"}) == Example("hi")
