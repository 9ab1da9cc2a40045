"""The Lambda of `/api/accounts/{account_id}/bots` and `/api/bots/{id}`."""

from __future__ import annotations

from functions.admin.bots.connections import Connections
from functions.admin.bots.deleting import Deleting
from functions.admin.bots.routes import router
from shared import aws
from shared.admin_api.app import Guard, create_app, lambda_handler_of
from shared.connecting.registrar import Registrar
from shared.queueing.producer import SqsDeletions
from shared.settings import AdminSettings, ConnectingSettings, required
from shared.storage.bots import DynamoBots
from shared.storage.credentials import DynamoCredentials

_settings = ConnectingSettings.from_environment()
_bots = DynamoBots()
_credentials = DynamoCredentials(aws.client("kms"))
_deletions = SqsDeletions(aws.client("sqs"), required("DELETIONS_QUEUE_URL"))

app = create_app(
    router,
    Guard.of(AdminSettings.from_environment()),
    bots=_bots,
    deleting=Deleting(_bots, _deletions),
    switching=Connections(_credentials, Registrar(_settings, _credentials)),
    public_url=_settings.public_url,
)
lambda_handler = lambda_handler_of(app)
