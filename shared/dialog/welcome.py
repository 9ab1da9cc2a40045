"""The first words of a scenario, said before there is a dialog: some messengers want them at once.

Those messengers take one message, and no other until the person has written; so all that the scenario says
first is said in one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shared.dialog.events import ConversationStarted, Event
from shared.dialog.messages import Media, Message, Span
from shared.dialog.ports import ActiveScenario
from shared.dialog.processor import Moment, ScenarioProcessor
from shared.dialog.state import Dialog
from shared.dialog.turns import Followed, Program, chance_in, new_dialog
from shared.queueing.envelopes import InboundEnvelope
from shared.scenario.compiler import compile_scenario

Document = Mapping[str, Any]


def first_message(
    active: ActiveScenario,
    document: Document,
    envelope: InboundEnvelope,
    called: Mapping[str, Document] | None = None,
    known: Dialog | None = None,
) -> Message | None:
    """What the scenario says first to the event in the envelope, in one message; nothing is stored.

    `called` are the documents of scenarios that it may call. The same event, applied later, opens the
    dialog with this very message, buttons included. Of a dialog that is `known` already it is what that waits
    with still, or None.
    """
    others = {other: compile_scenario(each) for other, each in (called or {}).items()}
    processor = ScenarioProcessor(compile_scenario(document), others)
    program = Program(processor, Followed.of(active))
    dialog = new_dialog(envelope, envelope.received_at)
    if known and not _only_looks_in(envelope.event) and known.epoch != dialog.epoch:
        return None  # a link begins anew, unless it is the one that has opened the dialog
    dialog.epoch = known.epoch if known else dialog.epoch
    turn = program.advance(dialog, envelope.event, Moment(envelope.received_at, chance_in(dialog)))
    has_gone_on = known is not None and _place(known) != _place(turn.dialog)
    return joined(turn.messages) if turn.messages and not has_gone_on else None


def _only_looks_in(event: Event) -> bool:
    return isinstance(event, ConversationStarted) and event.only_opens


def _place(dialog: Dialog) -> tuple[Any, ...]:
    """What the dialog waits with, even while nobody can be told."""
    status, ask = dialog.blocked or dialog.status, dialog.ask.number if dialog.ask else None
    return dialog.scenario_id, dialog.revision, dialog.run, status, ask


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
