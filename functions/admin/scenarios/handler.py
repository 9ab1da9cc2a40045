"""The Lambda of `/api/bots/{bot_id}/scenarios` and `/api/scenarios/…`."""

from __future__ import annotations

from functions.admin.scenarios.preview import Previews
from functions.admin.scenarios.routes import router
from functions.admin.scenarios.trial import Trials
from shared import aws
from shared.admin_api.app import Guard, create_app, lambda_handler_of
from shared.media.library import Library
from shared.media.links import addresses_below
from shared.queueing.producer import SqsTasks
from shared.settings import AdminSettings, PreviewSettings, required
from shared.storage.bots import DynamoBots
from shared.storage.clock import utc_now
from shared.storage.media import DynamoMedia
from shared.storage.scenarios import DynamoScenarios

_settings = PreviewSettings.from_environment()
_library = Library(DynamoMedia(), addresses_below(_settings.media_url), utc_now)
_trials = Trials()

app = create_app(
    router,
    Guard.of(AdminSettings.from_environment()),
    bots=DynamoBots(),
    scenarios=DynamoScenarios(),
    tasks=SqsTasks(aws.client("sqs"), required("TASKS_QUEUE_URL")),
    trials=_trials,
    previews=Previews(_trials, _library, _settings),
)
lambda_handler = lambda_handler_of(app)
