"""What comes into the library, and as what, judged by content."""

from __future__ import annotations

import io
import struct
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shared.media import images
from shared.media.inspection import Inspected, inspect
from shared.media.kinds import Unfit
from shared.platforms.base import MediaLimits
from tests.media import files
from tests.media.files import SECRET

JPEG_ONLY = frozenset({"image/jpeg", "image/png"})


def inspected(content: bytes, name: str = "file", limits: dict[str, MediaLimits] | None = None) -> Inspected:
    return inspect(io.BytesIO(content), name, limits or {})


def refusal(content: bytes, name: str = "file") -> Unfit:
    with pytest.raises(Unfit) as refused:
        inspected(content, name)
    return refused.value


OPUS = b"OggS" + bytes(24) + b"OpusHead" + bytes(20)
WEBM = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\x82\x84webm" + bytes(50)
OPEN_DOCUMENT = files.packed({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"})
AAC = b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(60)

TAKEN = {
    "jpeg": (files.image("JPEG"), "image", "image/jpeg", "a.jpg"),
    "png": (files.image("PNG"), "image", "image/png", "a.png"),
    "webp": (files.image("WEBP"), "image", "image/webp", "a.webp"),
    "gif": (files.image("GIF", mode="P"), "image", "image/gif", "a.gif"),
    "mp4": (files.movie(), "video", "video/mp4", "a.mp4"),
    "mov": (files.movie(b"qt  "), "video", "video/quicktime", "a.mov"),
    "3gp": (files.movie(b"3gp4"), "video", "video/3gpp", "a.3gp"),
    "webm": (WEBM, "video", "video/webm", "a.webm"),
    "m4a": (files.movie(b"M4A ", picture=False), "audio", "audio/mp4", "a.m4a"),
    "mp4 without a picture": (files.movie(picture=False), "audio", "audio/mp4", "a.mp4"),
    "mp3": (files.mp3(), "audio", "audio/mpeg", "a.mp3"),
    "wav": (files.sound(), "audio", "audio/wav", "a.wav"),
    "opus": (OPUS, "audio", "audio/ogg", "a.ogg"),
    "aac": (AAC, "audio", "audio/aac", "a.aac"),
    "amr": (b"#!AMR\n" + bytes(50), "audio", "audio/amr", "a.amr"),
    "pdf": (b"%PDF-1.7\n%%EOF", "file", "application/pdf", "a.pdf"),
    "docx": (
        files.office("word"),
        "file",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "a.docx",
    ),
    "xlsx": (
        files.office("xl"),
        "file",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "a.xlsx",
    ),
    "odt": (OPEN_DOCUMENT, "file", "application/vnd.oasis.opendocument.text", "a.odt"),
    "doc": (files.compound("WordDocument"), "file", "application/msword", "a.doc"),
    "zip": (files.packed({"a.txt": b"a"}), "file", "application/zip", "a.zip"),
    "text": ("Привет,\n\tмир".encode(), "file", "text/plain", "a.txt"),
    "csv": (b"a;b\r\n1;2\r\n", "file", "text/csv", "a.csv"),
    "rtf": (b"{\\rtf1 a}", "file", "application/rtf", "a.rtf"),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_every_kind_is_known_by_its_content(kind: str) -> None:
    content, file_type, content_type, name = TAKEN[kind]

    found = inspected(content, name)

    assert (found.file_type, found.content_type, found.file_name) == (file_type, content_type, name)
    assert found.size == found.body.seek(0, 2)


REFUSED = {
    "nothing": (b"", "empty"),
    "a web page named .png": (b"<!DOCTYPE html><html><script>alert(1)</script>", "markup"),
    "a web page after blank lines": (b"\n\n \t<HTML>", "markup"),
    "a script in a text": (b"hello <ScRiPt>alert(1)</script>", "markup"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "markup"),
    "svg after xml": (b'<?xml version="1.0"?><svg/>', "markup"),
    "svg after a mark of the byte order": (b"\xef\xbb\xbf<svg/>", "markup"),
    "a shell script": (b"#!/bin/sh\nrm -rf ~", "program"),
    "a Windows program": (b"MZ\x90\x00" + bytes(100), "program"),
    "a Linux program": (b"\x7fELF" + bytes(100), "program"),
    "an Android program": (files.packed({"AndroidManifest.xml": b"", "classes.dex": b""}), "program"),
    "a document with macros": (
        files.packed({"[Content_Types].xml": b"", "word/vbaProject.bin": b""}),
        "program",
    ),
    "an installer": (files.compound("Installer"), "program"),
    "an old document with macros": (files.compound("WordDocument_VBA_PROJECT"), "program"),
    "tiff": (files.image("TIFF"), "unknown_kind"),
    "bmp": (files.image("BMP"), "unknown_kind"),
    "heic": (files.box(b"ftyp", b"heic\0\0\0\0mif1"), "unknown_kind"),
    "matroska": (b"\x1aE\xdf\xa3" + bytes(4) + b"matroska" + bytes(60), "unknown_kind"),
    "rar": (b"Rar!\x1a\x07\x00" + bytes(60), "unknown_kind"),
    "ogg without a sound": (b"OggS" + bytes(24) + b"theora" + bytes(60), "unknown_kind"),
    "bytes of no meaning": (bytes(range(256)) * 4, "unknown_kind"),
    "text in UTF-16": ("hello".encode("utf-16"), "unknown_kind"),
    "a text that ends in half a character": ("мир".encode()[:-1], "unknown_kind"),
    "half a PNG": (files.image()[:50], "broken"),
    "a PNG by its first bytes only": (b"\x89PNG\r\n\x1a\n" + b"<script>alert(1)</script>", "broken"),
    "half an MP4": (files.movie()[:60], "broken"),
    "a cut ZIP": (files.packed({"a": b"a"})[:-30], "broken"),
    "an MP3 of one tag": (b"ID3\x04\x00\x00\x00\x00\x00\x00", "broken"),
    "a bomb": (files.bomb(), "too_many_pixels"),
    "a bomb within the bounds of a warning": (files.bomb(8_000, 6_000), "too_many_pixels"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_dangerous_or_no_messenger_shows_is_refused(kind: str) -> None:
    content, code = REFUSED[kind]

    refused = refusal(content, "picture.png")

    assert refused.code == code
    assert refused.words.endswith(".")


def test_a_huge_list_of_files_in_a_zip_is_not_read() -> None:
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, 0x7FFFFFFF, 0, 0)

    assert refusal(b"PK\x03\x04" + bytes(40) + end).code == "broken"
    assert refusal(files.packed_with_a_list_of(5 << 20)).code == "broken"


def test_of_a_zip_only_what_it_says_it_is_is_unpacked() -> None:
    """It may have two files of that name: one that is short and plain, and one of 60 MB, packed."""
    content = files.packed({"mimetype": b"x"}, bomb=("mimetype", 60))
    tracemalloc.start()

    assert inspected(content).content_type == "application/zip"

    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_more_bytes_than_the_library_takes_are_not_read() -> None:
    class Huge(io.BytesIO):
        def seek(self, offset: int, whence: int = 0) -> int:
            return 50_000_001 if whence == 2 else super().seek(offset, whence)

        def read(self, size: int | None = -1) -> bytes:
            raise AssertionError

    with pytest.raises(Unfit, match="50000001 bytes"):
        inspect(Huge(), "a.bin", {})


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("photo.jpg", "photo.png"),
        ("photo.PNG", "photo.png"),
        ("photo", "photo.png"),
        ("evil.html", "evil.png"),
        ("report.2024", "report.2024.png"),
        ("../../etc/passwd", "passwd.png"),
        ("C:\\fakepath\\a.png", "a.png"),
        ("..", "file.png"),
        ("", "file.png"),
        (".png", "png.png"),
        ("схема зала №1.png", "схема зала №1.png"),
        ("a\u202egnp.exe", "agnp.png"),
        ("a\x00\r\nb.png", "ab.png"),
        ('x"; filename=evil.exe', "x_ filename_evil.png"),
        ("a%2F..%2Fb?c#d.png", "a_2F.._2Fb_c_d.png"),
        ("я" * 300 + ".png", "я" * 58 + ".png"),
        ("n" * 300, "n" * 116 + ".png"),
    ],
)
def test_a_name_is_made_safe_and_its_extension_true(given_name: str, kept: str) -> None:
    assert inspected(files.image(), given_name).file_name == kept


@given(st.text(max_size=300))
@settings(max_examples=60)
def test_no_name_leaves_its_folder_or_header(name: str) -> None:
    kept = inspected(b"a text", name).file_name

    assert not set(kept) & set('/\\%?#&+"\r\n\x00')
    assert kept not in {"", ".", ".."}
    assert not kept.startswith(".")
    assert len(kept.encode()) <= 125
    assert kept == inspected(b"a text", kept).file_name


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "GIF"])
def test_nothing_but_the_picture_is_kept(format_: str) -> None:
    given_content = files.with_place(format_) + b"<script>" + SECRET
    assert SECRET in given_content

    kept = inspected(given_content).body.read()

    assert SECRET not in kept
    assert b"Exif" not in kept
    assert b"<script>" not in kept


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
def test_a_picture_that_lies_is_put_upright(format_: str) -> None:
    """Orientation 6: the camera was turned, and what is left in the file belongs on top."""
    found = inspected(files.with_place(format_, orientation=6))

    with Image.open(found.body) as upright:
        assert upright.size == (found.width, found.height) == (30, 40)
        red, _, blue = upright.convert("RGB").getpixel((15, 3)) or (0, 0, 0)  # type: ignore[misc]
    assert red > 200
    assert blue < 50


