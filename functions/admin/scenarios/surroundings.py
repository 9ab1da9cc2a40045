"""What a bot has beside a scenario, as far as the linter has something to say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from functions.admin.scenarios.calling import Called
from shared.media.base import MediaFile
from shared.platforms import PLATFORMS, adapter_for
from shared.platforms.base import Capabilities
from shared.scenario.linter import Library, LibraryFile
from shared.scenario.linting.steps import Raw, files_of, input_of
from shared.storage.bot_settings import LLM, is_secret, names_of, secret_name_of
from shared.storage.bots import Bot
from shared.storage.credentials import is_connected
from shared.storage.media import DynamoMedia

MAX_FILES = 200
"""Of a scenario that are looked up; those beyond are taken to be there, and what is said of them."""

MAX_SETTINGS = 1000
"""Of a bot that are looked at; nothing is said of what a bot with more of them has."""

_records = DynamoMedia()


def library_of(bot: Bot, document: Raw, called: Called, scenario_id: str = "") -> Library:
    """What is called, the files that are shown, what messengers can show, and what the bot is set up with."""
    settings = names_of(bot.id, MAX_SETTINGS) if any(map(_needs_settings, document["steps"])) else None
    return Library(
        scenarios=called.documents,
        media=_files_of(bot, [document, *called.documents.values()]),
        messengers=_messengers_of(bot),
        contact=bot.contact_fields,
        has_model=None if settings is None else LLM in settings,
        secrets=None if settings is None else set(map(secret_name_of, filter(is_secret, settings))),
        scenario_id=scenario_id,
    )


def _needs_settings(step: Raw) -> bool:
    return any(step.get(name) for name in ("llm", "http")) or bool(input_of(step).get("understand"))


def _messengers_of(bot: Bot) -> Mapping[str, Capabilities]:
    connected = (platform for platform in PLATFORMS if is_connected(bot.id, platform))
    return {platform: adapter_for(platform).capabilities for platform in connected}


def _files_of(bot: Bot, documents: Sequence[Raw]) -> dict[str, LibraryFile]:
    shown: dict[str, str] = {}
    for media in (media for document in documents for _, media in files_of(document)):
        shown.setdefault(media["media_id"], media.get("type") or "image")
    known = dict(list(shown.items())[MAX_FILES:])
    files = {media_id: LibraryFile(file_type) for media_id, file_type in known.items()}
    for media_id in list(shown)[:MAX_FILES]:
        file = _records.find(media_id)
        if file and file.bot_id == bot.id and not file.dialog_id:
            files[media_id] = _facts_of(file)
    return files


def _facts_of(file: MediaFile) -> LibraryFile:
    return LibraryFile(
        file_type=file.file_type,
        is_ready=file.status == "ready",
        content_type=file.content_type,
        size=file.size,
        width=file.width,
        height=file.height,
        fitted=frozenset(file.variants),
    )
