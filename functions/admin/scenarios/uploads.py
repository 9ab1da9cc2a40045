"""What messengers are given ahead of the messages that show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

from functions.admin.scenarios.surroundings import MAX_FILES
from shared.errors import NotAccepted
from shared.media.library import way_of
from shared.observability import logger
from shared.platforms import PLATFORMS
from shared.queueing.envelopes import UploadEnvelope
from shared.queueing.producer import SqsTasks
from shared.scenario.linting.steps import files_of
from shared.storage.bots import Bot
from shared.storage.credentials import is_connected


def upload_ahead(bot: Bot, documents: list[Mapping[str, Any]], tasks: SqsTasks) -> None:
    """Ask for the files of an activation, which stands even if that fails: the first message asks again."""
    try:
        for work in _uploads(bot, documents):
            tasks.upload(work)
    except NotAccepted as error:
        logger.error("files are not uploaded ahead", extra={"bot_id": bot.id, "reason": str(error)})


def _uploads(bot: Bot, documents: list[Mapping[str, Any]]) -> Iterator[UploadEnvelope]:
    found = dict.fromkeys(media["media_id"] for document in documents for _, media in files_of(document))
    media_ids = list(found)[:MAX_FILES]
    uploading = (name for name in PLATFORMS if media_ids and way_of(name) == "uploaded")
    for platform in uploading:
        if is_connected(bot.id, platform):
            for media_id in media_ids:
                yield UploadEnvelope(
                    bot_id=bot.id, platform=platform, media_id=media_id, trace_id=str(uuid4())
                )
