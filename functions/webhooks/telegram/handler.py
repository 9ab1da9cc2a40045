"""`POST /api/webhook/telegram/{bot_id}`"""

from __future__ import annotations

from shared.platforms.telegram import TelegramAdapter
from shared.webhook.assembly import door_of
from shared.webhook.gateway import LambdaAnswer, LambdaEvent

_door = door_of(TelegramAdapter())


def lambda_handler(event: LambdaEvent, _context: object) -> LambdaAnswer:
    """Take in an update."""
    return _door.answer(event)
