"""Reads of MP4, MOV and 3GP (ISO 14496-12) what a messenger asks: how long, how large, is there a picture."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

_MAX_BOXES = 10_000
_MAX_MOOV_BYTES = 16 << 20
_LARGE_HEADER = 16
_HEADER = 8
_OF_PERSONS = (b"udta", b"meta", b"uuid")
"""Where cameras write the place, and editors what they like."""


class NotAMovie(Exception):
    """It has not the boxes that a movie has, or they contradict one another."""


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its type, where in the file or its parent that stands, and where its content lies."""

    kind: bytes
    kind_at: int
    start: int
    end: int


@dataclass(slots=True)
class Movie:
    """`width` and `height` are those of the first picture track, as shown; `described` are the places in the
    file of boxes that say things of it which nobody needs to show it.
    """

    duration_seconds: float = 0
    width: int = 0
    height: int = 0
    has_picture: bool = False
    described: list[Box] = field(default_factory=list)


def read_movie(body: IO[bytes]) -> Movie:
    """Raises `NotAMovie`."""
    try:
        return _read_movie(body)
    except (struct.error, IndexError):
        raise NotAMovie from None


def blank(body: IO[bytes], boxes: list[Box]) -> None:
    """Write over the boxes, so that nothing moves: players skip a `free` one."""
    for box in boxes:
        body.seek(box.kind_at)
        body.write(b"free")
        body.seek(box.start)
        body.write(bytes(box.end - box.start))


def _read_movie(body: IO[bytes]) -> Movie:
    boxes = list(_boxes_of_file(body))
    moov = next((box for box in boxes if box.kind == b"moov"), None)
    if moov is None or moov.end - moov.start > _MAX_MOOV_BYTES:
        raise NotAMovie
    movie = _read_index(body, moov)
    movie.described += (box for box in boxes if box.kind in _OF_PERSONS)
    return movie


def _read_index(body: IO[bytes], moov: Box) -> Movie:
    body.seek(moov.start)
    data = body.read(moov.end - moov.start)
    movie = Movie()
    for box in _boxes(data, 0, len(data)):
        if box.kind == b"mvhd":
            movie.duration_seconds = _duration_in(data, box)
        elif box.kind == b"trak":
            _read_track(data, box, movie, moov.start)
        elif box.kind in _OF_PERSONS:
            movie.described.append(_moved(box, moov.start))
    return movie


def _read_track(data: bytes, track: Box, movie: Movie, offset: int) -> None:
    size, handler = (0, 0), b""
    for box in _boxes(data, track.start, track.end):
        if box.kind == b"tkhd":
            size = _size_in(data, box)
        elif box.kind == b"mdia":
            handler = _handler_in(data, box) or handler
        elif box.kind in _OF_PERSONS:
            movie.described.append(_moved(box, offset))
    if handler == b"vide" and not movie.has_picture:
        movie.has_picture, (movie.width, movie.height) = True, size


def _handler_in(data: bytes, media: Box) -> bytes:
    found = (box for box in _boxes(data, media.start, media.end) if box.kind == b"hdlr")
    return next((data[box.start + 8 : box.start + 12] for box in found), b"")


def _duration_in(data: bytes, header: Box) -> float:
    is_long = data[header.start] == 1
    scale, length = struct.unpack_from(
        ">IQ" if is_long else ">II", data, header.start + (20 if is_long else 12)
    )
    unknown = 2**64 - 1 if is_long else 2**32 - 1
    return round(length / scale, 3) if scale and length != unknown else 0


def _size_in(data: bytes, header: Box) -> tuple[int, int]:
    """Width and height as shown: a track that is turned by a quarter has them the other way round."""
    matrix = header.start + (52 if data[header.start] == 1 else 40)
    upright, across = struct.unpack_from(">ii", data, matrix)
    width, height = (side >> 16 for side in struct.unpack_from(">II", data, matrix + 36))
    return (height, width) if upright == 0 and across != 0 else (width, height)


def _boxes_of_file(body: IO[bytes]) -> Iterator[Box]:
    """Up to what is none: cameras put things behind the last. Pictures and sounds must be there whole."""
    at, end = 0, body.seek(0, 2)
    for _ in range(_MAX_BOXES):
        body.seek(at)
        header = body.read(_LARGE_HEADER)
        try:
            box = _box(header, 0, at, end)
        except (NotAMovie, struct.error):
            if header[4:8] == b"mdat":
                raise
            return
        yield box
        at = box.end


def _boxes(data: bytes, start: int, end: int) -> Iterator[Box]:
    for _ in range(_MAX_BOXES):
        if end - start < _HEADER:
            return
        box = _box(data, start, start, end)
        yield box
        start = box.end


def _box(header: bytes, at: int, start: int, limit: int) -> Box:
    """The box whose header lies at `at`; `start` is where that is in what `limit` is the end of."""
    size, kind = struct.unpack_from(">I4s", header, at)
    content = start + _HEADER
    if size == 1:
        (size,) = struct.unpack_from(">Q", header, at + _HEADER)
        content = start + _LARGE_HEADER
    end = limit if size == 0 else start + size
    if not content <= end <= limit:
        raise NotAMovie
    return Box(kind, start + 4, content, end)


def _moved(box: Box, offset: int) -> Box:
    return Box(box.kind, box.kind_at + offset, box.start + offset, box.end + offset)
