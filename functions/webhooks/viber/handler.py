"""`POST /api/webhook/viber/{bot_id}`"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from shared.media.library import Library
from shared.media.links import addresses_below
from shared.platforms.viber import ViberAdapter
from shared.settings import MediaSettings
from shared.storage.bots import DynamoBots
from shared.storage.dialogs import DynamoDialogs
from shared.storage.media import DynamoMedia
from shared.storage.scenarios import DynamoScenarios
from shared.webhook.assembly import door_of
from shared.webhook.gateway import LambdaAnswer, LambdaEvent
from shared.webhook.welcome import Welcomer

_adapter = ViberAdapter()
_media_url = MediaSettings.from_environment().media_url
_library = Library(DynamoMedia(), addresses_below(_media_url), partial(datetime.now, UTC))
_with_files = partial(_library.filled, capabilities=_adapter.capabilities)
_door = door_of(
    _adapter,
    welcomer=Welcomer(DynamoDialogs(), DynamoBots(), DynamoScenarios(), _adapter.welcome, _with_files),
)


def lambda_handler(event: LambdaEvent, _context: object) -> LambdaAnswer:
    """Take in a callback; the answer to an opened chat is the scenario's first message."""
    return _door.answer(event)
