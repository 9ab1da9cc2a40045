"""Which of a bot's dialogs are wanted, and how a page of them is gathered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.dialog.state import Dialog
from shared.pages import Page
from shared.storage.dialogs import DynamoDialogs, hours_of

_MAX_ROUNDS: Final = 10
"""How often a page looks for more of what is rare before it ends, short, with a cursor."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Filters; None lets everything pass. `since` is inclusive, `until` is not; both by last activity."""

    platform: str | None
    status: str | None
    since: datetime | None
    until: datetime | None

    def takes(self, dialog: Dialog) -> bool:
        moment = dialog.last_interaction_at
        return (
            self.status in {None, dialog.status}
            and (self.since is None or moment >= self.since)
            and (self.until is None or moment < self.until)
        )


def select(
    dialogs: DynamoDialogs, bot_id: str, selection: Selection, limit: int, start: dict[str, Any] | None
) -> Page[Dialog]:
    """A page of the bot's dialogs that are wanted, the latest first.

    It may hold fewer than `limit` and still have a next one.
    """
    wanted: list[Dialog] = []
    hours = hours_of(selection.since, selection.until)
    for _ in range(_MAX_ROUNDS):
        page = dialogs.of_bot(bot_id, selection.platform, limit - len(wanted), start, hours)
        wanted += filter(selection.takes, page.items)
        start = page.next
        if start is None or len(wanted) == limit:
            break
    return Page(wanted, start)