@pytest.mark.parametrize("format_", ["GIF", "WEBP", "PNG"])
def test_what_moves_goes_on_moving(format_: str) -> None:
    found = inspected(files.animation(format_), limits={"viber": MediaLimits(1, JPEG_ONLY)})

    content = found.body.read()
    assert SECRET not in content
    with Image.open(io.BytesIO(content)) as kept:
        assert getattr(kept, "n_frames", 1) == 3
        durations = []
        for n in range(3):
            kept.seek(n)
            kept.load()
            durations.append(kept.info["duration"])
        assert durations == [40, 80, 120]
    assert found.variants == {}


def test_frames_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS_OF_ALL_FRAMES", 599)

    assert refusal(files.animation(size=(20, 10))).code == "too_many_pixels"


def test_frames_of_hardly_a_pixel_are_counted_too() -> None:
    assert inspected(files.blinking(2_000)).content_type == "image/gif"
    assert refusal(files.blinking(2_001)).code == "too_many_frames"


@pytest.mark.parametrize("mode", ["CMYK", "L", "P", "RGBA", "I;16", "1"])
def test_every_mode_of_colours_is_taken(mode: str) -> None:
    format_ = "JPEG" if mode == "CMYK" else "PNG"

    found = inspected(
        files.image(format_, mode=mode), limits={"a": MediaLimits(1000, frozenset({"image/jpeg"}))}
    )

    assert (found.width, found.height) == (40, 30)


