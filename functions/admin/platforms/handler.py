"""The Lambda of `/api/bots/{bot_id}/platforms`."""

from __future__ import annotations

from functions.admin.platforms.connecting import Connections
from functions.admin.platforms.routes import router
from shared import aws
from shared.admin_api.app import Guard, create_app, lambda_handler_of
from shared.connecting.registrar import Registrar
from shared.settings import AdminSettings, ConnectingSettings
from shared.storage.bots import DynamoBots
from shared.storage.credentials import DynamoCredentials
from shared.storage.scenarios import DynamoScenarios

_settings = ConnectingSettings.from_environment()
_credentials = DynamoCredentials(aws.client("kms"))

app = create_app(
    router,
    Guard.of(AdminSettings.from_environment()),
    bots=DynamoBots(),
    credentials=_credentials,
    connections=Connections(_credentials, DynamoScenarios(), Registrar(_settings, _credentials)),
    public_url=_settings.public_url,
)
lambda_handler = lambda_handler_of(app)
