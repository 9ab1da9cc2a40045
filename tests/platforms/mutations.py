"""Payloads as no messenger would send them: parts missing, doubled, swapped, of another kind, absurd."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any

ABSURD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 1e308, 2**53 + 1, 2**63, 2**64, 10**40, "", " ", "0", "\x00", "p:a:1",
    "\ud800", "😀" * 50, "x" * 10_000, "../..", "'; --", "{{x}}", [], [[]], {}, {"id": {}}, [None] * 50,
)  # fmt: skip

Place = tuple[Any, Any]
"""A container, and the key or index in it."""


def mutated(payload: Any, samples: list[Any], random: Random) -> bytes:
    """The payload after one to four accidents, as bytes; now and then they are damaged too."""
    value = [deepcopy(payload)]
    for _ in range(random.randint(1, 4)):
        places = list(_places(value))
        container, key = random.choice(places)
        random.choice(_ACCIDENTS)(container, key, samples, random)
    body = json.dumps(value[0] if value else None, ensure_ascii=random.random() < 0.5)
    raw = body.encode("utf-8", "surrogatepass")
    return _damaged(raw, random) if random.random() < 0.1 else raw


def _places(value: Any) -> Iterator[Place]:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _replace(container: Any, key: Any, _samples: list[Any], random: Random) -> None:
    container[key] = deepcopy(random.choice(ABSURD))


def _remove(container: Any, key: Any, _samples: list[Any], random: Random) -> None:
    if isinstance(container, dict):
        del container[key]
    else:
        container[key] = None


def _wrap(container: Any, key: Any, _samples: list[Any], random: Random) -> None:
    container[key] = [container[key]] if random.random() < 0.5 else {"x": container[key]}


def _borrow(container: Any, key: Any, samples: list[Any], random: Random) -> None:
    """Put in something of another payload: mostly of the right kind, at the wrong place."""
    other, place = random.choice(list(_places([random.choice(samples)])))
    container[key] = deepcopy(other[place])


def _rename(container: Any, key: Any, samples: list[Any], random: Random) -> None:
    if isinstance(container, dict):
        container[random.choice([*container, "event", "type", "text", key + "x"])] = container.pop(key)


def _nest(container: Any, key: Any, _samples: list[Any], random: Random) -> None:
    for _ in range(random.choice((5, 200))):
        container[key] = [container[key]]


_ACCIDENTS: tuple[Callable[[Any, Any, list[Any], Random], None], ...] = (
    _replace,
    _replace,
    _remove,
    _wrap,
    _borrow,
    _borrow,
    _rename,
    _nest,
)


def _damaged(raw: bytes, random: Random) -> bytes:
    at = random.randrange(len(raw) + 1)
    return random.choice(
        (raw[:at], raw[:at] + bytes([random.randrange(256)]) + raw[at + 1 :], raw + raw[at:])
    )
