"""Scenarios that are in use, kept in memory: compiled revisions, and what bots run."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from shared.dialog.ports import ActiveScenario, BotRepository, RevisionRepository
from shared.dialog.processor import ScenarioProcessor
from shared.dialog.rehearsal import within
from shared.errors import ScenarioUnusable
from shared.observability import describe
from shared.scenario.compiled import CompiledScenario
from shared.scenario.compiler import compile_scenario
from shared.scenario.variables import NOTHING_KNOWN

COMPILED_BYTES = 2_000_000
"""Of the documents kept compiled in one container. Compiled, they take up to 160 times as much."""

COMPILED_WITHIN = 4.0
"""Seconds for one document. The largest that anybody writes take one; nothing may take the worker's time."""

NOTHING_CALLED: Mapping[str, int] = {}

_Key = tuple[str, int, tuple[tuple[str, str], ...]]
"""A revision, and the types of what may be known of the person."""


class CompiledScenarios:
    """Revisions in use, each compiled once per container; the oldest unused goes first."""

    def __init__(
        self,
        revisions: RevisionRepository,
        max_bytes: int = COMPILED_BYTES,
        most_seconds: float = COMPILED_WITHIN,
    ) -> None:
        self._revisions = revisions
        self._room = max_bytes
        self._most_seconds = most_seconds
        self._compiled: OrderedDict[_Key, tuple[CompiledScenario, int]] = OrderedDict()

    def get(
        self,
        scenario_id: str,
        revision: int,
        called: Mapping[str, int] = NOTHING_CALLED,
        contact: Mapping[str, str] = NOTHING_KNOWN,
    ) -> ScenarioProcessor:
        """The processor of a revision, with those of the scenarios that it may call.

        `contact` has the types of what may be known of the person. Raises `NotFound`, and
        `ScenarioUnusable` if the compiler fails on one of them, or is not done in time.
        """
        fields = tuple(sorted(contact.items())) if contact else ()
        own = self._revision((scenario_id, revision, fields))
        if not called:
            return ScenarioProcessor(own)
        return ScenarioProcessor(
            own, {other: self._revision((other, n, fields)) for other, n in called.items()}
        )

    def _revision(self, key: _Key) -> CompiledScenario:
        kept = self._compiled.get(key) or self._kept(key, self._revisions.document(*key[:2]))
        self._compiled.move_to_end(key)
        return kept[0]

    def _kept(self, key: _Key, document: Mapping[str, Any]) -> tuple[CompiledScenario, int]:
        """Compile the document; however large it is, it stays until the next one comes."""
        size = len(msgspec.json.encode(document))
        while self._compiled and self._room < size:
            self._room += self._compiled.popitem(last=False)[1][1]
        kept = self._compiled[key] = _compiled(document, dict(key[2]), self._most_seconds), size
        self._room -= size
        return kept


def _compiled(
    document: Mapping[str, Any], contact: Mapping[str, str], most_seconds: float
) -> CompiledScenario:
    try:
        return within(most_seconds, partial(compile_scenario, document, contact=contact))
    except Exception as error:
        raise ScenarioUnusable(kind_and_place(error)) from error


def kind_and_place(error: Exception) -> str:
    """What can be told of a fault of ours: its own words may quote what a person wrote."""
    described = describe(error)
    return f"{described['error']} at {described['at']}"


class ActiveScenarios:
    """What bots run: read afresh where a run begins, and otherwise as it was a moment ago."""

    def __init__(
        self,
        bots: BotRepository,
        seconds: float = 30,
        *,
        capacity: int = 1000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` goes on while the Lambda is frozen."""
        self._bots = bots
        self._seconds = seconds
        self._capacity = capacity
        self._clock = clock
        self._read_at: OrderedDict[str, tuple[ActiveScenario | None, float]] = OrderedDict()

    def read(self, bot_id: str) -> ActiveScenario | None:
        """The pointer as it is now (a consistent read). Raises `NoSuchBot`."""
        active = self._bots.active_scenario(bot_id)
        self._read_at[bot_id] = active, self._clock()
        self._read_at.move_to_end(bot_id)
        if len(self._read_at) > self._capacity:
            self._read_at.popitem(last=False)
        return active

    def recent(self, bot_id: str) -> ActiveScenario | None:
        """The pointer, at most `seconds` old. Raises `NoSuchBot`."""
        active, read_at = self._read_at.get(bot_id, (None, -self._seconds))
        return active if self._clock() - read_at < self._seconds else self.read(bot_id)
