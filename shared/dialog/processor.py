"""The engine: one event in, one turn out. Pure, synchronous, total.

Time and randomness come in with the event, so a dialog can be replayed, and a simulator or a
scenario's tests run this very code. Nothing here knows a queue, a table or a messenger.

Terms: a *run* is one pass from the start to an end; a question reached anew is an *ask*, numbered in
its run; buttons name the ask they were shown with, which makes older ones *stale*.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from shared.dialog.engine.answers import starts_over
from shared.dialog.engine.happenings import Happenings
from shared.dialog.engine.turn import Moment, Turn
from shared.dialog.engine.walk import has_open_run
from shared.dialog.events import Event
from shared.dialog.state import Dialog
from shared.scenario.compiled import CompiledScenario

__all__ = ["Moment", "ScenarioProcessor", "Turn", "has_open_run", "starts_over"]


class ScenarioProcessor:
    """Applies events to dialogs by one compiled scenario, and those it calls; holds no state of its own."""

    def __init__(
        self,
        scenario: CompiledScenario,
        called: Mapping[str, CompiledScenario] = MappingProxyType({}),
    ) -> None:
        """`called` are by id all scenarios that are called, by this one or by one another."""
        self.scenario = scenario
        self.called = called

    def advance(self, dialog: Dialog, event: Event, moment: Moment) -> Turn:
        """Apply the event. The given dialog is left as it is; the turn holds its successor."""
        copy = msgspec.structs.replace(dialog)
        if event.person is not None:
            copy.person = event.person
        return Happenings(self.scenario, self.called, copy, event, moment).turn()
