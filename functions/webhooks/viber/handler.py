"""`POST /api/webhook/viber/{bot_id}`"""

from __future__ import annotations

from shared.aws import client
from shared.platforms.viber import ViberAdapter
from shared.queueing.producer import SqsInbound
from shared.settings import WebhookSettings
from shared.storage.bots import DynamoBots
from shared.storage.credential_cache import CredentialCache
from shared.storage.credentials import DynamoCredentials
from shared.storage.dialogs import DynamoDialogs
from shared.storage.scenarios import DynamoScenarios
from shared.webhook.door import Door
from shared.webhook.gateway import LambdaAnswer, LambdaEvent
from shared.webhook.unparsed import UnparsedUpdates
from shared.webhook.welcome import Welcomer

_settings = WebhookSettings.from_environment()
_adapter = ViberAdapter()
_door = Door(
    adapter=_adapter,
    credentials=CredentialCache(DynamoCredentials(client("kms")).reveal),
    inbound=SqsInbound(client("sqs"), _settings.inbound_queue_url),
    unparsed=UnparsedUpdates(lambda: client("s3"), _settings.media_bucket),
    welcomer=Welcomer(DynamoDialogs(), DynamoBots(), DynamoScenarios(), _adapter.welcome),
)


def lambda_handler(event: LambdaEvent, _context: object) -> LambdaAnswer:
    """Take in a callback; the answer to an opened chat is the scenario's first message."""
    return _door.answer(event)
