"""What people of an account do to a dialog: events for its worker, which alone writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from functions.admin.dialogs.schemas import Accepted
from shared.dialog.events import DeletionRequested, GivenBack, HandedOff, OperatorWrote, RunRequested
from shared.dialog.ports import InboundQueue
from shared.dialog.state import Dialog, dialog_id_of
from shared.errors import NotAccepted, Unavailable
from shared.queueing.envelopes import InboundEnvelope
from shared.storage.clock import utc_now

_RETRY_SECONDS: Final = 5

Act = RunRequested | HandedOff | OperatorWrote | GivenBack | DeletionRequested


@dataclass(frozen=True, slots=True)
class Chat:
    """Where a bot talks to somebody."""

    bot_id: str
    platform: str
    chat_id: str

    @classmethod
    def of(cls, dialog: Dialog) -> Chat:
        return cls(dialog.bot_id, dialog.platform, dialog.platform_chat_id)


@dataclass(frozen=True, slots=True)
class Acts:
    """Sends what one caller does; `by` is their id."""

    inbound: InboundQueue
    by: str

    def send(self, chat: Chat, act: type[Act], **fields: Any) -> Accepted:
        """Put the act into the dialog's queue. Raises `Unavailable`; then nothing was done."""
        now, trace_id = utc_now(), str(uuid4())
        envelope = InboundEnvelope(
            dialog_id=dialog_id_of(chat.bot_id, chat.platform, chat.chat_id),
            bot_id=chat.bot_id,
            platform=chat.platform,
            platform_chat_id=chat.chat_id,
            event=act(id=trace_id, occurred_at=now, by=self.by, **fields),
            received_at=now,
            trace_id=trace_id,
        )
        try:
            self.inbound.send([envelope])
        except NotAccepted:
            raise Unavailable("the queue of dialogs", _RETRY_SECONDS) from None
        return Accepted.model_validate(envelope)
