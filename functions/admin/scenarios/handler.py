"""The Lambda of `/api/bots/{bot_id}/scenarios` and `/api/scenarios/…`."""

from __future__ import annotations

from functions.admin.scenarios.preview import Previews
from functions.admin.scenarios.routes import router
from functions.admin.scenarios.trial import Trials
from shared import aws
from shared.admin_api.app import Guard, create_app, lambda_handler_of
from shared.queueing.producer import SqsTasks
from shared.settings import AdminSettings, MessengerSettings, required
from shared.storage.bots import DynamoBots
from shared.storage.scenarios import DynamoScenarios

_trials = Trials()

app = create_app(
    router,
    Guard.of(AdminSettings.from_environment()),
    bots=DynamoBots(),
    scenarios=DynamoScenarios(),
    tasks=SqsTasks(aws.client("sqs"), required("TASKS_QUEUE_URL")),
    trials=_trials,
    previews=Previews(_trials, MessengerSettings.from_environment()),
)
lambda_handler = lambda_handler_of(app)
