"""Which of a scenario's languages a person is spoken to in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from shared.scenario.words import DEFAULT_LANGUAGE

MAX_TAG = 35
"""Characters of a language tag (RFC 5646): who answers “your language?” may write anything."""


def by_tag(declared: Sequence[str]) -> dict[str, str]:
    """Each declared language by the tags it goes by, in small letters.

    Whoever speaks `pt` gets `pt-BR` where there is no plain `pt`; of several the first.
    """
    primary = {tag.lower().partition("-")[0]: tag for tag in reversed(declared)}
    return primary | {tag.lower(): tag for tag in declared}


@lru_cache(maxsize=1024)
def preferred(chosen: str, of_messenger: str, declared: tuple[str, ...]) -> tuple[str, ...]:
    """The languages to look for words in, best first: the one chosen, the messenger's, the declared ones.

    Where none is declared, it is whatever the person speaks.
    """
    wanted = _ever_shorter(chosen) + _ever_shorter(of_messenger)
    if not declared:
        return (*wanted, DEFAULT_LANGUAGE)
    known = by_tag(declared)
    return (*[known[tag] for each in wanted if (tag := each.lower()) in known], *declared)


def _ever_shorter(tag: str) -> tuple[str, ...]:
    """A language tag, then what is left of it part by part: `zh-Hans-CN`, `zh-Hans`, `zh`."""
    return (tag, *_ever_shorter(tag.rpartition("-")[0])) if tag else ()
