"""The first words of a scenario, said before there is a dialog: some messengers want them at once.

Those messengers take one message, and no other until the person has written; so all that the scenario says
first is said in one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shared.dialog.messages import Media, Message, Span
from shared.dialog.ports import ActiveScenario
from shared.dialog.processor import Moment, ScenarioProcessor
from shared.dialog.state import Dialog
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
    """What the scenario says first to the event in the envelope, in one message; nothing is stored.

    `called` are the documents of scenarios that it may call. The same event, applied later, opens the
    dialog with this very message, buttons included.
    """
    others = {other: compile_scenario(each) for other, each in (called or {}).items()}
    processor = ScenarioProcessor(compile_scenario(document), others)
    program = Program(processor, Followed.of(active))
    dialog, moment = new_dialog(envelope, envelope.received_at), Moment(envelope.received_at, 0.0)
    turn = program.advance(dialog, envelope.event, moment)
    return joined(turn.messages) if turn.messages else None


def is_opened_by(dialog: Dialog, envelope: InboundEnvelope) -> bool:
    """Whether it was this event that has opened the dialog, and the person has done nothing since.

    Then the first message is still the one to answer.
    """
    is_last = dialog.last_interaction_at <= envelope.event.occurred_at
    return is_last and dialog.epoch == new_dialog(envelope, envelope.received_at).epoch


def joined(messages: Sequence[Message]) -> Message:
    """One message that says what they all say; it has the last one's buttons, and waits for nothing."""
    text, spans, media = "", list[Span](), list[Media]()
    for message in messages:
        gap = "\n\n" if text and message.text else ""
        spans += [_moved(span, len(text + gap)) for span in message.spans]
        text += gap + message.text
        media += message.media
    return msgspec.structs.replace(
        messages[-1], text=text, spans=tuple(spans), media=tuple(media), delay=0, template=None
    )


def _moved(span: Span, by: int) -> Span:
    return msgspec.structs.replace(span, start=span.start + by, end=span.end + by)
