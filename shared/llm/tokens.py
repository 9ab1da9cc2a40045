"""How many tokens a text takes, estimated: the vendors' own tables would have to be fetched."""

from __future__ import annotations

from collections.abc import Iterable

from shared.llm.base import Said

_BYTES_A_TOKEN = 3
"""Of UTF-8. English has some four bytes a token, Cyrillic four, Chinese three: seldom more than is told."""

_MESSAGE = 4
"""Tokens around each message."""


def tokens_in(text: str) -> int:
    return -(-len(text.encode(errors="replace")) // _BYTES_A_TOKEN)


def tokens_of(messages: Iterable[Said]) -> int:
    return sum(_MESSAGE + tokens_in(said.words) for said in messages)
