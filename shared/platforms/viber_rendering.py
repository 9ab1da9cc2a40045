"""Messages in Viber's terms: what `send_message` says, without whom it goes to and who says it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import msgspec

from shared.dialog.messages import Button, Media, Message
from shared.platforms import formatting
from shared.platforms.base import MEGABYTE, Capabilities, MediaLimits
from shared.platforms.formatting import utf16_length
from shared.platforms.markup import Markup, parts

MAX_REQUEST_BYTES = 29_900
"""The limit is 30 kB, whichever kB is meant; some air is left."""
_LEAST_ROOM = 1000
"""For a text beside the largest keyboard; only an avatar's address without end could leave less."""
MAX_BUTTON_TEXT = 250
"""Of a label as it is sent, in HTML."""
MAX_ACTION_BODY = 100
"""In bytes: what a button carries on an iPhone; Android takes 250."""
MAX_CAPTION = 512
MAX_MEDIA_ADDRESS = 2000
MAX_FILE_NAME = 256
MAX_VIDEO_SECONDS = 180
"""Not confirmed; a longer video goes as a file."""
SHARING_API_VERSION = 3
"""The least that a client must know to share a phone number or a place."""

CAPABILITIES = Capabilities(
    max_text=7000,
    max_buttons=12,
    max_button_label=MAX_BUTTON_TEXT,
    styles=frozenset({"bold", "italic", "code"}),
    shares=frozenset({"phone", "location"}),
    receipts_by_message_id=True,
    media={
        "image": MediaLimits(1 * MEGABYTE, frozenset({"image/jpeg", "image/png"})),
        "video": MediaLimits(26 * MEGABYTE, frozenset({"video/mp4"})),
        "file": MediaLimits(50 * MEGABYTE),
    },
)
"""A picture of 1 MB is what an iPhone shows; Android shows 3. There is no sound."""

_SHARES = {"phone": "share-phone", "location": "location-picker"}

_PICTURE = re.compile(r"https?://[^/?#]+/[^?#]*[^/?#]\.(?:jpe?g|png)(?:[?#].*)?", re.IGNORECASE)
"""Viber tells a picture by the end of its address. A GIF may be animated, which it does not show."""
_VIDEO = re.compile(r"https?://[^/?#]+/[^?#]*[^/?#]\.mp4(?:[?#].*)?", re.IGNORECASE)

_REFUSED = frozenset(
    (
        "action apk app bat bin cmd com command cpl csh ex_ exe gadget inf1 ins inx ipa isu job jse ksh lnk "
        "msc msi msp mst osx out paf pif prg ps1 reg rgs run sct shb shs u3p vb vbe vbs vbscript workflow ws "
        "wsf"
    ).split()
)
"""Ends of the names of files that Viber does not pass on."""

# Shown by clients of Viber 14.6 and later; older ones show the markers.
_MARKUP = Markup({"bold": "*", "italic": "_", "code": "```"}, has_lists=False)

Content = dict[str, Any]
"""A message as Viber has it, without its receiver and sender."""

_FILES = ("picture", "video", "file")
_AROUND = ("keyboard", "min_api_version")
"""What stands below any kind of message."""


