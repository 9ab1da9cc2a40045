"""`POST` and, for its verification, `GET /api/webhook/whatsapp/{bot_id}`"""

from __future__ import annotations

from shared.platforms.whatsapp import WhatsAppAdapter, verify_subscription
from shared.webhook.assembly import door_of
from shared.webhook.gateway import LambdaAnswer, LambdaEvent

_door = door_of(WhatsAppAdapter(), challenge=verify_subscription)


def lambda_handler(event: LambdaEvent, _context: object) -> LambdaAnswer:
    """Take in an update."""
    return _door.answer(event)
