"""`POST /api/webhook/viber/{bot_id}`"""

from __future__ import annotations

from shared.platforms.viber import ViberAdapter
from shared.storage.bots import DynamoBots
from shared.storage.dialogs import DynamoDialogs
from shared.storage.scenarios import DynamoScenarios
from shared.webhook.assembly import door_of
from shared.webhook.gateway import LambdaAnswer, LambdaEvent
from shared.webhook.welcome import Welcomer

_adapter = ViberAdapter()
_door = door_of(
    _adapter, welcomer=Welcomer(DynamoDialogs(), DynamoBots(), DynamoScenarios(), _adapter.welcome)
)


def lambda_handler(event: LambdaEvent, _context: object) -> LambdaAnswer:
    """Take in a callback; the answer to an opened chat is the scenario's first message."""
    return _door.answer(event)
