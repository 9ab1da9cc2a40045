"""`make run`, as a person meets it: one clear sentence when it cannot, and nothing forgotten when it can."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.commands import ROOT
from infra.local.emulator import stop_forgotten
from infra.local.ports import free_port
from tests.standins.telegram import TelegramStandIn

READY_WITHIN_SECONDS = 180
STOPPED_WITHIN_SECONDS = 90


class Supervisor:
    """`python -m infra.local` in a process, over a state folder of its own."""

    def __init__(self, state: Path, port: int, **more: str) -> None:
        self.run_file = state / "run.json"
        self._log = state.with_suffix(".log")
        environment = {**os.environ, "PARLEY_STATE": str(state), "PORT": str(port), **more}
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "infra.local"],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self._log.read_text()

    def wait_until_ready(self) -> dict[str, Any]:
        give_up_at = time.monotonic() + READY_WITHIN_SECONDS
        while not self.run_file.exists():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < give_up_at, self.said
            time.sleep(0.1)
        info: dict[str, Any] = json.loads(self.run_file.read_text())
        return info

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOPPED_WITHIN_SECONDS)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state folder; whatever becomes of the test, no emulator outlives it."""
    yield tmp_path / "state"
    stop_forgotten(tmp_path / "state" / "emulator")


@contextmanager
def supervisor(state: Path, port: int, **more: str) -> Iterator[Supervisor]:
    started = Supervisor(state, port, **more)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.stop()


def test_a_port_in_use_is_one_sentence(state: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with supervisor(state, port) as refused:
            assert refused.process.wait(30) == 1
    assert refused.said == f"Port {port} is in use; say PORT={port + 10} make run for another.\n"


def test_a_port_that_is_none_is_one_sentence(state: Path) -> None:
    with supervisor(state, port=70000) as refused:
        assert refused.process.wait(30) == 1
    assert refused.said == "PORT=70000 is not a port; say a number from 1 to 65535.\n"


@pytest.mark.deployed
def test_a_restart_keeps_everything(state: Path) -> None:
    """Also after the supervisor was killed, and with other settings, which then hold."""
    port = free_port()
    with supervisor(state, port) as first:
        before = first.wait_until_ready()
        chat = _begin_chat(before)
        _expect_a_second_run_to_be_refused(state, port)
        assert first.stop(signal.SIGINT) == 0
    assert not (state / "run.json").exists()

    with supervisor(state, port) as second:
        after = second.wait_until_ready()
        assert "deploy" not in second.said
        _expect_the_same_parley(before, after)
        assert _messages(after, chat.token) == chat.messages
        second.process.kill()
        second.process.wait()
        second.run_file.unlink()

    with TelegramStandIn() as telegram:
        settings = {"TELEGRAM_API_URL": telegram.url, "TELEGRAM_TOKEN": telegram.token}
        with supervisor(state, port, **settings) as third:
            after = third.wait_until_ready()
            _expect_the_same_parley(before, after)
            assert _messages(after, chat.token) == chat.messages
            person = telegram.person()
            person.say("/start")
            assert person.next(timeout_seconds=60).text == chat.messages[0]["text"]
            assert third.stop() == 0
            assert telegram.token not in third.said
        assert telegram.refusals == []


class Chat:
    def __init__(self, token: str, messages: list[dict[str, Any]]) -> None:
        self.token = token
        self.messages = messages


def _begin_chat(info: dict[str, Any]) -> Chat:
    started = httpx.post(_web_chat(info), json={"start": True}, timeout=60, trust_env=False)
    assert started.status_code == 200, started.text
    token = started.json()["chat_token"]
    give_up_at = time.monotonic() + 60
    while not (messages := _messages(info, token)):
        assert time.monotonic() < give_up_at, "the bot does not answer"
        time.sleep(0.2)
    return Chat(token, messages)


def _messages(info: dict[str, Any], token: str) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"}
    listed = httpx.get(_web_chat(info), headers=headers, timeout=60, trust_env=False)
    assert listed.status_code == 200, listed.text
    items: list[dict[str, Any]] = listed.json()["items"]
    return items


def _web_chat(info: dict[str, Any]) -> str:
    return f"{info['api_url']}/api/webhook/webchat/{info['bot_id']}"


def _expect_a_second_run_to_be_refused(state: Path, port: int) -> None:
    environment = {**os.environ, "PARLEY_STATE": str(state), "PORT": str(port)}
    second = subprocess.run(
        [sys.executable, "-m", "infra.local"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert second.stderr.startswith(f"Parley is already running: http://localhost:{port}, process ")
    assert (state / "run.json").exists()


def _expect_the_same_parley(before: dict[str, Any], after: dict[str, Any]) -> None:
    same = ("api_url", "chat_url", "jwt_secret", "account_id", "bot_id", "aws_endpoint_url", "region")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
