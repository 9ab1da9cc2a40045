"""What a file is, told by its content alone.

The list is short on purpose: what is not on it is never served to anybody. Nothing heavy is imported.
"""

from __future__ import annotations

import codecs
import re
import struct
import zipfile
from dataclasses import dataclass
from typing import IO, cast

from shared.media.base import FileType
from shared.media.mp4 import NotAMovie, read_movie
from shared.media.names import stem_of


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of file, and the extensions that it goes by, the usual one first."""

    file_type: FileType
    content_type: str
    extensions: tuple[str, ...]


class Unfit(Exception):
    """No file for the library; the words tell its owner what to do."""

    def __init__(self, words: str, code: str) -> None:
        super().__init__(words)
        self.words = words
        self.code = code


JPEG = Kind("image", "image/jpeg", ("jpg", "jpeg", "jpe", "jfif"))
PNG = Kind("image", "image/png", ("png",))
WEBP = Kind("image", "image/webp", ("webp",))
GIF = Kind("image", "image/gif", ("gif",))
MP4 = Kind("video", "video/mp4", ("mp4", "m4v"))
QUICKTIME = Kind("video", "video/quicktime", ("mov", "qt"))
THREE_GP = Kind("video", "video/3gpp", ("3gp", "3gpp", "3g2"))
WEBM = Kind("video", "video/webm", ("webm",))
MP3 = Kind("audio", "audio/mpeg", ("mp3",))
AAC = Kind("audio", "audio/aac", ("aac",))
M4A = Kind("audio", "audio/mp4", ("m4a", "m4b", "mp4"))
OGG = Kind("audio", "audio/ogg", ("ogg", "oga", "opus"))
FLAC = Kind("audio", "audio/flac", ("flac",))
WAV = Kind("audio", "audio/wav", ("wav",))
AMR = Kind("audio", "audio/amr", ("amr",))
PDF = Kind("file", "application/pdf", ("pdf",))
RTF = Kind("file", "application/rtf", ("rtf",))
ZIP = Kind("file", "application/zip", ("zip",))
TEXT = Kind("file", "text/plain", ("txt", "text", "log", "md"))
CSV = Kind("file", "text/csv", ("csv",))

_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"
_PACKED = {
    "word/": Kind("file", f"{_OFFICE}.wordprocessingml.document", ("docx",)),
    "xl/": Kind("file", f"{_OFFICE}.spreadsheetml.sheet", ("xlsx",)),
    "ppt/": Kind("file", f"{_OFFICE}.presentationml.presentation", ("pptx",)),
}
_PACKED_BY_TYPE = {
    f"{_OPEN}.text": Kind("file", f"{_OPEN}.text", ("odt",)),
    f"{_OPEN}.spreadsheet": Kind("file", f"{_OPEN}.spreadsheet", ("ods",)),
    f"{_OPEN}.presentation": Kind("file", f"{_OPEN}.presentation", ("odp",)),
    "application/epub+zip": Kind("file", "application/epub+zip", ("epub",)),
}
_OLD_OFFICE = {
    "WordDocument": Kind("file", "application/msword", ("doc",)),
    "Workbook": Kind("file", "application/vnd.ms-excel", ("xls",)),
    "PowerPoint Document": Kind("file", "application/vnd.ms-powerpoint", ("ppt",)),
}
_BEGINNINGS: tuple[tuple[bytes, Kind], ...] = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"RIFF....WEBP", WEBP),
    (b"RIFF....WAVE", WAV),
    (b"fLaC", FLAC),
    (b"ID3", MP3),
    (b"#!AMR\n", AMR),
    (b"%PDF-", PDF),
    (b"{\\rtf", RTF),
)
_BRANDS = {b"qt  ": QUICKTIME, b"3gp": THREE_GP, b"3g2": THREE_GP, b"M4A": M4A, b"M4B": M4A}
_SOUNDS_IN_OGG = (b"OpusHead", b"\x01vorbis", b"Speex   ", b"\x7fFLAC")

_OTHER = (
    "The library takes JPEG, PNG, WebP and GIF images; MP4, MOV, 3GP and WebM videos; MP3, M4A, AAC, OGG, "
    "FLAC, WAV and AMR audio; and PDF, Word, Excel, PowerPoint, OpenDocument, EPUB, RTF, CSV, text and ZIP "
    "files. This is none of them, whatever its name says; save it as one of them."
)
CUT_OFF = "The file is broken; it may be cut off. Save or export it anew."
_PICTURE = "No messenger shows images of this kind. Save it as JPEG or PNG."
_MOVIE = "No messenger shows videos of this kind. Save it as MP4 (H.264 and AAC)."
_ARCHIVE = "Archives are taken as ZIP only. Pack it anew as ZIP."
_PROGRAM = "It is a program, or has one in it, and whoever opens it would run it. Programs are not taken."
_MARKUP = "It is a web page, SVG or XML, which can run code where it is opened. Save it as PDF or PNG."
_REFUSED: tuple[tuple[bytes, str, str], ...] = (
    (b"MZ", _PROGRAM, "program"),
    (b"\x7fELF", _PROGRAM, "program"),
    (b"\xca\xfe\xba\xbe", _PROGRAM, "program"),
    (b"\xcf\xfa\xed\xfe", _PROGRAM, "program"),
    (b"#!", _PROGRAM, "program"),
    (b"II*\x00", _PICTURE, "unknown_kind"),
    (b"MM\x00*", _PICTURE, "unknown_kind"),
    (b"BM", _PICTURE, "unknown_kind"),
    (b"8BPS", _PICTURE, "unknown_kind"),
    (b"\x00\x00\x01\x00", _PICTURE, "unknown_kind"),
    (b"\xff\x0a", _PICTURE, "unknown_kind"),
    (b"RIFF....AVI ", _MOVIE, "unknown_kind"),
    (b"\x1aE\xdf\xa3", _MOVIE, "unknown_kind"),
    (b"FLV", _MOVIE, "unknown_kind"),
    (b"Rar!", _ARCHIVE, "unknown_kind"),
    (b"7z\xbc\xaf", _ARCHIVE, "unknown_kind"),
    (b"\x1f\x8b", _ARCHIVE, "unknown_kind"),
)
_PICTURE_BRANDS = (b"hei", b"hev", b"mif", b"msf", b"avi")
_PROGRAMS_IN_ZIP = ("classes.dex", "META-INF/MANIFEST.MF", "AndroidManifest.xml")
_MACROS = "vbaProject.bin"
_MARKUP_BEGINS = re.compile(rb"\s*<(!doctype|!--|\?xml|\?php|[a-z][a-z0-9:-]*[\s/>])", re.IGNORECASE)
_MARKUP_INSIDE = re.compile(rb"<(script|html|svg|iframe|body|head)\b", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")

_HEAD_BYTES = 4096
_CHUNK_BYTES = 1 << 20
_MAX_DIRECTORY_BYTES = 4 << 20
"""Of a ZIP's list of its files, which is read whole."""

