"""The commands of a scenario as a messenger lists them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Entry = tuple[str, str]
Menus = Mapping[str, tuple[Entry, ...]]
"""Commands without their slash, and what they do, by language; "" is for everybody else."""

MAX_ENTRIES = 100
MAX_DESCRIPTION = 256

_WORD = re.compile(r"/([a-z0-9_]{1,32})", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2}")


def menus_of(document: Mapping[str, Any]) -> Menus:
    """The menus of a scenario document, empty where no command has a description.

    A description that prints a person's values is left out, for a menu is the same for everybody, and so is
    a word without a slash, for what is chosen in a menu is sent with one.
    """
    described = list(_described(document.get("commands", {})))
    default = _default_language(document)
    languages = {"", *(tag for _, words in described for tag in words)}
    menus = {_code(tag): _menu(described, tag, default) for tag in sorted(languages, reverse=True)}
    return {code: menu for code, menu in menus.items() if menu and (not code or _LANGUAGE.fullmatch(code))}


def _described(commands: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, str]]]:
    for word, command in commands.items():
        found, description = _WORD.fullmatch(word.lower()), command.get("description")
        if found and description:
            yield found[1], description if isinstance(description, Mapping) else {"": description}


def _menu(described: list[tuple[str, Mapping[str, str]]], tag: str, default: str) -> tuple[Entry, ...]:
    entries = ((word, _words(words, tag, default)) for word, words in described)
    shown = {word: words for word, words in entries if words}
    return tuple(shown.items())[:MAX_ENTRIES]


def _words(words: Mapping[str, str], tag: str, default: str) -> str:
    known = (words[each] for each in (tag, default, "", *words) if each in words)
    text = " ".join(str(next(known, "")).split())
    return "" if "{{" in text else text[:MAX_DESCRIPTION]


def _code(tag: str) -> str:
    """A region's language stands for the language; a menu of its own would be seen by nobody else."""
    return tag.lower().partition("-")[0]


def _default_language(document: Mapping[str, Any]) -> str:
    named = [document.get("default_language"), *(document.get("languages") or [])]
    return str(next(filter(None, named), ""))
