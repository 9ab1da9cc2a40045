"""Typing, shown beside a task for as long as it takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Queue
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from shared.credential import Credential
from shared.dialog.state import Task
from shared.platforms import PLATFORMS, adapter_for
from shared.platforms.base import Capabilities, PlatformAdapter, Request
from shared.queueing.envelopes import TaskEnvelope
from shared.tasks.typing import Typing

WORK = TaskEnvelope(
    dialog_id="d",
    epoch="e",
    bot_id="b",
    platform="telegram",
    platform_chat_id="42",
    task=Task(number=7, kind="llm", request={}, timeout=60),
    trace_id="t",
    last_message_id="wamid.1",
)
SETTINGS = {"bot_token": "1:a", "access_token": "a", "phone_number_id": "1", "auth_token": "a"}


def credential(*, is_active: bool = True) -> Credential:
    return Credential("c", "b", "telegram", is_active=is_active, settings=SETTINGS)


@dataclass
class Shown:
    """Typing that is worth showing at once; `seen` are the requests in their order."""

    adapter: PlatformAdapter
    credential_of: Callable[[str, str], Credential | None] = lambda _bot, _platform: credential()
    seen: Queue[Request] = field(default_factory=Queue)

    def typing(self) -> Typing:
        return Typing(self.credential_of, lambda _platform: self.adapter, self.seen.put, 0.0)


def quick_adapter() -> PlatformAdapter:
    """Of a messenger that shows typing for a moment only."""
    capabilities = Capabilities(max_text=1, max_buttons=1, max_button_label=1, typing_seconds=0.01)
    typing = lambda chat_id, _credential, last: Request("https://m", {"to": chat_id, "after": last})  # noqa: E731
    return cast("PlatformAdapter", SimpleNamespace(capabilities=capabilities, typing=typing))


def test_typing_is_shown_again_and_again_until_the_task_is_done() -> None:
    shown = Shown(quick_adapter())
    with shown.typing().shown(WORK):
        requests = [shown.seen.get(timeout=5) for _ in range(3)]
    shown_until_then = shown.seen.qsize()
    assert requests == [Request("https://m", {"to": "42", "after": "wamid.1"})] * 3
    time.sleep(0.05)
    assert shown.seen.qsize() == shown_until_then, "nothing goes on afterwards"


@pytest.mark.parametrize("platform", ["telegram", "whatsapp"])
def test_every_messenger_that_has_it_shows_it(platform: str) -> None:
    shown = Shown(adapter_for(platform))
    with shown.typing().shown(msgspec.structs.replace(WORK, platform=platform)):
        request = shown.seen.get(timeout=5)
    assert "typing" in str(request.json)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_how_long_typing_is_shown_is_told_of_every_messenger_that_shows_it(platform: str) -> None:
    adapter = adapter_for(platform)
    request = adapter.typing("42", credential(), "wamid.1")
    assert bool(request) is bool(adapter.capabilities.typing_seconds)


def test_what_is_done_at_once_shows_nothing() -> None:
    shown = Shown(quick_adapter())
    patient = Typing(shown.credential_of, lambda _platform: shown.adapter, shown.seen.put)
    with patient.shown(WORK):
        pass
    assert shown.seen.empty()


@pytest.mark.parametrize("found", [None, credential(is_active=False)], ids=["none", "switched off"])
def test_a_bot_that_is_not_connected_shows_nothing(found: Credential | None) -> None:
    asked: Queue[str] = Queue()

    def credential_of(bot_id: str, _platform: str) -> Credential | None:
        asked.put(bot_id)
        return found

    shown = Shown(quick_adapter(), credential_of)
    with shown.typing().shown(WORK):
        assert asked.get(timeout=5) == "b"
    assert shown.seen.empty()


def test_what_hinders_typing_does_not_hinder_the_task(caplog: pytest.LogCaptureFixture) -> None:
    asked: Queue[str] = Queue()

    def credential_of(bot_id: str, _platform: str) -> Any:
        asked.put(bot_id)
        raise KeyError(bot_id)

    with Shown(quick_adapter(), credential_of).typing().shown(WORK):
        asked.get(timeout=5)
    assert [record.message for record in caplog.records] == ["typing not shown"]


def test_a_task_s_own_fault_is_not_covered_up() -> None:
    with pytest.raises(ZeroDivisionError), Shown(quick_adapter()).typing().shown(WORK):
        raise ZeroDivisionError
