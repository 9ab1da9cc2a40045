"""Messages as calls to Telegram's Bot API, within its limits. No text is ever markup: styles are entities."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shared.dialog.messages import Button, Media, Message, Span
from shared.platforms import formatting
from shared.platforms.base import MEGABYTE, Attachment, Capabilities, MediaLimits

MAX_TEXT = 4096
MAX_CAPTION = 1024
"""As of a text, in UTF-16 units."""
MAX_BUTTONS = 100
"""Undocumented, as are the next three."""
MAX_MARKUP_BYTES = 9_000
"""Keyboards of some 10 kB were refused as "reply markup is too long"."""
MAX_ENTITIES = 100
"""Entities beyond it are not shown."""
MAX_LABEL = 128
"""Far more than a phone shows."""
MAX_ALBUM = 10
MAX_ADDRESSES = 3_000
"""Of the files of one call: as a text, their addresses must fit beside the longest caption."""

CAPABILITIES = Capabilities(
    max_text=MAX_TEXT,
    max_buttons=MAX_BUTTONS,
    max_button_label=MAX_LABEL,
    styles=frozenset({"bold", "italic", "code", "link"}),
    shares=frozenset({"phone", "location"}),
    edits_in_place=True,
    media={
        "image": MediaLimits(
            10 * MEGABYTE,
            frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"}),
            max_sides=10_000,
            max_ratio=20,
        ),
        "video": MediaLimits(50 * MEGABYTE, frozenset({"video/mp4"})),
        "audio": MediaLimits(50 * MEGABYTE, frozenset({"audio/mpeg", "audio/mp4"})),
        "file": MediaLimits(50 * MEGABYTE),
    },
    typing_seconds=5,
)

Markup = dict[str, Any]

_NO_KEYBOARD: Markup = {"remove_keyboard": True}
"""Takes away the keyboard of an earlier message; where there is none it does nothing."""

_MESSAGE_ID = re.compile(r"[1-9][0-9]{0,15}")
_TELEGRAM_LINK = re.compile(r"tg://[a-z0-9_-]+(?:[/?#][^\s\x00-\x1f]*)?", re.IGNORECASE)

_METHODS: Mapping[str, tuple[str, str]] = {
    "image": ("sendPhoto", "photo"),
    "animation": ("sendAnimation", "animation"),
    "video": ("sendVideo", "video"),
    "audio": ("sendAudio", "audio"),
    "file": ("sendDocument", "document"),
}
_ALBUMS: Mapping[str, str] = {"image": "sights", "video": "sights", "audio": "sounds", "file": "files"}
"""What can be in one album: only pictures and videos are mixed, and what moves by itself is in none."""

_MOVES = re.compile(r"[^?#]*\.gif(?:[?#].*)?", re.IGNORECASE)


class Call(msgspec.Struct, frozen=True, gc=False):
    """A method, its parameters and the files it carries; for the rest see `Request`."""

    method: str
    body: Mapping[str, Any]
    instead: Call | None = None
    attachments: tuple[Attachment, ...] = ()
    may_be_refused: bool = False


class _Words(msgspec.Struct, frozen=True, gc=False):
    """The text with what has to be said in words, its styles, and the keyboard if there is one."""

    text: str
    spans: tuple[Span, ...]
    markup: Markup | None

    @property
    def is_blank(self) -> bool:
        return formatting.is_blank(self.text)


def calls(message: Message, chat_id: int | str, degradations: list[str]) -> list[Call]:
    """First what closes an earlier message's buttons, then files, then words, the buttons under the last.

    What takes an earlier message's place is one edit of it.
    """
    groups = _groups(_showable(message, degradations)) if message.media else []
    words = _words(message, degradations)
    if words.is_blank and (not groups or _needs_words(groups[-1], words)):
        degradations.append(formatting.EMPTY_TEXT)
        if words.markup is None:
            return _closing(message, chat_id)
        words = _Words(formatting.ELLIPSIS, (), words.markup)
    if message.replaces:
        if _MESSAGE_ID.fullmatch(message.replaces) and _is_inline(words.markup):
            edit = _edit(int(message.replaces), groups, words, chat_id, degradations)
            return [*_closing(message, chat_id), edit]
        degradations.append(formatting.SENT_ANEW)
    return [*_closing(message, chat_id), *_sent(groups, words, chat_id, degradations)]


def _closing(message: Message, chat_id: int | str) -> list[Call]:
    """An edit that names no keyboard takes the message's away. One that is replaced gets its own anew."""
    if message.closes == message.replaces or not _MESSAGE_ID.fullmatch(message.closes):
        return []
    closed = {"chat_id": chat_id, "message_id": int(message.closes)}
    return [Call("editMessageReplyMarkup", closed, may_be_refused=True)]