LIMITS = {
    "roomy": MediaLimits(10_000_000, JPEG_ONLY),
    "tight": MediaLimits(20_000, JPEG_ONLY),
    "narrow": MediaLimits(10_000_000, JPEG_ONLY, max_sides=250),
    "documents only": MediaLimits(10_000_000, frozenset({"application/pdf"})),
}


def test_a_picture_is_made_to_fit_the_messengers_that_it_is_too_large_for() -> None:
    found = inspected(files.noise((200, 100)), limits=LIMITS)

    assert set(found.variants) == {"tight", "narrow"}
    for platform, variant in found.variants.items():
        limit = LIMITS[platform]
        assert limit.take(variant.content_type, variant.size, variant.width, variant.height), platform
        with Image.open(variant.body) as made:
            assert (made.format, made.size) == ("JPEG", (variant.width, variant.height))
            assert abs(made.width / made.height - 2) < 0.1


@pytest.mark.parametrize("content", [files.image("WEBP", mode="RGBA"), files.image("GIF", mode="P")])
def test_a_picture_of_a_kind_that_a_messenger_does_not_show_becomes_a_jpeg(content: bytes) -> None:
    found = inspected(content, limits={"roomy": LIMITS["roomy"]})

    assert found.variants["roomy"].content_type == "image/jpeg"


