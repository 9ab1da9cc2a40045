"""The Lambda of `/api/bots/{bot_id}/dialogs` and `/api/dialogs/…`."""

from __future__ import annotations

from functions.admin.dialogs.routes import router
from shared import aws
from shared.admin_api.app import Guard, create_app, lambda_handler_of
from shared.queueing.producer import SqsInbound
from shared.settings import AdminSettings, required
from shared.storage.bots import DynamoBots
from shared.storage.dialogs import DynamoDialogs
from shared.storage.history import DynamoHistory

app = create_app(
    router,
    Guard.of(AdminSettings.from_environment()),
    bots=DynamoBots(),
    dialogs=DynamoDialogs(),
    history=DynamoHistory(),
    inbound=SqsInbound(aws.client("sqs"), required("INBOUND_QUEUE_URL")),
)
lambda_handler = lambda_handler_of(app)
