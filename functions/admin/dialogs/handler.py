"""The Lambda of dialogs, and of what their runs came to."""

from __future__ import annotations

from functools import partial

from functions.admin.dialogs.routes import router
from shared import aws
from shared.admin_api.app import Guard, create_app, lambda_handler_of
from shared.media.store import S3Store
from shared.queueing.producer import SqsExports, SqsInbound
from shared.results.columns import ResultColumns
from shared.settings import AdminSettings, required
from shared.storage.bots import DynamoBots
from shared.storage.dialogs import DynamoDialogs
from shared.storage.exports import DynamoExports
from shared.storage.history import DynamoHistory
from shared.storage.results import DynamoResults
from shared.storage.scenarios import DynamoScenarios

app = create_app(
    router,
    Guard.of(AdminSettings.from_environment()),
    bots=DynamoBots(),
    dialogs=DynamoDialogs(),
    history=DynamoHistory(),
    inbound=SqsInbound(aws.client("sqs"), required("INBOUND_QUEUE_URL")),
    results=DynamoResults(),
    columns=ResultColumns(DynamoScenarios()),
    exports=DynamoExports(),
    export_queue=SqsExports(aws.client("sqs"), required("EXPORTS_QUEUE_URL")),
    export_files=S3Store(partial(aws.store_client, "", "", None), required("MEDIA_BUCKET")),
)
lambda_handler = lambda_handler_of(app)
