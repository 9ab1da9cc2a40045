"""The first words of a scenario, said before there is a dialog: some messengers want them at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.dialog.messages import Message
from shared.dialog.ports import ActiveScenario
from shared.dialog.processor import Moment, ScenarioProcessor
from shared.dialog.turns import Followed, Program, new_dialog
from shared.queueing.envelopes import InboundEnvelope
from shared.scenario.compiler import compile_scenario

Document = Mapping[str, Any]


def first_message(
    active: ActiveScenario,
    document: Document,
    envelope: InboundEnvelope,
    called: Mapping[str, Document] | None = None,
) -> Message | None:
    """What the scenario says first to the event in the envelope; nothing is stored.

    `called` are the documents of scenarios that it may call. The same event, applied later, opens the
    dialog with this very message, buttons included.
    """
    others = {other: compile_scenario(each) for other, each in (called or {}).items()}
    processor = ScenarioProcessor(compile_scenario(document), others)
    program = Program(processor, Followed.of(active))
    dialog, moment = new_dialog(envelope, envelope.received_at), Moment(envelope.received_at, 0.0)
    turn = program.advance(dialog, envelope.event, moment)
    return turn.messages[0] if turn.messages else None