def _is_inline(markup: Markup | None) -> bool:
    """Whether a message can be changed to have it; to none at all it can."""
    return markup is None or "inline_keyboard" in markup


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────


def _showable(message: Message, degradations: list[str]) -> list[Media]:
    files = [file for file in message.media if _is_showable(file)]
    degradations += [formatting.MEDIA_AS_FILE] * any(_shown_as(file) != file.type for file in files)
    return files


def _is_showable(file: Media) -> bool:
    """Whether Telegram knows it, is handed it, or may be able to fetch it; others are their addresses."""
    is_there = file.file_id or file.storage_path or formatting.is_web_link(file.url)
    return bool(is_there and _shown_as(file)) and _room_for([file]) <= MAX_ADDRESSES


def _shown_as(file: Media) -> str:
    return CAPABILITIES.shown_as(file.type, file.content_type, file.size, file.width, file.height)


def _kind(file: Media) -> str:
    """A picture that moves stands still as a photo."""
    shown = _shown_as(file)
    return "animation" if shown == "image" and _moves(file) else shown


def _moves(file: Media) -> bool:
    if file.content_type:
        return file.content_type == "image/gif"
    return _MOVES.fullmatch(file.url) is not None


def _room_for(files: Sequence[Media]) -> int:
    return sum(formatting.utf16_length(file.url) + 1 for file in files)


def _groups(files: Sequence[Media]) -> list[list[Media]]:
    """The files in order, as albums where neighbours can be in one."""
    groups: list[list[Media]] = []
    for file in files:
        if groups and _goes_with(groups[-1], file):
            groups[-1].append(file)
        else:
            groups.append([file])
    return groups


def _goes_with(group: Sequence[Media], file: Media) -> bool:
    album = _ALBUMS.get(_kind(file))
    is_alike = album is not None and album == _ALBUMS.get(_kind(group[0]))
    return is_alike and len(group) < MAX_ALBUM and _room_for([*group, file]) <= MAX_ADDRESSES


def _needs_words(group: Sequence[Media], words: _Words) -> bool:
    """An album has no buttons: there must be a message behind it that does."""
    return len(group) > 1 and words.markup is not None


def _is_captioned(group: Sequence[Media], words: _Words) -> bool:
    fits = formatting.utf16_length(words.text) <= MAX_CAPTION
    return fits and not _needs_words(group, words)


def _sent(
    groups: Sequence[Sequence[Media]], words: _Words, chat_id: int | str, degradations: list[str]
) -> list[Call]:
    """The words are the last files' caption where they can be, and else messages of their own behind them."""
    if groups and _is_captioned(groups[-1], words):
        return [*(_shown(group, chat_id) for group in groups[:-1]), _shown(groups[-1], chat_id, words)]
    degradations += [formatting.CAPTION_APART] * bool(groups)
    bodies = _bodies(words, chat_id, degradations)
    bodies[-1]["reply_markup"] = words.markup or _NO_KEYBOARD
    said = [Call("sendMessage", body) for body in bodies]
    return [*(_shown(group, chat_id) for group in groups), *said] if groups else said


def _shown(group: Sequence[Media], chat_id: int | str, words: _Words | None = None) -> Call:
    """One call for one file or an album; in its place, one text with the addresses if there are any."""
    caption = _caption(words) if words else {}
    markup = {"reply_markup": words.markup or _NO_KEYBOARD} if words else {}
    text = {**_with_addresses(group, words, chat_id), **markup}
    instead = Call("sendMessage", text) if not formatting.is_blank(text["text"]) else None
    carried = tuple(_attachment(file, place) for place, file in enumerate(group) if _is_carried(file))
    if len(group) == 1:
        method, field = _METHODS[_kind(group[0])]
        body = {"chat_id": chat_id, field: _source(group[0], 0), **caption, **markup}
        return Call(method, body, instead, carried)
    media: list[dict[str, Any]] = [
        {"type": _METHODS[_kind(file)][1], "media": _source(file, place)} for place, file in enumerate(group)
    ]
    media[0] |= caption
    return Call("sendMediaGroup", {"chat_id": chat_id, "media": media}, instead, carried)


