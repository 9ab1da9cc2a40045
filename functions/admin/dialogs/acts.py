"""What people of an account do to a dialog: events for its worker, which alone writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from functions.admin.dialogs.schemas import Accepted
from shared.admin_api.collaborators import handed_to
from shared.dialog.events import DeletionRequested, GivenBack, HandedOff, OperatorWrote, RunRequested
from shared.dialog.ports import InboundQueue
from shared.dialog.state import Dialog, dialog_id_of
from shared.errors import Conflict, Invalid, Violation
from shared.platforms import adapter_for
from shared.queueing.envelopes import InboundEnvelope
from shared.results.columns import ResultColumns
from shared.scenario.kinds import fits, in_words
from shared.storage.bots import Bot, pointer_of
from shared.storage.clock import utc_now
from shared.storage.credentials import is_connected

_HOUR: Final = timedelta(hours=1)

_WINDOW_EDGE: Final = timedelta(minutes=5)
"""After the end of a messenger's window in which the sender asks it yet."""

Act = RunRequested | HandedOff | OperatorWrote | GivenBack | DeletionRequested


@dataclass(frozen=True, slots=True)
class Chat:
    """Where a bot talks to somebody. A number may have had other owners: a dialog goes by its own id."""

    bot_id: str
    platform: str
    chat_id: str
    dialog_id: str

    @classmethod
    def at(cls, bot_id: str, platform: str, chat_id: str) -> Chat:
        """With whoever is there now."""
        return cls(bot_id, platform, chat_id, dialog_id_of(bot_id, platform, chat_id))

    @classmethod
    def of(cls, dialog: Dialog) -> Chat:
        return cls(dialog.bot_id, dialog.platform, dialog.platform_chat_id, dialog.id)


@dataclass(frozen=True, slots=True)
class Acts:
    """Sends what one caller does; `by` is their id."""

    inbound: InboundQueue
    by: str

    def send(self, chat: Chat, act: type[Act], **fields: Any) -> Accepted:
        """Put the act into the dialog's queue. Raises `Unavailable`; then nothing was done."""
        now, trace_id = utc_now(), str(uuid4())
        envelope = InboundEnvelope(
            dialog_id=chat.dialog_id,
            bot_id=chat.bot_id,
            platform=chat.platform,
            platform_chat_id=chat.chat_id,
            event=act(id=trace_id, occurred_at=now, by=self.by, **fields),
            received_at=now,
            trace_id=trace_id,
        )
        with handed_to("the queue of dialogs"):
            self.inbound.send([envelope])
        return Accepted.model_validate(envelope)


def require_connected(bot: Bot, platform: str) -> None:
    """Raises `Conflict` where nothing that the bot says would leave it."""
    if not bot.is_active:
        raise Conflict("The bot is switched off; activate it first.")
    if not is_connected(bot.id, platform):
        raise Conflict(f"The bot is not connected to {platform}, or that connection is switched off.")


def require_known(variables: Mapping[str, Any], bot: Bot, columns: ResultColumns) -> None:
    """Raises `Conflict` without an active scenario, and `Invalid` for variables that it could not keep."""
    active = pointer_of(bot)
    if active is None:
        raise Conflict("The bot has no active scenario; activate one first.")
    if not variables:
        return
    kinds = {column.name: column.type for column in columns.of(active.scenario_id, active.revision)}
    kinds.setdefault("start_payload", "string")
    violations = [wrong for name, value in variables.items() if (wrong := _wrong(name, value, kinds))]
    if violations:
        raise Invalid("The active scenario cannot take these variables.", violations)


def _wrong(name: str, value: Any, kinds: Mapping[str, str]) -> Violation | None:
    at = f"/variables/{name}"
    if name not in kinds:
        return Violation(at, "The active scenario has no such variable.", "unknown_variable")
    if value is not None and not fits(value, kinds[name]):
        return Violation(at, f"This has to be {in_words(kinds[name])}.", "wrong_type")
    return None


def require_open(dialog: Dialog, now: datetime) -> None:
    """Raises `Conflict` where what is written to the person now certainly does not reach them."""
    if dialog.status == "blocked":
        raise Conflict("The person has blocked the bot; nothing reaches them until they write again.")
    window = adapter_for(dialog.platform).capabilities.window
    if window is None:
        return
    if dialog.never_wrote or now - dialog.last_interaction_at > window + _WINDOW_EDGE:
        raise Conflict(
            f"{dialog.platform} takes nothing but templates for somebody who has not written for "
            f"{window // _HOUR} hours: restart the dialog, with a scenario whose first message has one."
        )