_MAX_TYPE_BYTES = 100


def kind_of(body: IO[bytes], file_name: str) -> Kind:
    """What it is. A name decides only between kinds of text. Raises `Unfit`."""
    body.seek(0)
    head = body.read(_HEAD_BYTES)
    if not head:
        raise Unfit("The file is empty.", "empty")
    simple = next((kind for beginning, kind in _BEGINNINGS if _begins(head, beginning)), None)
    return simple or _kind_of_container(body, head) or _kind_of_frames(head) or _kind_of_text(body, file_name)


def _begins(head: bytes, beginning: bytes) -> bool:
    """Whether it begins so; "...." stands for any four bytes."""
    if beginning[4:8] == b"....":
        return head[:4] == beginning[:4] and head[8:12] == beginning[8:]
    return head.startswith(beginning)


def _kind_of_container(body: IO[bytes], head: bytes) -> Kind | None:
    if head[4:8] == b"ftyp":
        return _kind_of_boxes(body, head[8:12])
    if head.startswith(b"\x1aE\xdf\xa3") and b"webm" in head[:64]:
        return WEBM
    if head.startswith(b"OggS"):
        return OGG if any(sound in head for sound in _SOUNDS_IN_OGG) else None
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_zip(body)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _kind_of_old_office(body)
    return None