def _is_carried(file: Media) -> bool:
    return bool(file.storage_path) and not file.file_id


def _source(file: Media, place: int) -> str:
    """What Telegram has the file by: its own name of it, a part of the request, or an address."""
    return file.file_id or (f"attach://{_part(place)}" if file.storage_path else file.url)


def _part(place: int) -> str:
    return f"file{place}"


def _attachment(file: Media, place: int) -> Attachment:
    name = formatting.file_name(file.file_name) or file.storage_path.rpartition("/")[2]
    return Attachment(_part(place), file.media_id, file.storage_path, file.content_type, name, place)


def _caption(words: _Words) -> dict[str, Any]:
    if words.is_blank:
        return {}
    entities = _entities(words.text, words.spans)
    return {"caption": words.text, **({"caption_entities": entities} if entities else {})}


def _with_addresses(group: Sequence[Media], words: _Words | None, chat_id: int | str) -> dict[str, Any]:
    said = Message(words.text, words.spans) if words else Message("")
    said = formatting.with_media_as_links(msgspec.structs.replace(said, media=tuple(group)), [])
    return _body(said.text, said.spans, chat_id)


# ── An earlier message changed ───────────────────────────────────────────────────────────────────────


def _edit(
    message_id: int,
    groups: Sequence[Sequence[Media]],
    words: _Words,
    chat_id: int | str,
    degradations: list[str],
) -> Call:
    """Of a text of several messages only the last has buttons: so it is the one that was pressed.

    Files stay what they are: their caption is changed, or only the buttons where there is none.
    """
    markup = {"reply_markup": words.markup} if words.markup else {}
    head = {"chat_id": chat_id, "message_id": message_id}
    if not (groups and _is_captioned(groups[-1], words)):
        return Call("editMessageText", {**_bodies(words, chat_id, degradations)[-1], **head, **markup})
    if words.is_blank:
        return Call("editMessageReplyMarkup", {**head, **markup})
    text = Call("editMessageText", {**_with_addresses(groups[-1], words, chat_id), **head, **markup})
    return Call("editMessageCaption", {**head, **_caption(words), **markup}, text)


# ── Words ────────────────────────────────────────────────────────────────────────────────────────────


def _words(message: Message, degradations: list[str]) -> _Words:
    if message.media:
        unshown = tuple(file for file in message.media if not _is_showable(file))
        message = formatting.with_media_as_links(
            msgspec.structs.replace(message, media=unshown), degradations
        )
    text, spans = message.text, message.spans
    if spans:
        text, spans = _with_links(text, spans, degradations)
    if not message.buttons:
        return _Words(text, spans, None)
    sharing = [button for button in message.buttons if button.share]
    lay_out = _reply_keyboard if sharing else _inline_keyboard
    text, markup = lay_out(text, message, degradations)
    return _Words(text, spans, markup)


def _with_links(text: str, spans: Sequence[Span], degradations: list[str]) -> tuple[str, tuple[Span, ...]]:
    """The text and the spans that entities can show, with the address behind a link that none can."""
    text, shown = formatting.links_spelled_out(text, spans, unless=_is_link)
    if len(shown) < len(spans):
        degradations.append(formatting.LINKS_AS_TEXT)
    if len(shown) > MAX_ENTITIES:
        degradations.append(formatting.STYLES_DROPPED)
    return text, shown


def _bodies(words: _Words, chat_id: int | str, degradations: list[str]) -> list[dict[str, Any]]:
    """The text in as many messages as it takes."""
    text, spans = words.text, words.spans
    if len(text) * 2 <= MAX_TEXT or formatting.utf16_length(text) <= MAX_TEXT:
        return [_body(text, spans, chat_id)]
    degradations.append(formatting.TEXT_SPLIT)
    parts = formatting.split(text, MAX_TEXT, lambda start, end: formatting.utf16_length(text[start:end]))
    return [_body(text[start:end], formatting.clipped(spans, start, end), chat_id) for start, end in parts]


def _body(text: str, spans: Sequence[Span], chat_id: int | str) -> dict[str, Any]:
    body: dict[str, Any] = {"chat_id": chat_id, "text": text}
    if spans and (entities := _entities(text, spans)):
        body["entities"] = entities
    return body


