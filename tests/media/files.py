"""Real files, made here: what people put into a library, and what they should not."""

from __future__ import annotations

import io
import struct
import warnings
import wave
import zipfile
import zlib
from typing import Any

from PIL import Image, PngImagePlugin

SECRET = b"55.7558N 37.6173E"
"""Stands in metadata, and must not be found in what is kept."""


def image(format_: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: Any) -> bytes:
    output = io.BytesIO()
    Image.new(mode, size, "red" if mode in {"RGB", "RGBA"} else 0).save(output, format_, **options)
    return output.getvalue()


def noise(size: tuple[int, int], format_: str = "PNG") -> bytes:
    """An image that no format makes small."""
    output = io.BytesIO()
    Image.effect_noise(size, 200).convert("RGB").save(output, format_)
    return output.getvalue()


def with_place(format_: str, orientation: int = 1) -> bytes:
    """40 × 30, red on the left and blue on the right, as a telephone writes it: turned, with a place."""
    picture = Image.new("RGB", (40, 30), "blue")
    picture.paste("red", (0, 0, 20, 30))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = SECRET.decode()
    exif.get_ifd(0x8825)[1] = "N"
    options: dict[str, Any] = {"exif": exif}
    if format_ == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", SECRET.decode())
        options["pnginfo"] = text
    elif format_ == "JPEG":
        options |= {"comment": SECRET, "quality": 95}
    elif format_ == "GIF":
        options = {"comment": SECRET}
    output = io.BytesIO()
    picture.save(output, format_, **options)
    return output.getvalue()


def animation(format_: str = "GIF", frames: int = 3, size: tuple[int, int] = (20, 10)) -> bytes:
    shown = [Image.new("RGB", size, (80 * n % 256, n % 256, 0)) for n in range(frames)]
    output = io.BytesIO()
    options: dict[str, Any] = {"comment": SECRET} if format_ == "GIF" else {}
    shown[0].save(
        output,
        format_,
        save_all=True,
        append_images=shown[1:],
        duration=[40, 80, 120][:frames],
        loop=0,
        **options,
    )
    return output.getvalue()


def blinking(frames: int) -> bytes:
    """A GIF of one pixel, and 15 bytes a frame."""
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02D\x01\x00"
    return head + frame * frames + b";"


def bomb(width: int = 20_000, height: int = 20_000) -> bytes:
    """A PNG of a few bytes that says it has 400 million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"\x00" * 10) + chunk(b"IEND", b"")


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def movie(
    brand: bytes = b"isom",
    size: tuple[int, int] = (320, 240),
    seconds: int = 7,
    *,
    picture: bool = True,
    turned: bool = False,
    media: int = 100,
) -> bytes:
    """An MP4 of all the boxes that tell what it is, with the place where it was taken."""
    one, none = 0x10000, 0
    matrix = (none, one, none, -one, none, none) if turned else (one, none, none, none, one, none)
    mvhd = box(b"mvhd", struct.pack(">IIIII80x", 0, 0, 0, 1000, seconds * 1000))
    sides = struct.pack(">II", size[0] << 16, size[1] << 16)
    tkhd = box(b"tkhd", bytes(40) + struct.pack(">6i3i", *matrix, none, none, 0x40000000) + sides)
    handler = box(b"hdlr", bytes(8) + (b"vide" if picture else b"soun") + bytes(13))
    place = box(b"udta", box(b"\xa9xyz", SECRET))
    track = box(b"trak", tkhd + box(b"mdia", handler) + place)
    head = box(b"ftyp", brand + bytes(4) + brand)
    return head + box(b"moov", mvhd + track + place) + box(b"mdat", bytes(media))


def sound(seconds: float = 1) -> bytes:
    """A WAV of silence."""
    output = io.BytesIO()
    with wave.open(output, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(1)
        written.setframerate(8000)
        written.writeframes(bytes(int(8000 * seconds)))
    return output.getvalue()


def mp3(frames: int = 50) -> bytes:
    """MPEG 1, layer III, 128 kbit/s, 44.1 kHz: 417 bytes a frame."""
    return (b"\xff\xfb\x90\x00" + bytes(413)) * frames


def packed(files: dict[str, bytes], bomb: tuple[str, int] | None = None) -> bytes:
    """A ZIP, and in the end a `bomb` of so many megabytes, even if another file is called so."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, content in files.items():
            archive.writestr(name, content)
        if bomb:
            with archive.open(_deflated(bomb[0]), "w") as member:
                for _ in range(bomb[1]):
                    member.write(bytes(1_000_000))
    return output.getvalue()


def _deflated(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def packed_with_a_list_of(size: int) -> bytes:
    """A ZIP whose list of files has so many bytes, as only the ZIP64 end of it tells."""
    head = b"PK\x03\x04" + bytes(26)
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 0, 20, *([0] * 15))
    count = size // len(entry)
    length, at = count * len(entry), len(head)
    large = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, length, at)
    place = struct.pack("<4sLQL", b"PK\x06\x07", 0, at + length, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, 100, 0, 0)
    return head + entry * count + large + place + end


def office(part: str) -> bytes:
    return packed({"[Content_Types].xml": b"<Types/>", f"{part}/document.xml": b"<w/>"})


def compound(stream: str) -> bytes:
    """As much of an old Office file as tells it from others."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + stream.encode("utf-16-le") + bytes(100)