def _kind_of_boxes(body: IO[bytes], brand: bytes) -> Kind:
    if brand[:3] in _PICTURE_BRANDS:
        raise Unfit(_PICTURE, "unknown_kind")
    named = _BRANDS.get(brand) or _BRANDS.get(brand[:3]) or MP4
    try:
        movie = read_movie(body)
    except NotAMovie:
        raise Unfit(CUT_OFF, "broken") from None
    return named if movie.has_picture else M4A


def _kind_of_frames(head: bytes) -> Kind | None:
    """Sound without a container: the first frame's bits tell MP3 (layer III) from AAC."""
    if len(head) < 4 or head[0] != 0xFF:  # noqa: PLR2004 - a frame's beginning
        return None
    if head[1] & 0xF6 == 0xF0:  # noqa: PLR2004
        return AAC
    return MP3 if head[1] & 0xE6 == 0xE2 and head[2] >> 4 not in (0, 15) else None  # noqa: PLR2004


def _kind_of_zip(body: IO[bytes]) -> Kind:
    names, mimetype = _read_zip(body)
    if any(name in _PROGRAMS_IN_ZIP or name.endswith(_MACROS) for name in names):
        raise Unfit(_PROGRAM, "program")
    if mimetype in _PACKED_BY_TYPE:
        return _PACKED_BY_TYPE[mimetype]
    if "[Content_Types].xml" in names:
        parts = {f"{name.partition('/')[0]}/" for name in names if "/" in name}
        return next((kind for part, kind in _PACKED.items() if part in parts), ZIP)
    return ZIP


def _read_zip(body: IO[bytes]) -> tuple[set[str], str]:
    """The names in it, and what its first file says that it is (OpenDocument, EPUB)."""
    try:
        with zipfile.ZipFile(cast("IO[bytes]", _SmallReads(body))) as archive:
            listed = archive.infolist()
            first = next((each for each in listed if each.filename == "mimetype"), None)
            mimetype = archive.read(first).decode("ascii") if first and _is_short(first) else ""
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError, EOFError, struct.error):
        raise Unfit(CUT_OFF, "broken") from None
    return {each.filename for each in listed}, mimetype


def _is_short(member: zipfile.ZipInfo) -> bool:
    """Whether it is as long as it says, and that is no more than a type's name."""
    return member.compress_type == zipfile.ZIP_STORED and member.file_size < _MAX_TYPE_BYTES


class _SmallReads:
    """A file of which nobody reads much at once, whatever its own words for the length are.

    An archive's list of its files is read whole, and may be told of in two ways.
    """

    def __init__(self, body: IO[bytes]) -> None:
        self._body = body
        self.seek, self.tell, self.seekable = body.seek, body.tell, body.seekable

    def read(self, size: int = -1) -> bytes:
        """Raises `BadZipFile` for more than an honest archive wants."""
        if size > _MAX_DIRECTORY_BYTES:
            raise zipfile.BadZipFile
        return self._body.read(size if size >= 0 else _MAX_DIRECTORY_BYTES)


def _kind_of_old_office(body: IO[bytes]) -> Kind:
    """A compound file, by the name of its main stream; installers are compound files too."""
    body.seek(0)
    content = body.read()
    found = (kind for name, kind in _OLD_OFFICE.items() if name.encode("utf-16-le") in content)
    kind = next(found, None)
    if kind is None or "_VBA_PROJECT".encode("utf-16-le") in content:
        raise Unfit(_PROGRAM, "program")
    return kind


def _kind_of_text(body: IO[bytes], file_name: str) -> Kind:
    body.seek(0)
    head = body.read(_HEAD_BYTES)
    for beginning, words, code in _REFUSED:
        if _begins(head, beginning):
            raise Unfit(words, code)
    plain = head.removeprefix(codecs.BOM_UTF8)
    if _MARKUP_BEGINS.match(plain) or _MARKUP_INSIDE.search(plain):
        raise Unfit(_MARKUP, "markup")
    if not _is_text(body):
        raise Unfit(_OTHER, "unknown_kind")
    return CSV if stem_of(file_name)[1] in CSV.extensions else TEXT


def _is_text(body: IO[bytes]) -> bool:
    body.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        while chunk := body.read(_CHUNK_BYTES):
            if _CONTROLS.search(decoder.decode(chunk)):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