def _entities(text: str, spans: Sequence[Span]) -> list[dict[str, Any]]:
    entities = (_entity(text, span) for span in spans)
    return [entity for entity in entities if entity][:MAX_ENTITIES]


def _entity(text: str, span: Span) -> dict[str, Any] | None:
    """The span in UTF-16 code units."""
    length = formatting.utf16_length(text[span.start : span.end])
    if not length:
        return None
    offset = formatting.utf16_length(text[: span.start])
    if span.style != "link":
        return {"type": span.style, "offset": offset, "length": length}
    return {"type": "text_link", "offset": offset, "length": length, "url": span.url}


# ── Keyboards ────────────────────────────────────────────────────────────────────────────────────────


def _reply_keyboard(text: str, message: Message, degradations: list[str]) -> tuple[str, Markup]:
    """The keyboard that takes the place of the letters: only such a one can share.

    One message has one keyboard: so choices are in this one too, and are typed by being pressed.
    """
    shown = [button for button in message.buttons if button.data or button.share]
    labels: list[str] = []
    if not _can_be_typed(shown, message):
        shown = [button for button in shown if button.share]
        labels = formatting.labels_by_number(message)
    _note_cut_labels(shown, MAX_LABEL, degradations)
    text = _written_out(text, labels, formatting.links_of(message), degradations)
    keys = [[_key(button)] for button in shown]
    return text, {"keyboard": keys, "resize_keyboard": True, "one_time_keyboard": True}


def _can_be_typed(buttons: Sequence[Button], message: Message) -> bool:
    """A key writes what is on it: so it must be the whole label, and is no way to take one of several."""
    is_whole = all(len(formatting.label_of(button)) <= MAX_LABEL for button in buttons if button.data)
    return is_whole and not message.several and not _are_too_many([_key(button) for button in buttons])


def _key(button: Button) -> dict[str, Any]:
    key: dict[str, Any] = {"text": formatting.cut(formatting.label_of(button), MAX_LABEL)}
    if button.share == "phone":
        return {**key, "request_contact": True}
    return {**key, "request_location": True} if button.share else key


def _inline_keyboard(text: str, message: Message, degradations: list[str]) -> tuple[str, Markup | None]:
    """The text with what no keyboard can hold, and the buttons under the message, one a row."""
    shown = [button for button in message.buttons if _has_key(button)]
    room = MAX_LABEL - (len(formatting.TAKEN) if message.several else 0)
    rows = [[_button(button, room, is_taken=message.several and button.selected)] for button in shown]
    untaken = sum(not button.selected for button in shown) if message.several else 0
    if _are_too_many(rows, marks=untaken):
        labels = formatting.labels_by_number(message)
        return _written_out(text, labels, formatting.links_of(message), degradations), None
    _note_cut_labels(shown, room, degradations)
    if len(shown) < len(message.buttons):
        unshown = [button for button in message.buttons if not _has_key(button)]
        text = _written_out(text, (), unshown, degradations)
    return text, {"inline_keyboard": rows} if rows else None


def _has_key(button: Button) -> bool:
    return bool(button.data) or _is_link(button.url)


def _button(button: Button, room: int, *, is_taken: bool) -> dict[str, Any]:
    words = formatting.cut(formatting.label_of(button), room)
    text = formatting.TAKEN + words if is_taken else words
    return {"text": text, "callback_data": button.data} if button.data else {"text": text, "url": button.url}


def _are_too_many(rows: Sequence[Any], marks: int = 0) -> bool:
    """Room is kept for so many more marks: choices must not become text by being taken."""
    size = len(msgspec.json.encode(rows)) + marks * len(formatting.TAKEN.encode())
    return len(rows) > MAX_BUTTONS or size > MAX_MARKUP_BYTES


def _note_cut_labels(buttons: Sequence[Button], room: int, degradations: list[str]) -> None:
    long = [button for button in buttons if len(button.text) > room]
    if long and any(len(formatting.label_of(button)) > room for button in long):
        degradations.append(formatting.LABEL_CUT)


def _written_out(text: str, labels: Sequence[str], links: Sequence[Button], degradations: list[str]) -> str:
    degradations += [formatting.CHOICES_AS_TEXT] * bool(labels)
    degradations += [formatting.LINKS_AS_TEXT] * bool(links)
    return formatting.written_out(text, labels, links)


def _is_link(url: str) -> bool:
    return formatting.is_web_link(url) or _TELEGRAM_LINK.fullmatch(url) is not None
