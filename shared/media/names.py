"""Names of files, as they may stand in an address, a header and a path."""

from __future__ import annotations

import re
import unicodedata

MAX_NAME_BYTES = 120

_SEPARATORS = re.compile(r"[/\\]")
_UNFIT = re.compile(r"""[%?#&+"'<>|*:;`^\[\]{}$~=@,!]+""")
_EXTENSION = re.compile(r"\.(?=[a-z0-9]{1,8}$)(?=.*[a-z])[a-z0-9]+$", re.IGNORECASE)


def safe_name(given: str) -> str:
    """The last part of a path, in letters of any script, without what means something elsewhere.

    Characters that cannot be seen go (some turn what follows around); "file" where nothing is left.
    """
    last = _SEPARATORS.split(unicodedata.normalize("NFC", given))[-1]
    seen = "".join(c for c in last if unicodedata.category(c)[0] != "C")
    words = " ".join(_UNFIT.sub("_", seen).split()).strip(". ")
    return _shortened(words) or "file"


def named_as(name: str, extensions: tuple[str, ...]) -> str:
    """The name with the extension that its content has; a wrong one is taken off."""
    stem, extension = stem_of(name)
    if extension in extensions:
        return name
    return f"{_cut(stem, MAX_NAME_BYTES - len(extensions[0]) - 1) or 'file'}.{extensions[0]}"


def stem_of(name: str) -> tuple[str, str]:
    """A name in two: what it says, and its extension in lower case ("" for none)."""
    found = _EXTENSION.search(name)
    return (name[: found.start()], found[0][1:].lower()) if found else (name, "")


def _shortened(name: str) -> str:
    stem, extension = stem_of(name)
    ending = f".{extension}" if extension else ""
    return _cut(stem, MAX_NAME_BYTES - len(ending)) + ending if stem else extension


def _cut(text: str, most_bytes: int) -> str:
    """So much of it, and no half of a character."""
    return text.encode()[:most_bytes].decode(errors="ignore").strip(". ")
