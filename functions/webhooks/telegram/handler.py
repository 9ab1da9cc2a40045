"""`POST /api/webhook/telegram/{bot_id}`"""

from __future__ import annotations

from shared.aws import client
from shared.platforms.telegram import TelegramAdapter
from shared.queueing.producer import SqsInbound
from shared.settings import WebhookSettings
from shared.storage.credential_cache import CredentialCache
from shared.storage.credentials import DynamoCredentials
from shared.webhook.door import Door
from shared.webhook.gateway import LambdaAnswer, LambdaEvent
from shared.webhook.unparsed import UnparsedUpdates

_settings = WebhookSettings.from_environment()
_door = Door(
    adapter=TelegramAdapter(),
    credentials=CredentialCache(DynamoCredentials(client("kms")).reveal),
    inbound=SqsInbound(client("sqs"), _settings.inbound_queue_url),
    unparsed=UnparsedUpdates(lambda: client("s3"), _settings.media_bucket),
)


def lambda_handler(event: LambdaEvent, _context: object) -> LambdaAnswer:
    """Take in an update."""
    return _door.answer(event)
