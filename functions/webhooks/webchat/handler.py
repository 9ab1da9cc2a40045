"""`GET` and `HEAD /chat/{bot_id}`, and `GET`, `POST`, `OPTIONS /api/webhook/webchat/{bot_id}`"""

from __future__ import annotations

from pathlib import Path

from shared.aws import client
from shared.platforms.webchat import WebchatAdapter
from shared.queueing.producer import SqsInbound
from shared.settings import required
from shared.storage.bots import DynamoBots
from shared.storage.credential_cache import CredentialCache
from shared.storage.credentials import DynamoCredentials
from shared.storage.dialogs import DynamoDialogs
from shared.storage.history import DynamoHistory
from shared.webchat.door import ChatDoor
from shared.webchat.page import PageDoor, Sources
from shared.webhook.gateway import LambdaAnswer, LambdaEvent

PAGE_ROUTES = ("GET /chat/{bot_id}", "HEAD /chat/{bot_id}")

_credentials = CredentialCache(DynamoCredentials(client("kms")).reveal)
_chat = ChatDoor(
    adapter=WebchatAdapter(),
    credentials=_credentials,
    inbound=SqsInbound(client("sqs"), required("INBOUND_QUEUE_URL")),
    dialogs=DynamoDialogs(),
    history=DynamoHistory(),
)
_page = PageDoor(_credentials, DynamoBots().get, Sources(Path(__file__).parent))


def lambda_handler(event: LambdaEvent, _context: object) -> LambdaAnswer:
    """Show the page, take in what a person does, or list what was said."""
    door = _page if event.get("routeKey") in PAGE_ROUTES else _chat
    return door.answer(event)
