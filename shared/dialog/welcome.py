"""The first words of a scenario, said before there is a dialog: some messengers want them at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.dialog.manager import new_dialog
from shared.dialog.messages import Message
from shared.dialog.ports import ActiveScenario
from shared.dialog.processor import Moment, ScenarioProcessor
from shared.queueing.envelopes import InboundEnvelope
from shared.scenario.compiler import compile_scenario


def first_message(
    active: ActiveScenario, document: Mapping[str, Any], envelope: InboundEnvelope
) -> Message | None:
    """What the scenario says first to the event in the envelope; nothing is stored.

    The same event, applied later, opens the dialog with this very message, buttons included.
    """
    dialog = new_dialog(envelope, envelope.received_at)
    dialog.bot_name = active.bot_name
    processor = ScenarioProcessor(compile_scenario(document))
    turn = processor.advance(dialog, envelope.event, Moment(envelope.received_at, 0.0))
    return turn.messages[0] if turn.messages else None
