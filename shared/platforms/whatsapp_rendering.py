"""Messages in WhatsApp's terms: what a request says, without whom it goes to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from msgspec.structs import replace

from shared.dialog.messages import Button, Media, Message, Template
from shared.platforms import formatting
from shared.platforms.base import MEGABYTE, Capabilities, MediaLimits
from shared.platforms.markup import Markup, parts

MAX_TEXT = 4096
MAX_INTERACTIVE_BODY = 1024
MAX_CAPTION = 1024
MAX_REPLY_BUTTONS = 3
MAX_REPLY_TITLE = 20
MAX_ROWS = 10
MAX_ROW_TITLE = 24
MAX_ROW_DESCRIPTION = 72
MAX_LINK = 2000
"""Undocumented; a longer address is written into the text."""
MAX_FILE_NAME = 240
MAX_PARAMETER = 1024
"""As much as the whole of a template's body may have."""

CAPABILITIES = Capabilities(
    max_text=MAX_TEXT,
    max_buttons=MAX_ROWS,
    max_button_label=MAX_ROW_TITLE,
    styles=frozenset({"bold", "italic", "code"}),
    shares=frozenset({"phone", "location"}),
    media={
        "image": MediaLimits(5 * MEGABYTE, frozenset({"image/jpeg", "image/png"})),
        "video": MediaLimits(16 * MEGABYTE, frozenset({"video/mp4", "video/3gpp"})),
        "audio": MediaLimits(
            16 * MEGABYTE, frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"})
        ),
        "file": MediaLimits(100 * MEGABYTE),
    },
    window=timedelta(hours=24),
    typing_seconds=25,
)

_MARKUP = Markup({"bold": "*", "italic": "_", "code": "`"}, has_lists=True)

# What the button says that opens a list of choices, by the letters of the message.
_OPENERS = (
    (re.compile("[іїєґІЇЄҐ]"), "Обрати"),
    (re.compile("[а-яёА-ЯЁ]"), "Выбрать"),
)
_OPENER = "Choose"

_SHARES: Mapping[str, Mapping[str, Any]] = {
    "location": {"type": "location_request_message", "action": {"name": "send_location"}},
    "phone": {"type": "request_contact_info", "action": {"name": "request_contact_info"}},
}

_KINDS: Mapping[str, str] = {"image": "image", "video": "video", "audio": "audio", "file": "document"}

# Kinds of files that WhatsApp takes only as documents, by the end of their name where no type is told.
_NOT_SHOWN: Mapping[str, frozenset[str]] = {
    "image": frozenset({"gif", "webp", "svg", "bmp", "tif", "tiff", "heic", "heif", "avif", "ico"}),
    "video": frozenset({"mov", "avi", "mkv", "webm", "wmv", "flv", "mpg", "mpeg"}),
    "audio": frozenset({"wav", "flac", "wma", "aiff", "mid", "midi"}),
}


@dataclass(frozen=True, slots=True)
class Content:
    """What a request says; `instead` is said where WhatsApp cannot have the file."""

    json: Mapping[str, Any]
    instead: Content | None = None


def contents(message: Message, degradations: list[str]) -> list[Content]:
    """Files, texts, and with buttons one interactive message at the end, which has the last of the text."""
    files = [file for file in message.media if _is_showable(file)]
    others = tuple(file for file in message.media if not _is_showable(file))
    message = formatting.with_media_as_links(replace(message, media=others), degradations)
    shown = [_file(file, degradations) for file in files]
    text, action = _action(message, degradations)
    if action is not None:
        return _with_buttons(shown, _texts(text, message, degradations, is_interactive=True), action)
    if shown and formatting.is_blank(text):
        return [_shown(file) for file in shown]
    return _with_words(shown, _texts(text, message, degradations, is_interactive=False), degradations)


def template(given: Template) -> Mapping[str, Any]:
    """An approved template with its words filled in; they may have neither line breaks nor rows of spaces."""
    words = [" ".join(each.split()) or formatting.ELLIPSIS for each in given.parameters]
    parameters = [{"type": "text", "text": formatting.cut(each, MAX_PARAMETER)} for each in words]
    filled_in = {"components": [{"type": "body", "parameters": parameters}]} if parameters else {}
    language = {"code": given.language.replace("-", "_")}
    return {"type": "template", "template": {"name": given.name, "language": language, **filled_in}}


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _File:
    """As WhatsApp shows it; `file_id` is WhatsApp's own name of it, which needs no address."""

    kind: str
    url: str
    name: str
    file_id: str

    @property
    def has_words(self) -> bool:
        """Whether words can stand below it."""
        return self.kind != "audio"


