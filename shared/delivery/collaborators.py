"""What delivering works with: stores, messengers, other senders, and the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.credential import Credential
from shared.delivery.account import Account
from shared.delivery.files import NO_FILES, Files
from shared.delivery.findings import NOBODY, Findings
from shared.delivery.holds import NO_HOLDS, Holds
from shared.delivery.receipts import NO_NAMES, MessageNames
from shared.delivery.transport import Transport
from shared.dialog.ports import HistoryRepository
from shared.platforms.base import PlatformAdapter, Request
from shared.queueing.envelopes import OutboundEnvelope


@dataclass(frozen=True, slots=True)
class Collaborators:
    """`credential_of` gives the connected account, or None, perhaps as it was a moment ago;
    `fresh_credential_of` as it is now. `seconds_left` is what remains to this process. `holds` are shared
    with all other senders, `names` are for receipts, `findings` hear of what concerns more than a message,
    `files` know the library. `hint` makes a request that nothing depends on.
    """

    history: HistoryRepository
    credential_of: Callable[[str, str], Credential | None]
    adapter_of: Callable[[str], PlatformAdapter]
    transport: Transport
    now: Callable[[], datetime]
    seconds_left: Callable[[], float]
    fresh_credential_of: Callable[[str, str], Credential | None] = lambda _bot_id, _platform: None
    holds: Holds = NO_HOLDS
    names: MessageNames = NO_NAMES
    findings: Findings = NOBODY
    files: Files = NO_FILES
    hint: Callable[[Request], None] = lambda _request: None

    def show_typing(self, envelope: OutboundEnvelope, credential: Credential) -> None:
        """Let the person see that more is coming, where their messenger can show it."""
        adapter = self.adapter_of(envelope.platform)
        typing = adapter.typing(envelope.platform_chat_id, credential, envelope.last_message_id)
        if typing:
            self.hint(typing)

    def account_of(self, credential: Credential) -> Account:
        return Account(credential, self.holds, self.findings, self.fresh_credential_of, self.now)
