"""The Lambda of `/api/bots/{bot_id}/media`, `/api/media/…`, and of files' public links."""

from __future__ import annotations

from functions.admin.media.routes import router
from functions.admin.media.shelf import Shelf
from shared.admin_api.app import Guard, create_app, lambda_handler_of
from shared.media.store import media_store
from shared.settings import AdminSettings, MediaSettings
from shared.storage.bots import DynamoBots
from shared.storage.media import DynamoMedia
from shared.storage.scenarios import DynamoScenarios

_settings = MediaSettings.from_environment()

app = create_app(
    router,
    Guard.of(AdminSettings.from_environment()),
    bots=DynamoBots(),
    scenarios=DynamoScenarios(),
    shelf=Shelf(DynamoMedia(), media_store(_settings)),
    media_url=_settings.media_url,
    public_url="",
)
lambda_handler = lambda_handler_of(app)
