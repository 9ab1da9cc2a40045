from __future__ import annotations

from typing import Any

import pytest

from shared.connecting.menus import Menus, menus_of

CASES: dict[str, tuple[dict[str, Any], Menus]] = {
    "no commands": ({}, {}),
    "none described": ({"/help": {"next_step": "help"}}, {}),
    "one for all": ({"/help": {"description": "Help"}}, {"": (("help", "Help"),)}),
    "by language": (
        {"/help": {"description": {"en": "Help", "ru": "Помощь"}}},
        {"ru": (("help", "Помощь"),), "en": (("help", "Help"),), "": (("help", "Help"),)},
    ),
    "a language that one of two lacks": (
        {"/help": {"description": {"en": "Help", "ru": "Помощь"}}, "/stop": {"description": "Stop"}},
        {
            "ru": (("help", "Помощь"), ("stop", "Stop")),
            "en": (("help", "Help"), ("stop", "Stop")),
            "": (("help", "Help"), ("stop", "Stop")),
        },
    ),
    "a region": (
        {"/help": {"description": {"en": "Help", "pt-BR": "Ajuda"}}},
        {"pt": (("help", "Ajuda"),), "en": (("help", "Help"),), "": (("help", "Help"),)},
    ),
    "a language of three letters": (
        {"/help": {"description": {"en": "Help", "ceb": "Tabang"}}},
        {"en": (("help", "Help"),), "": (("help", "Help"),)},
    ),
    "in capitals": ({"/Help": {"description": "Help"}}, {"": (("help", "Help"),)}),
    "a word without its slash": ({"help": {"description": "Help"}}, {}),
    "a word that is no command there": ({"/помощь": {"description": "Помощь"}}, {}),
    "a word too long": ({"/" + "a" * 33: {"description": "A"}}, {}),
    "a person's values": ({"/who": {"description": "You are {{ name }}"}}, {}),
    "blank": ({"/help": {"description": " "}}, {}),
    "several lines": ({"/help": {"description": "a\n b"}}, {"": (("help", "a b"),)}),
    "too long": ({"/help": {"description": "x" * 300}}, {"": (("help", "x" * 256),)}),
    "too many": (
        {f"/c{n}": {"description": "x"} for n in range(120)},
        {"": tuple((f"c{n}", "x") for n in range(100))},
    ),
}


@pytest.mark.parametrize(("commands", "menus"), CASES.values(), ids=CASES)
def test_menus_are_what_is_described(commands: dict[str, Any], menus: Menus) -> None:
    document = {"commands": commands, "default_language": "en", "languages": ["ru", "en"]}
    assert menus_of(document) == menus
