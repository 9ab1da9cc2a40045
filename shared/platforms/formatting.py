"""What the renderers share: cutting labels, splitting texts, and writing out what cannot be shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import msgspec

from shared.dialog.messages import Button, Media, Message, Span

ELLIPSIS = "…"
TAKEN = "✓ "
"""Stands before the words of a choice that has been taken, where several may be."""

# Words for `Rendered.degradations`.
TEXT_SPLIT = "text_split"
EMPTY_TEXT = "empty_text"
LABEL_CUT = "label_cut"
LABEL_NUMBERED = "label_numbered"
CHOICES_AS_LIST = "choices_as_list"
CHOICES_AS_TEXT = "choices_as_text"
LINKS_AS_TEXT = "links_as_text"
STYLES_DROPPED = "styles_dropped"
SHARE_DROPPED = "share_dropped"
SENT_ANEW = "sent_anew"
MEDIA_AS_LINKS = "media_as_links"
MEDIA_DROPPED = "media_dropped"
MEDIA_GONE = "media_gone"
MEDIA_AS_FILE = "media_as_file"
CAPTION_APART = "caption_apart"
SENT_AS_TEMPLATE = "sent_as_template"

Range = tuple[int, int]
Size = Callable[[int, int], int]
"""How much room a stretch of a text takes, in the messenger's unit."""

_WEB_LINK = re.compile(
    r"https?://(?:[\w-]+(?:\.[\w-]+)*\.[^\W\d_][\w-]+|\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?(?:[/?#][^\s\x00-\x1f]*)?",
    re.IGNORECASE,
)

_SEEN = re.compile("[^\\s\u180e\u200b-\u200f\u202a-\u202e\u2800\ufeff\ufffc\U000e0000-\U000e007f]")
"""What is not a blank of any width. Of those alone Telegram takes no text, and nobody can read one."""

_FOLDERS = re.compile(r"[/\\]")

