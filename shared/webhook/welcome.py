"""Viber's welcome: the scenario's first message, said in the answer to the opening of a chat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from shared.credential import Credential
from shared.dialog.messages import Message
from shared.dialog.ports import BotRepository, RevisionRepository, StateRepository
from shared.dialog.rehearsal import ends_within
from shared.errors import NoSuchBot
from shared.queueing.envelopes import InboundEnvelope

MOST_SECONDS = 2.0
"""For finding the first message; a scenario that takes longer must not keep the event from its queue."""

RenderWelcome = Callable[[Message, Credential], Mapping[str, Any]]
FillFiles = Callable[[Message, Credential], Message]
"""Gives the files of a bot's library the addresses that they have."""


class Welcome(msgspec.Struct, frozen=True):
    """What to answer, and the revision of the scenario whose first message it is."""

    answer: Mapping[str, Any]
    scenario_id: str
    revision: int


class Welcomer(msgspec.Struct, frozen=True):
    """Finds the first message, read-only: the dialog itself is opened by its worker, as ever."""

    dialogs: StateRepository
    bots: BotRepository
    revisions: RevisionRepository
    render: RenderWelcome
    with_files: FillFiles

    def welcome(self, opened: InboundEnvelope, credential: Credential) -> Welcome | None:
        """None where a dialog has gone on already, or nothing is active that could speak first, and in time.

        Until it has, it is the same as before: the answer was lost, or the person has only looked in.
        """
        dialog = self.dialogs.load(opened.dialog_id)
        if dialog is not None and dialog.run > 1:
            return None
        try:
            active = self.bots.active_scenario(opened.bot_id)
        except NoSuchBot:
            return None
        if active is None:
            return None
        from shared.dialog.welcome import first_message  # noqa: PLC0415 (the engine is slow to import)

        document = self.revisions.document(active.scenario_id, active.revision)
        called = {other: self.revisions.document(other, n) for other, n in active.called.items()}
        say_first = partial(first_message, active, document, opened, called, dialog)
        message = say_first() if ends_within(MOST_SECONDS, say_first) else None
        if message is None:
            return None
        answer = self.render(self.with_files(message, credential), credential)
        return Welcome(answer, active.scenario_id, active.revision)