def _is_showable(media: Media) -> bool:
    """Whether WhatsApp has it, or may be able to fetch it, and shows it at all."""
    is_there = media.file_id or _is_link(media.url)
    return bool(is_there and _shown_as(media))


def _shown_as(media: Media) -> str:
    shown = CAPABILITIES.shown_as(media.type, media.content_type, media.size)
    end = "" if media.content_type else _name_of(media).rpartition(".")[2].lower()
    return "file" if end in _NOT_SHOWN.get(shown, ()) else shown


def _file(media: Media, degradations: list[str]) -> _File:
    shown = _shown_as(media)
    degradations += [formatting.MEDIA_AS_FILE] * (shown != media.type)
    return _File(_KINDS[shown], media.url, _name_of(media), media.file_id)


def _name_of(media: Media) -> str:
    """The file's name, or the last of its address if that looks like one."""
    url = media.url
    path = url.split("/", 3)[3] if url.count("/") > 2 else ""  # noqa: PLR2004 (those before the host)
    quoted = re.split("[?#]", path, maxsplit=1)[0].rpartition("/")[2]
    named = formatting.file_name(media.file_name) or formatting.file_name(unquote(quoted))
    return named if len(named) <= MAX_FILE_NAME else ""


def _source(file: _File) -> dict[str, Any]:
    has_name = file.kind == "document" and file.name
    source = {"id": file.file_id} if file.file_id else {"link": file.url}
    return {**source, **({"filename": file.name} if has_name else {})}


def _shown(file: _File, words: str = "") -> Content:
    """The file, and in its place the words with the address: nothing, where there is neither."""
    source = _source(file) | ({"caption": words} if words else {})
    told = "\n\n".join(filter(None, (words, file.url)))
    return Content({"type": file.kind, file.kind: source}, _text(told) if told else None)


def _with_words(files: Sequence[_File], bodies: Sequence[str], degradations: list[str]) -> list[Content]:
    """Words that fit stand below the last file that can have any; others are messages of their own."""
    bearers = [n for n, file in enumerate(files) if file.has_words]
    if bearers and len(bodies) == 1 and formatting.utf16_length(bodies[0]) <= MAX_CAPTION:
        return [_shown(file, bodies[0] if n == bearers[-1] else "") for n, file in enumerate(files)]
    degradations += [formatting.CAPTION_APART] * bool(files)
    return [*(_shown(file) for file in files), *(_text(body) for body in bodies)]


# ── Buttons ──────────────────────────────────────────────────────────────────────────────────────────


def _with_buttons(files: Sequence[_File], bodies: Sequence[str], action: Mapping[str, Any]) -> list[Content]:
    """A single file stands above the words where buttons allow it."""
    *ahead, last = bodies
    is_above = (
        len(files) == 1 and files[0].has_words and not ahead and action["type"] in ("button", "cta_url")
    )
    if is_above:
        return [_interactive(action, last, files[0])]
    shown = [_shown(file) for file in files]
    return [*shown, *(_text(body) for body in ahead), _interactive(action, last)]


def _interactive(action: Mapping[str, Any], words: str, above: _File | None = None) -> Content:
    content = {**action, "body": {"text": words}}
    if above is None:
        return Content({"type": "interactive", "interactive": content})
    header = {"type": above.kind, above.kind: _source(above)}
    with_address = "\n\n".join(filter(None, (words, above.url)))
    fits = formatting.utf16_length(with_address) <= MAX_INTERACTIVE_BODY
    instead = _interactive(action, with_address if fits else words)
    return Content({"type": "interactive", "interactive": {"header": header, **content}}, instead)


def _action(message: Message, degradations: list[str]) -> tuple[str, Mapping[str, Any] | None]:
    """The text with what no button can show, and the interactive message without its body."""
    labels, links = formatting.labels_by_number(message), formatting.links_of(message)
    action = _native(message, labels, degradations)
    kind = action["type"] if action else ""
    labels = [] if kind in ("button", "list") else labels
    links = [] if kind == "cta_url" else links
    shares = {_SHARES[button.share]["type"] for button in message.buttons if button.share}
    degradations += [formatting.SHARE_DROPPED] * bool(shares - {kind})
    degradations += [formatting.CHOICES_AS_TEXT] * bool(labels)
    degradations += [formatting.LINKS_AS_TEXT] * bool(links)
    return formatting.written_out(message.text, labels, links), action


