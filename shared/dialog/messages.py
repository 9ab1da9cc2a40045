"""What a turn wants said, in no platform's terms. Adapters render it."""

from __future__ import annotations

from typing import Literal

import msgspec

Style = Literal["bold", "italic", "code", "link"]


class Span(msgspec.Struct, frozen=True, omit_defaults=True):
    """A styled stretch of a text: `start` and `end` count Python characters; `url` for links."""

    start: int
    end: int
    style: Style
    url: str = ""


class Button(msgspec.Struct, frozen=True, omit_defaults=True):
    """A choice (`data` comes back when it is pressed) or a link (`url`), never both.

    `data` is at most 40 bytes of `[A-Za-z0-9:_-]`, made by the engine, opaque to adapters: it
    fits every platform's limit, and means something only to the ask it was shown with.
    """

    text: str
    data: str = ""
    url: str = ""


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message; the text is plain characters, so nothing in it is anybody's markup."""

    text: str
    spans: tuple[Span, ...] = ()
    buttons: tuple[Button, ...] = ()
