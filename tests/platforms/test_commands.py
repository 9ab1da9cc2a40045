from __future__ import annotations

import pytest

from shared.platforms.commands import start_payload


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("/start", ""),
        ("/START", ""),
        (" /start\n", ""),
        ("/start cook", "cook"),
        ("/start   cook of  the day ", "cook of  the day"),
        ("/start@parley_bot", ""),
        ("/start@parley_bot cook", "cook"),
        ("/start\ncook", "cook"),
    ],
)
def test_start_is_understood_with_what_follows_it(text: str, payload: str) -> None:
    assert start_payload(text) == payload


@pytest.mark.parametrize(
    "text", ["", " ", "/", "start", "/starter", "/ start", "please /start", "/stop", "//start"]
)
def test_other_texts_are_not_that_command(text: str) -> None:
    assert start_payload(text) is None
