"""Figures of any alphabet, as 0-9."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """The text with every digit as 0-9, every space as a space, and full-width signs as plain ones."""
    return text if text.isascii() else "".join(map(_plain, text))


def _plain(character: str) -> str:
    if character.isascii():
        return character
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if unicodedata.category(character) == "Zs":
        return " "
    return _SIGNS.get(character, character)


_SIGNS = dict(zip("−‐‑‒–﹣－＋，．：／（）", "-------+,.:/()", strict=True)) | {"’": "'"}
