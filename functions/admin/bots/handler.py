"""The Lambda of `/api/accounts/{account_id}/bots` and `/api/bots/{id}`."""

from __future__ import annotations

from functions.admin.bots.connections import Connections
from functions.admin.bots.routes import router
from shared import aws
from shared.admin_api.app import Guard, create_app, lambda_handler_of
from shared.connecting.registrar import Registrar
from shared.settings import AdminSettings, ConnectingSettings
from shared.storage.bots import DynamoBots
from shared.storage.credentials import DynamoCredentials

_settings = ConnectingSettings.from_environment()
_credentials = DynamoCredentials(aws.client("kms"))

app = create_app(
    router,
    Guard.of(AdminSettings.from_environment()),
    bots=DynamoBots(),
    switching=Connections(_credentials, Registrar(_settings, _credentials)),
    public_url=_settings.public_url,
)
lambda_handler = lambda_handler_of(app)