_JOINER = "\u200d"
_CONTINUES = re.compile("[\u200c\u200d\u1160-\u11ff\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
"""What belongs to the character before it, beside accents: joiners, Korean vowels, shades of skin, tags."""
_FLAG_LETTER = re.compile("[\U0001f1e6-\U0001f1ff]")
"""Two of them make a flag."""


def is_web_link(url: str) -> bool:
    """Whether messengers take it as a link: http(s), and a host with a top-level domain or an IP."""
    return _WEB_LINK.fullmatch(url) is not None


def is_blank(text: str) -> bool:
    """Whether nothing of it can be seen."""
    return _SEEN.search(text) is None


def utf16_length(text: str) -> int:
    """Its length in UTF-16 code units, the ones that Telegram counts in."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def label_of(button: Button) -> str:
    """The button's words in one line, never empty: no messenger takes an empty button."""
    words = " ".join(button.text.split())
    return ELLIPSIS if is_blank(words) else words


def cut(text: str, limit: int) -> str:
    """The text in at most `limit` characters, with an ellipsis where something is missing."""
    return text if len(text) <= limit else text[: _character_end(text, 0, limit - 1)].rstrip() + ELLIPSIS


def distinct(labels: Iterable[str], limit: int) -> list[str]:
    """The labels cut to `limit`, and numbered where that leaves two alike in any case."""
    seen: set[str] = set()
    result = []
    for label in labels:
        title, n = cut(label, limit), 1
        while title.casefold() in seen:
            n += 1
            suffix = f" ({n})"
            title = cut(label, limit - len(suffix)) + suffix
        seen.add(title.casefold())
        result.append(title)
    return result


def choices_of(message: Message) -> list[Button]:
    """The buttons that are choices, also the one that finishes where several may be taken."""
    return [button for button in message.buttons if button.data]


def links_of(message: Message) -> list[Button]:
    """The buttons that lead elsewhere, also those whose address came out empty."""
    return [button for button in message.buttons if not button.data and not button.share]


def labels_by_number(message: Message) -> list[str]:
    """The choices' words for where they are typed and not pressed: so there is none that finishes."""
    choices = choices_of(message)
    if not message.several:
        return [label_of(choice) for choice in choices]
    return [(TAKEN if choice.selected else "") + label_of(choice) for choice in choices[:-1]]


def with_media_as_links(message: Message, degradations: list[str]) -> Message:
    """The message with the addresses of its files below its text, one a line, and without the files."""
    if not message.media:
        return message
    addresses = [media.url for media in message.media if media.url]
    degradations += [MEDIA_AS_LINKS] * bool(addresses)
    degradations += lost(message.media)
    has_words = not is_blank(message.text)
    text = "\n".join([message.text, "", *addresses] if has_words and addresses else addresses)
    return msgspec.structs.replace(
        message,
        text=text if addresses else message.text,
        spans=message.spans if has_words else (),
        media=(),
    )


def lost(files: Iterable[Media]) -> list[str]:
    """The degradations of files of which there is nothing to be shown, not even an address."""
    unshown = [media for media in files if not (media.url or media.file_id or media.storage_path)]
    gone = [MEDIA_GONE] * any(media.media_id for media in unshown)
    return gone + [MEDIA_DROPPED] * any(not media.media_id for media in unshown)


def file_name(name: str) -> str:
    """The name without folders and what cannot be seen; "" for one that tells no kind of file."""
    last = " ".join(_FOLDERS.split(name)[-1].split())
    seen = "".join(filter(str.isprintable, last)).strip(" .")
    return seen if "." in seen else ""


def written_out(text: str, choices: Sequence[str] = (), links: Iterable[Button] = ()) -> str:
    """The text, and below it the choices by number and the links, one a line."""
    lines = [f"{n}. {label}" for n, label in enumerate(choices, 1)]
    lines += [f"{label_of(link)}: {link.url}" for link in links]
    if not lines:
        return text
    return "\n".join([text, "", *lines] if not is_blank(text) else lines)


def clipped(spans: Iterable[Span], start: int, end: int) -> tuple[Span, ...]:
    """The spans as they lie in `text[start:end]`."""
    return tuple(
        Span(max(span.start, start) - start, min(span.end, end) - start, span.style, span.url)
        for span in spans
        if span.start < end and span.end > start
    )


def _never(_: str) -> bool:
    return False


def links_spelled_out(
    text: str, spans: Sequence[Span], unless: Callable[[str], bool] = _never
) -> tuple[str, tuple[Span, ...]]:
    """The address of each link that the messenger cannot hang on words follows them in brackets."""
    links = sorted((s for s in spans if s.style == "link" and not unless(s.url)), key=lambda s: s.end)
    if not links:
        return text, tuple(spans)
    inserts = [(s.end, "" if s.url in ("", text[s.start : s.end]) else f" ({s.url})") for s in links]
    kept = (s for s in spans if s.style != "link" or unless(s.url))
    return _inserted(text, inserts), tuple(_moved(span, inserts) for span in kept)


def _inserted(text: str, inserts: Sequence[tuple[int, str]]) -> str:
    pieces: list[str] = []
    at = 0
    for place, insert in inserts:
        pieces += (text[at:place], insert)
        at = place
    return "".join([*pieces, text[at:]])


def _moved(span: Span, inserts: Sequence[tuple[int, str]]) -> Span:
    start = span.start + sum(len(insert) for place, insert in inserts if place <= span.start)
    end = span.end + sum(len(insert) for place, insert in inserts if place < span.end)
    return Span(start, end, span.style, span.url)


def split(text: str, limit: int, size: Size) -> list[Range]:
    """Cut the text into parts of at most `limit`, between words where there are any.

    The parts are all of the text in order, but for parts that are blank: messengers refuse those.
    """
    parts = []
    start = 0
    while start < len(text):
        end = _part_end(text, start, limit, size)
        if not is_blank(text[start:end]):
            parts.append((start, end))
        start = end
    return parts


def tail_start(text: str, limit: int, size: Size) -> int:
    """Where the longest last part of at most `limit` begins: at a line, else at a word."""
    end = len(text)
    start = max(0, end - limit)
    while (taken := size(start, end)) > limit:
        start = end - max(1, (end - start) * limit // taken)
    if start == 0:
        return 0
    while start < end - 1 and _is_within_character(text, start):
        start += 1
    for break_ in ("\n", " "):
        after = text.find(break_, start - 1) + 1
        if after and not is_blank(text[after:]) and size(after, end) <= limit:
            return after
    return start


def _part_end(text: str, start: int, limit: int, size: Size) -> int:
    end = min(len(text), start + limit)
    while True:
        end = _word_end(text, start, end)
        taken = size(start, end)
        if taken <= limit or end - start == 1:
            return end
        end = start + max(1, (end - start) * limit // taken)


def _word_end(text: str, start: int, end: int) -> int:
    """The last place at or before `end` where the text may be cut: a line, if not too early, else a word."""
    if end == len(text) or text[end].isspace():
        return end
    middle = (start + end) // 2
    line = text.rfind("\n", middle, end) + 1
    return line or text.rfind(" ", start + 1, end) + 1 or _character_end(text, start, end)


def _character_end(text: str, start: int, end: int) -> int:
    """The last place at or before `end` that cuts no character of several code points in two.

    Where all of it is one character, it is cut in any case.
    """
    place = end
    while place > start and _is_within_character(text, place):
        place -= 1
    return place if place > start else end


def _is_within_character(text: str, place: int) -> bool:
    """Whether what is before and after the place are shown as one: accents, emoji of several, flags."""
    after = text[place]
    if after.isascii():
        return False
    if text[place - 1] == _JOINER or _CONTINUES.match(after) or _is_mark(after):
        return True
    return bool(_FLAG_LETTER.match(after)) and _flag_letters_before(text, place) % 2 == 1


def _is_mark(character: str) -> bool:
    import unicodedata  # noqa: PLC0415 (a big table, and no use to a cold start: few words are cut)

    return unicodedata.category(character)[0] == "M"


def _flag_letters_before(text: str, place: int) -> int:
    start = place
    while start > 0 and _FLAG_LETTER.match(text[start - 1]):
        start -= 1
    return place - start
