"""The Lambda of `/api/accounts/{account_id}/bots` and `/api/bots/{id}`."""

from __future__ import annotations

from functions.admin.bots.routes import router
from shared.admin_api.app import Guard, create_app, lambda_handler_of
from shared.settings import AdminSettings
from shared.storage.bots import DynamoBots

app = create_app(router, Guard.of(AdminSettings.from_environment()), bots=DynamoBots())
lambda_handler = lambda_handler_of(app)
