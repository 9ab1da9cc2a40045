"""A messenger's webhook, put together from what its deployment tells it."""

from __future__ import annotations

from shared.aws import client
from shared.platforms.base import PlatformAdapter
from shared.queueing.producer import SqsInbound, SqsReceipts
from shared.settings import WebhookSettings
from shared.storage.credential_cache import CredentialCache
from shared.storage.credentials import DynamoCredentials
from shared.webhook.door import Challenge, Door
from shared.webhook.unparsed import UnparsedUpdates
from shared.webhook.welcome import Welcomer


def door_of(
    adapter: PlatformAdapter, *, challenge: Challenge | None = None, welcomer: Welcomer | None = None
) -> Door:
    """The door, with the real collaborators in hand. Raises `MissingSetting`."""
    settings = WebhookSettings.from_environment()
    receipts = settings.receipts_queue_url
    return Door(
        adapter=adapter,
        credentials=CredentialCache(DynamoCredentials(client("kms")).reveal),
        inbound=SqsInbound(client("sqs"), settings.inbound_queue_url),
        unparsed=UnparsedUpdates(lambda: client("s3"), settings.media_bucket),
        challenge=challenge,
        welcomer=welcomer,
        receipts=SqsReceipts(client("sqs"), receipts) if receipts else None,
    )
