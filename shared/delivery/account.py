"""A bot's account at a messenger, as whoever calls the messenger has to heed it: held, refused, replaced."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from shared.credential import Credential
from shared.delivery.findings import Findings
from shared.delivery.holds import Hold, Holds, mark_of

REFUSED_SECONDS = 60.0
"""How long nothing is tried with a credential that its messenger does not accept."""


class Account(msgspec.Struct, frozen=True):
    """What is known of a credential, and where what is found out about it goes."""

    credential: Credential
    holds: Holds
    findings: Findings
    fresh_credential_of: Callable[[str, str], Credential | None]
    now: Callable[[], datetime]

    def hold(self) -> Hold | None:
        """The hold on the bot, unless it is on a credential that has been replaced."""
        hold = self.holds.get(*self._address)
        is_past = hold and hold.refused and hold.refused != mark_of(self.credential)
        return None if is_past else hold

    def hold_back(self, seconds: float, reason: str) -> None:
        """Let all dialogs of the bot wait."""
        self._put_hold(Hold(self.now() + timedelta(seconds=seconds), reason))

    def refuse(self, reason: str) -> None:
        """Let nothing be tried with this credential for a while, and tell its owner."""
        now = self.now()
        self.findings.refused(*self._address, reason, now)
        self._put_hold(Hold(now + timedelta(seconds=REFUSED_SECONDS), reason, mark_of(self.credential)))

    def was_replaced(self) -> bool:
        """Whether the messenger has refused a credential that is not the bot's any more."""
        fresh = self.fresh_credential_of(*self._address)
        return fresh is not None and fresh.settings != self.credential.settings

    @property
    def _address(self) -> tuple[str, str]:
        return self.credential.bot_id, self.credential.platform

    def _put_hold(self, hold: Hold) -> None:
        """Unless a longer wait is known."""
        known = self.holds.get(*self._address)
        if known is None or known.refused or known.until < hold.until:
            self.holds.put(*self._address, hold)
