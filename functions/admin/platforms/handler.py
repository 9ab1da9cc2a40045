"""The Lambda of `/api/bots/{bot_id}/platforms`."""

from __future__ import annotations

from functions.admin.platforms.routes import router
from shared import aws
from shared.admin_api.app import Guard, create_app, lambda_handler_of
from shared.settings import AdminSettings
from shared.storage.bots import DynamoBots
from shared.storage.credentials import DynamoCredentials

app = create_app(
    router,
    Guard.of(AdminSettings.from_environment()),
    bots=DynamoBots(),
    credentials=DynamoCredentials(aws.client("kms")),
)
lambda_handler = lambda_handler_of(app)
