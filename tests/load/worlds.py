"""Where people are let loose: the handlers over one store, and the embedded run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from infra.local.embedded import EmbeddedParley
from infra.local.emulator import Emulator
from infra.local.ports import free_port
from infra.local.settings import Settings
from tests.benchmarks.cloud import furnished
from tests.benchmarks.files import ROOT
from tests.benchmarks.pipeline import BOT_ID
from tests.load.report import Report

READY_WITHIN_SECONDS = 30
_ROOT_OF_THE_EMULATOR = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_SESSION_TOKEN": "",
}
_WORKERS = {
    "dialog": ("functions.workers.dialog.handler", "INBOUND_QUEUE_URL"),
    "sender": ("functions.workers.sender.handler", "OUTBOUND_QUEUE_URL"),
}
_THREADS = 4


@dataclass(frozen=True, slots=True)
class Running:
    """A Parley with people at its door; `processes` are what it consists of."""

    url: str
    bot_id: str
    processes: Mapping[str, int]

    def load(self, people: int, seconds: int) -> Report:
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder, "stats.json")
            before = self._cpu_seconds()
            with self._locust(people, seconds, results) as locust:
                machine = psutil.cpu_percent(seconds) / 100
                used = {name: after - before[name] for name, after in self._cpu_seconds().items()}
                used["locust"] = _cpu_seconds(psutil.Process(locust.pid))
            if locust.returncode:
                raise subprocess.CalledProcessError(locust.returncode, "locust")
            return Report(json.loads(results.read_text()), seconds, used, machine)

    def _locust(self, people: int, seconds: int, results: Path) -> subprocess.Popen[bytes]:
        """Lets people in for so long, and then waits for those who have begun a conversation to end it."""
        command = [
            *(sys.executable, "-m", "locust", "--headless", "--skip-log", "--exit-code-on-error", "0"),
            *("-f", str(Path(__file__).with_name("locustfile.py")), "--host", self.url),
            *("-u", str(people), "-r", str(max(people / 5, 1)), "-t", f"{seconds}s"),
            *("--stop-timeout", "60", "--json-file", str(results.with_suffix(""))),
        ]
        return subprocess.Popen(command, env={**os.environ, "BOT_ID": self.bot_id}, stdout=subprocess.DEVNULL)

    def _cpu_seconds(self) -> dict[str, float]:
        return {name: _cpu_seconds(psutil.Process(pid)) for name, pid in self.processes.items()}


def _cpu_seconds(process: psutil.Process) -> float:
    family = [process, *process.children(recursive=True)]
    times = [each.cpu_times() for each in family]
    return float(sum(each.user + each.system for each in times))


@contextmanager
def handlers() -> Iterator[Running]:
    """The handlers of production, each with threads of its own, over one emulated AWS."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        emulator = Emulator(folder / "emulator", free_port(), folder / "emulator.log")
        emulator.start()
        stack.callback(emulator.stop)
        known = stack.enter_context(furnished({"AWS_ENDPOINT_URL": emulator.url, **_ROOT_OF_THE_EMULATOR}))
        port = free_port()
        started = {"webhook": stack.enter_context(_program(known, "gateway", str(port)))}
        for name, (handler, queue) in _WORKERS.items():
            started[name] = stack.enter_context(_program(known, "pump", handler, queue, str(_THREADS)))
        url = f"http://127.0.0.1:{port}"
        _wait_for(url)
        yield Running(url, BOT_ID, {"store": int((folder / "emulator" / "pid").read_text()), **started})


@contextmanager
def embedded() -> Iterator[Running]:
    """The whole as `make run` deploys it, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(port=free_port(), state_dir=Path(folder))
        with EmbeddedParley(settings) as info:
            pid = int((Path(folder) / "emulator" / "pid").read_text())
            yield Running(f"http://127.0.0.1:{settings.port}", info.bot_id, {"emulator": pid})


WORLDS: Mapping[str, tuple[Callable[[], AbstractContextManager[Running]], int]] = {
    "handlers": (handlers, 40),
    "embedded": (embedded, 5),
}
"""Each with how many people it is usually asked to bear."""


@contextmanager
def _program(environment: Mapping[str, str], name: str, *arguments: str) -> Iterator[int]:
    command = [sys.executable, "-m", f"tests.load.{name}", *arguments]
    quiet = {**os.environ, **environment, "LOG_LEVEL": "ERROR"}
    with subprocess.Popen(command, cwd=ROOT, env=quiet, stdout=subprocess.DEVNULL) as process:
        try:
            yield process.pid
        finally:
            process.terminate()


def _wait_for(url: str) -> None:
    give_up_at = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < give_up_at:
        try:
            httpx.get(f"{url}/api/webhook/webchat/{BOT_ID}", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(url)
