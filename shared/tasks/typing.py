"""That something is being written, shown to a person for as long as they wait for a task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

from shared.credential import Credential
from shared.observability import describe, logger
from shared.platforms.base import PlatformAdapter, Request
from shared.queueing.envelopes import TaskEnvelope

WORTH_SHOWING_SECONDS = 0.5
"""What is done sooner needs no sign of it."""

_SHOWN_AGAIN_AT = 0.8
"""Of the time that a messenger shows it: before that is over, it is shown again."""


@dataclass(frozen=True, slots=True)
class Typing:
    """Tells messengers, beside the work, and never holds that up: what hinders it is forgotten.

    `hint` makes a request that nothing depends on.
    """

    credential_of: Callable[[str, str], Credential | None]
    adapter_of: Callable[[str], PlatformAdapter]
    hint: Callable[[Request], None]
    worth_showing_seconds: float = WORTH_SHOWING_SECONDS

    @contextmanager
    def shown(self, work: TaskEnvelope) -> Iterator[None]:
        """None is on its way any more when this is over: it would be seen after the answer."""
        is_over = Event()
        thread = Thread(target=self._show, args=(work, is_over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def _show(self, work: TaskEnvelope, is_over: Event) -> None:
        try:
            self._show_until(is_over, work)
        except Exception as error:  # noqa: BLE001 - the outermost door of a thread
            logger.warning("typing not shown", extra=describe(error))

    def _show_until(self, is_over: Event, work: TaskEnvelope) -> None:
        adapter, wait = self.adapter_of(work.platform), self.worth_showing_seconds
        while adapter.capabilities.typing_seconds and not is_over.wait(wait):
            credential = self.credential_of(work.bot_id, work.platform)
            if credential is None or not credential.is_active:
                return
            if request := adapter.typing(work.platform_chat_id, credential, work.last_message_id):
                self.hint(request)
            wait = adapter.capabilities.typing_seconds * _SHOWN_AGAIN_AT