@pytest.mark.parametrize("size", [(70_000, 2), (2, 70_000)], ids=["wide", "high"])
def test_a_picture_longer_than_any_jpeg_is_made_to_fit_too(size: tuple[int, int]) -> None:
    limits = {"small": MediaLimits(100_000, JPEG_ONLY)}

    made = inspected(files.noise(size), limits=limits).variants["small"]

    assert max(made.width, made.height) <= 65_500
    assert made.size <= 100_000


@pytest.mark.parametrize(("size", "is_made"), [((400, 20), True), ((20, 400), True), ((401, 20), False)])
def test_a_strip_is_made_to_fit_nobody(size: tuple[int, int], *, is_made: bool) -> None:
    limits = {"narrow": MediaLimits(10_000_000, JPEG_ONLY, max_sides=100, max_ratio=20)}

    variants = inspected(files.noise(size), limits=limits).variants

    assert [variant.width + variant.height for variant in variants.values()] == [99] * is_made


def test_just_at_a_limit_a_picture_goes_as_it_is_and_just_over_it_does_not() -> None:
    content = files.noise((50, 50))  # another one each time
    size = inspected(content).size

    at = {"at": MediaLimits(size, JPEG_ONLY), "over": MediaLimits(size - 1, JPEG_ONLY)}
    sides = {"at": MediaLimits(size, JPEG_ONLY, 100), "over": MediaLimits(size, JPEG_ONLY, 99)}

    assert set(inspected(content, limits=at).variants) == {"over"}
    assert set(inspected(content, limits=sides).variants) == {"over"}


def test_a_movie_tells_its_size_and_length_and_not_its_place() -> None:
    content = files.movie(size=(1080, 1920), seconds=7)

    found = inspected(content, "a.mp4")
    found.body.seek(0)
    kept = found.body.read()

    assert (found.width, found.height, found.duration_seconds) == (1080, 1920, 7)
    assert SECRET in content
    assert SECRET not in kept
    assert len(kept) == len(content)
    assert kept.count(b"free") == 2


def test_what_editors_write_around_a_movie_is_not_kept() -> None:
    about = files.box(b"uuid", bytes(16) + SECRET) + files.box(b"meta", SECRET)

    found = inspected(files.movie() + about)
    found.body.seek(0)

    assert SECRET not in found.body.read()


def test_a_movie_that_is_cut_off_is_refused_and_what_stands_behind_one_is_not_minded() -> None:
    assert refusal(files.movie()[:-1]).code == "broken"
    assert inspected(files.movie() + b"\x00\x00\x00\x03trailer of a camera").file_type == "video"


def test_a_movie_that_is_turned_is_as_wide_as_it_is_shown() -> None:
    found = inspected(files.movie(size=(1920, 1080), turned=True))

    assert (found.width, found.height) == (1080, 1920)


@pytest.mark.parametrize(("content", "seconds"), [(files.sound(1.5), 1.5), (files.mp3(), 1.3)])
def test_a_sound_tells_its_length(content: bytes, seconds: float) -> None:
    assert inspected(content).duration_seconds == pytest.approx(seconds, abs=0.1)


SEEDS = [content for content, *_ in TAKEN.values()]


@given(st.sampled_from(SEEDS), st.data())
@settings(max_examples=150)
def test_whatever_the_bytes_it_is_a_file_or_a_refusal(content: bytes, data: st.DataObject) -> None:
    mutated = bytearray(content)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(mutated) - 1))
        mutated[at] = data.draw(st.integers(0, 255))

    try:
        found = inspected(bytes(mutated[: data.draw(st.integers(1, len(mutated)))]), limits=LIMITS)
    except Unfit:
        return
    assert found.content_type in {content_type for _, _, content_type, _ in TAKEN.values()}
