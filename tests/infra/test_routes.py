"""The template's routes, which API Gateway matches, are those that the code answers."""

import importlib

import pytest
from fastapi import FastAPI

from tests.infra.template import Template

WEBHOOK_ROUTES = {
    "POST /api/webhook/telegram/{bot_id}": "TelegramWebhook",
    "POST /api/webhook/whatsapp/{bot_id}": "WhatsAppWebhook",
    "GET /api/webhook/whatsapp/{bot_id}": "WhatsAppWebhook",
    "POST /api/webhook/viber/{bot_id}": "ViberWebhook",
    "POST /api/webhook/webchat/{bot_id}": "WebChatWebhook",
    "GET /api/webhook/webchat/{bot_id}": "WebChatWebhook",
    "OPTIONS /api/webhook/webchat/{bot_id}": "WebChatWebhook",
    "GET /chat/{bot_id}": "WebChatWebhook",
    "HEAD /chat/{bot_id}": "WebChatWebhook",
}
ADMIN = {
    "BotsAdmin": "functions.admin.bots.handler",
    "PlatformsAdmin": "functions.admin.platforms.handler",
    "ScenariosAdmin": "functions.admin.scenarios.handler",
    "DialogsAdmin": "functions.admin.dialogs.handler",
    "MediaAdmin": "functions.admin.media.handler",
}


def test_every_webhook_is_written_out(template: Template) -> None:
    routes = {key: name for key, name in template.routes.items() if name.endswith("Webhook")}
    assert routes == WEBHOOK_ROUTES


@pytest.mark.parametrize("function", ADMIN)
def test_an_admin_api_has_just_the_routes_of_its_code(template: Template, function: str) -> None:
    app = importlib.import_module(ADMIN[function]).app
    declared = {key for key, name in template.routes.items() if name == function}
    assert declared == set(_routes_of(app))


def test_every_route_has_a_function_of_its_own_area(template: Template) -> None:
    assert len(template.routes) >= 60
    for key, name in template.routes.items():
        area = "webhooks" if "/webhook/" in key or " /chat/" in key else "admin"
        assert template.functions[name]["Handler"].startswith(f"functions.{area}."), key


def test_no_route_catches_all(template: Template) -> None:
    assert [key for key in template.routes if "+}" in key or "$default" in key or "ANY" in key] == []


def _routes_of(app: FastAPI) -> list[str]:
    return [
        f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods
    ]
