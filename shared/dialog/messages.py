"""What a turn wants said, in no platform's terms. Adapters render it."""

from __future__ import annotations

from typing import Literal

import msgspec

Style = Literal["bold", "italic", "code", "link"]


class Span(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A styled stretch of a text: `start` and `end` count Python characters; `url` for links."""

    start: int
    end: int
    style: Style
    url: str = ""


class Button(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A choice (`data` comes back when it is pressed), a link (`url`), or the messenger's own share button.

    `data` is at most 40 bytes of `[A-Za-z0-9:_-]`, made by the engine, opaque to adapters: it fits every
    platform's limit, and means something only to the ask it was shown with. `selected` marks a choice of
    several that has been taken.
    """

    text: str
    data: str = ""
    url: str = ""
    share: Literal["", "phone", "location"] = ""
    selected: bool = False


class Media(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A file to be shown: at an address, or one of the library.

    The engine fills in no more than that. The sender, which knows the library, adds to one of it the
    public `url`, what adapters need to know of it, and the `file_id` by which the messenger knows it, or,
    where it has to be carried by the request itself, the `storage_path`.
    """

    type: Literal["image", "video", "audio", "file"]
    url: str = ""
    media_id: str = ""
    file_name: str = ""
    content_type: str = ""
    size: int = 0
    duration_seconds: float = 0
    file_id: str = ""
    storage_path: str = ""
    width: int = 0
    height: int = 0


class Template(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A message that WhatsApp has approved, for when its 24 hours are over."""

    name: str
    language: str
    parameters: tuple[str, ...] = ()


class Message(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One message; the text is plain characters, so nothing in it is anybody's markup.

    `delay` is in seconds, counted from the message before it. `several` says that more than one of its
    buttons may be taken: the last one is then the one that finishes. `replaces` is the platform's name of
    an earlier message that this one takes the place of, where the platform can; `closes` is that of one whose
    buttons are of no use any longer. `by_operator` tells whose words they are. `masked` is what others may
    read in the place of a text that prints something sensitive, or whose template does. `is_said` of what the
    person has already been told, in a webhook's answer: it is only to be recorded.
    """

    text: str
    spans: tuple[Span, ...] = ()
    buttons: tuple[Button, ...] = ()
    media: tuple[Media, ...] = ()
    delay: int = 0
    template: Template | None = None
    several: bool = False
    replaces: str = ""
    closes: str = ""
    by_operator: bool = False
    masked: str = ""
    is_said: bool = False
