"""A file on its way into the library: what it is by its content, and only that of it which is to be shown."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from shared.media.base import FileType
from shared.media.kinds import CUT_OFF, MP3, WAV, WEBM, Kind, Unfit, kind_of
from shared.media.mp4 import Movie, NotAMovie, blank, read_movie
from shared.media.names import named_as, safe_name
from shared.platforms.base import MediaLimits

if TYPE_CHECKING:
    from shared.media.images import Picture

MAX_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Inspected:
    """What is stored of a file, open to be read; `variants` are its pictures for messengers with limits."""

    body: IO[bytes]
    file_type: FileType
    content_type: str
    file_name: str
    size: int
    width: int = 0
    height: int = 0
    duration_seconds: float = 0
    variants: Mapping[str, Picture] = field(default_factory=dict)


def inspect(body: IO[bytes], file_name: str, limits: Mapping[str, MediaLimits]) -> Inspected:
    """Read, clean and measure it; `limits` are those of images, by messenger.

    Raises `Unfit` for what the library does not take, in words for its owner.
    """
    size = body.seek(0, 2)
    if size > MAX_BYTES:
        raise Unfit(f"The file has {size} bytes; {MAX_BYTES} are the most.", "too_large")
    kind = kind_of(body, file_name)
    name = named_as(safe_name(file_name), kind.extensions)
    match kind.file_type:
        case "image":
            return _image(body, kind, name, limits)
        case "video" | "audio":
            return _recording(body, kind, name, size)
    return Inspected(body, kind.file_type, kind.content_type, name, size)


def _image(body: IO[bytes], kind: Kind, name: str, limits: Mapping[str, MediaLimits]) -> Inspected:
    # Pillow is dear to import, and only images need it.
    from shared.media.images import cleaned, made_to_fit  # noqa: PLC0415

    picture = cleaned(body, kind)
    return Inspected(
        body=picture.body,
        file_type=kind.file_type,
        content_type=picture.content_type,
        file_name=name,
        size=picture.size,
        width=picture.width,
        height=picture.height,
        variants=made_to_fit(picture, limits),
    )


def _recording(body: IO[bytes], kind: Kind, name: str, size: int) -> Inspected:
    movie = _movie(body, kind)
    if kind.file_type == "video" and movie.described:
        body = _copy_of(body)
        blank(body, movie.described)
    return Inspected(
        body=body,
        file_type=kind.file_type,
        content_type=kind.content_type,
        file_name=name,
        size=size,
        width=movie.width,
        height=movie.height,
        duration_seconds=movie.duration_seconds or _length_of_sound(body, kind),
    )


def _movie(body: IO[bytes], kind: Kind) -> Movie:
    try:
        return Movie() if kind is WEBM else read_movie(body)
    except NotAMovie:
        return Movie()


def _length_of_sound(body: IO[bytes], kind: Kind) -> float:
    """In seconds, 0 where it is not told. Raises `Unfit` for an MP3 or WAV in which nothing sounds."""
    if kind.file_type == "video":
        return 0
    # Dear to import, and only sounds need it.
    from tinytag import TinyTag, TinyTagException  # noqa: PLC0415

    body.seek(0)
    try:
        found = TinyTag.get(
            file_obj=cast("BinaryIO", body), filename=f"it.{kind.extensions[0]}", tags=False, image=False
        )
        seconds = found.duration or 0
    except (TinyTagException, ArithmeticError, LookupError, OSError, TypeError, ValueError):
        seconds = 0
    if not seconds and kind in {MP3, WAV}:
        raise Unfit(CUT_OFF, "broken")
    return round(seconds, 3)


def _copy_of(body: IO[bytes]) -> IO[bytes]:
    body.seek(0)
    return io.BytesIO(body.read())