def cut(text: str, limit: int, length: Callable[[str], int] = utf16_length) -> str:
    """The text in at most `limit`, with an ellipsis where something is missing."""
    if length(text) <= limit:
        return text
    kept = text[:limit]
    while (over := length(kept) + 1 - limit) > 0:
        kept = kept[: -max(1, over // 6)]
    return kept.rstrip() + formatting.ELLIPSIS


# ── Words and files ──────────────────────────────────────────────────────────────────────────────────


def laid_out(message: Message, envelope: Content, degradations: list[str]) -> list[Content]:
    """What is sent in order, none of it too large: files, then words; the keyboard is the last one's."""
    shown = [(media, _shown(media)) for media in message.media]
    degradations += [formatting.MEDIA_AS_FILE] * any(map(_is_only_a_file, message.media))
    others = tuple(media for media, content in shown if content is None)
    words = formatting.with_media_as_links(msgspec.structs.replace(message, media=others), degradations)
    text, keyboard = _keyboard(words, degradations) if words.buttons else (words.text, {})
    contents = [content for _, content in shown if content]
    if _are_alone(others, message) and text == words.text:
        contents += [{"type": "url", "media": media.url} for media in others]
    else:
        texts = _texts(words, text, {**envelope, **keyboard}, degradations)
        contents = _captioned(contents, texts, words, {**envelope, **keyboard})
    if not contents:
        degradations.append(formatting.EMPTY_TEXT)
        contents = [{"type": "text", "text": formatting.ELLIPSIS}] if keyboard else []
    return [*contents[:-1], *({**last, **keyboard} for last in contents[-1:])]


def _shown(media: Media) -> Content | None:
    """The file as Viber shows it, or None: videos and other files want their size, which not all have."""
    address = media.url
    if len(address) > MAX_MEDIA_ADDRESS or not address.isascii() or not formatting.is_web_link(address):
        return None
    shown = CAPABILITIES.shown_as(media.type, media.content_type, media.size)
    if shown == "image" and _PICTURE.fullmatch(address):
        return {"type": "picture", "text": "", "media": address}
    if shown == "video" and _VIDEO.fullmatch(address) and media.size and _lasts(media):
        return {"type": "video", "media": address, "size": media.size, **_duration(media)}
    name = _name_of(media)
    is_file = bool(name and media.size and CAPABILITIES.shown_as("file", media.content_type, media.size))
    return {"type": "file", "media": address, "size": media.size, "file_name": name} if is_file else None


def _is_only_a_file(media: Media) -> bool:
    content = _shown(media)
    return content is not None and content["type"] == "file" and media.type != "file"


def _lasts(media: Media) -> bool:
    return media.duration_seconds <= MAX_VIDEO_SECONDS


def _duration(media: Media) -> dict[str, int]:
    return {"duration": round(media.duration_seconds)} if media.duration_seconds else {}


def _name_of(media: Media) -> str:
    """The file's name, if Viber takes it: with an end, by which a phone knows what to do with it."""
    name = formatting.file_name(media.file_name)
    is_taken = name.rpartition(".")[2].lower() not in _REFUSED and utf16_length(name) <= MAX_FILE_NAME
    return name if is_taken else ""


def _are_alone(files: Sequence[Media], message: Message) -> bool:
    """Whether there are files without a word beside: the address of each is a message with a preview."""
    if not files or not formatting.is_blank(message.text):
        return False
    return all(len(f.url) <= MAX_MEDIA_ADDRESS and formatting.is_web_link(f.url) for f in files)


def without_file(content: Content) -> Content | None:
    """The words and the address of the file in its place; None of what shows none."""
    if content["type"] not in _FILES:
        return None
    text = "\n\n".join(filter(None, (content.get("text"), content["media"])))
    return {"type": "text", "text": text, **_around(content)}


def without_share(content: Content) -> Content | None:
    """The same for an old app, which cannot share; None of what asks for nothing that is new."""
    if "min_api_version" not in content:
        return None
    buttons = [each for each in content["keyboard"]["Buttons"] if each["ActionType"] not in _SHARES.values()]
    kept = {name: value for name, value in content.items() if name not in _AROUND}
    return {**kept, **_with_buttons(buttons)}


def _around(content: Content) -> Content:
    return {name: content[name] for name in _AROUND if name in content}


def _captioned(
    files: Sequence[Content], texts: Sequence[str], message: Message, around: Content
) -> list[Content]:
    """The words, below the last file if it is a picture and they can stand there, else after it.

    That styles are shown there, and links can be followed, is documented nowhere.
    """
    has_room = bool(files) and files[-1]["type"] == "picture"
    if has_room and len(texts) == 1 and not message.spans and "://" not in texts[0]:
        captioned = {**files[-1], "text": texts[0]}
        is_short = utf16_length(texts[0]) <= MAX_CAPTION
        if is_short and _bytes({**around, **captioned}) <= MAX_REQUEST_BYTES:
            return [*files[:-1], captioned]
    return [*files, *({"type": "text", "text": text} for text in texts)]


def _texts(message: Message, text: str, around: Content, degradations: list[str]) -> list[str]:
    """The text marked up, in as many parts as its characters and bytes take; none for a blank one."""
    if formatting.is_blank(text):
        return []
    text, spans = formatting.links_spelled_out(text, message.spans)
    degradations += [formatting.LINKS_AS_TEXT] * (len(spans) < len(message.spans))
    room = max(MAX_REQUEST_BYTES - _bytes({**around, "type": "text", "text": ""}), _LEAST_ROOM)
    limit = CAPABILITIES.max_text

    def length(part: str) -> int:
        """In UTF-16, which is never less than characters, or by its share of the room in bytes."""
        if len(part) * 6 <= room:
            return utf16_length(part)
        return max(utf16_length(part), -(-_bytes(part) * limit // room))

    texts, all_shown = parts(text, spans, _MARKUP, (limit, limit), length)
    degradations += [formatting.TEXT_SPLIT] * (len(texts) > 1)
    degradations += [formatting.STYLES_DROPPED] * (not all_shown)
    return texts


# ── Keyboards ────────────────────────────────────────────────────────────────────────────────────────


def _keyboard(message: Message, degradations: list[str]) -> tuple[str, dict[str, Any]]:
    """The text with what no keyboard can hold, and the keyboard, one button a row.

    Nothing that was sent can be changed: so several choices, to be seen as taken, are no buttons.
    """
    shown = [button for button in message.buttons if _is_shown(button, message)]
    if len(shown) > CAPABILITIES.max_buttons:
        shown = [button for button in shown if button.share]
    labels = [] if any(button.data for button in shown) else formatting.labels_by_number(message)
    links = [button for button in formatting.links_of(message) if button not in shown]
    degradations += [formatting.CHOICES_AS_TEXT] * bool(labels)
    degradations += [formatting.LINKS_AS_TEXT] * bool(links)
    text = formatting.written_out(message.text, labels, links)
    return text, _with_buttons([_button(button, degradations) for button in shown])


def _is_shown(button: Button, message: Message) -> bool:
    if button.data:
        return not message.several
    return bool(button.share) or _is_link(button.url)


def _with_buttons(buttons: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if not buttons:
        return {}
    keyboard = {"keyboard": {"Type": "keyboard", "DefaultHeight": False, "Buttons": buttons}}
    shares = any(button["ActionType"] in _SHARES.values() for button in buttons)
    return {**keyboard, "min_api_version": SHARING_API_VERSION} if shares else keyboard


def _button(button: Button, degradations: list[str]) -> dict[str, Any]:
    """`Silent` keeps what the button carries out of the chat; what is shared may be seen there."""
    place = {"Columns": 6, "Rows": 1, "Text": _label(button, degradations)}
    if button.share:
        return {**place, "ActionType": _SHARES[button.share], "ActionBody": "reply"}
    kind = "reply" if button.data else "open-url"
    return {**place, "ActionType": kind, "ActionBody": button.data or button.url, "Silent": True}


def _label(button: Button, degradations: list[str]) -> str:
    """The label with its HTML escaped, within the limit as escaped."""
    label = formatting.label_of(button)
    kept = cut(label, MAX_BUTTON_TEXT, _html_length)
    degradations += [formatting.LABEL_CUT] * (kept != label)
    return escape(kept, quote=False)


def _html_length(text: str) -> int:
    return utf16_length(escape(text, quote=False))


def _is_link(url: str) -> bool:
    return len(url.encode()) <= MAX_ACTION_BODY and formatting.is_web_link(url)


def _bytes(value: object) -> int:
    return len(msgspec.json.encode(value))