def _native(message: Message, labels: Sequence[str], degradations: list[str]) -> Mapping[str, Any] | None:
    """Buttons of one kind only, for a message has no more: choices, else a request, else a link.

    Nothing that was sent can be changed: so several choices, to be seen as taken, are no buttons.
    """
    links = formatting.links_of(message)
    if not message.several and (buttons := _choice_buttons(message, labels, degradations)):
        return buttons
    for button in message.buttons:
        if button.share:
            return _SHARES[button.share]
    if len(links) == 1 and not labels and _is_link(links[0].url):
        return _link_button(links[0], degradations)
    return None


def _choice_buttons(
    message: Message, labels: Sequence[str], degradations: list[str]
) -> dict[str, Any] | None:
    choices = formatting.choices_of(message)
    if not 0 < len(choices) <= MAX_ROWS:
        return None
    if len(choices) <= MAX_REPLY_BUTTONS and all(len(label) <= MAX_REPLY_TITLE for label in labels):
        titles = formatting.distinct(labels, MAX_REPLY_TITLE)
        if titles != labels:
            degradations.append(formatting.LABEL_NUMBERED)
        return _reply_buttons(choices, titles)
    degradations.append(formatting.CHOICES_AS_LIST)
    titles = formatting.distinct(labels, MAX_ROW_TITLE)
    if any(len(label) > MAX_ROW_DESCRIPTION for label in labels):
        degradations.append(formatting.LABEL_CUT)
    return _list(message.text, choices, labels, titles)


def _reply_buttons(choices: Sequence[Button], titles: Sequence[str]) -> dict[str, Any]:
    buttons = [
        {"type": "reply", "reply": {"id": choice.data, "title": title}}
        for choice, title in zip(choices, titles, strict=True)
    ]
    return {"type": "button", "action": {"buttons": buttons}}


def _list(
    text: str, choices: Sequence[Button], labels: Sequence[str], titles: Sequence[str]
) -> dict[str, Any]:
    """Rows; where the title is not the whole label, the description is."""
    rows = []
    for choice, label, title in zip(choices, labels, titles, strict=True):
        row = {"id": choice.data, "title": title}
        if title != label:
            row["description"] = formatting.cut(label, MAX_ROW_DESCRIPTION)
        rows.append(row)
    said = text if any(map(str.isalpha, text)) else " ".join(labels)
    opener = next((word for letters, word in _OPENERS if letters.search(said)), _OPENER)
    return {"type": "list", "action": {"button": opener, "sections": [{"rows": rows}]}}


def _link_button(link: Button, degradations: list[str]) -> dict[str, Any]:
    label = formatting.label_of(link)
    title = formatting.cut(label, MAX_REPLY_TITLE)
    if title != label:
        degradations.append(formatting.LABEL_CUT)
    return {
        "type": "cta_url",
        "action": {"name": "cta_url", "parameters": {"display_text": title, "url": link.url}},
    }


def _is_link(url: str) -> bool:
    return len(url) <= MAX_LINK and formatting.is_web_link(url)


# ── Words ────────────────────────────────────────────────────────────────────────────────────────────


def _text(words: str) -> Content:
    return Content({"type": "text", "text": {"body": words}})


def _texts(text: str, message: Message, degradations: list[str], *, is_interactive: bool) -> list[str]:
    """The text in WhatsApp's markup, in as many parts as it takes; the last fits where it will stand."""
    if formatting.is_blank(text):
        degradations.append(formatting.EMPTY_TEXT)
        return [formatting.ELLIPSIS] if is_interactive else []
    limits = (MAX_TEXT, MAX_INTERACTIVE_BODY if is_interactive else MAX_TEXT)
    text, spans = formatting.links_spelled_out(text, message.spans)
    if len(spans) < len(message.spans):
        degradations.append(formatting.LINKS_AS_TEXT)
    bodies, all_shown = parts(text, spans, _MARKUP, limits, formatting.utf16_length)
    if len(bodies) > 1:
        degradations.append(formatting.TEXT_SPLIT)
    if not all_shown:
        degradations.append(formatting.STYLES_DROPPED)
    return bodies
