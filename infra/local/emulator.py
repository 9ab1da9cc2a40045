import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.config import Config

from infra.local.commands import REGION, child_environment
from infra.local.errors import StartError
from infra.local.ports import is_free

READY_WITHIN_SECONDS = 30
SAVED_WITHIN_SECONDS = 60


class Emulator:
    """MiniStack as a child process. It keeps its state in a folder, and writes it when it is stopped.

    Its Lambdas find more in their environment, if that is given.
    """

    def __init__(self, folder: Path, port: int, log: Path, **more: str) -> None:
        self._folder = folder
        self._log = log
        self._more = more
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: dict[str, Any] = {}
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def start(self) -> None:
        stop_forgotten(self._folder)
        if not is_free(self.port):
            raise StartError(f"Port {self.port}, where the embedded AWS listens, is in use.")
        unpacked = self._folder / "tmp"
        shutil.rmtree(unpacked, ignore_errors=True)
        unpacked.mkdir(parents=True)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as output:
            # A session of its own: Ctrl-C in the terminal must reach it through stop() only.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ministack"],
                cwd=self._folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._pid_file.write_text(str(self._process.pid))
        self._wait_until_ready()

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(SAVED_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None
        self._pid_file.unlink(missing_ok=True)
        shutil.rmtree(self._folder / "tmp", ignore_errors=True)

    def ensure_running(self) -> None:
        if self._process is None or self._process.poll() is not None:
            raise StartError("The embedded AWS stopped by itself.", self._log)

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = root_client(self.url, service)
        return self._clients[service]

    @property
    def _pid_file(self) -> Path:
        return self._folder / "pid"

    def _environment(self) -> dict[str, str]:
        return child_environment(
            GATEWAY_PORT=str(self.port),
            BIND_HOST="127.0.0.1",
            MINISTACK_HOST="localhost",
            MINISTACK_REGION=REGION,
            AUTH="true",
            PERSIST_STATE="1",
            STATE_DIR=str(self._folder / "state"),
            S3_PERSIST="1",
            S3_DATA_DIR=str(self._folder / "s3"),
            TMPDIR=str(self._folder / "tmp"),
            LAMBDA_EXECUTOR="local",
            # A bot that is talked to once a day should not start cold every time.
            LAMBDA_WARM_TTL_SECONDS="86400",
            SFTP_ENABLED="0",
            IOT_MTLS_ENABLED="0",
            **self._more,
        )

    def _wait_until_ready(self) -> None:
        give_up_at = time.monotonic() + READY_WITHIN_SECONDS
        while time.monotonic() < give_up_at:
            self.ensure_running()
            try:
                if httpx.get(f"{self.url}/_ministack/ready", trust_env=False).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        self.stop()
        raise StartError(f"The embedded AWS was not ready within {READY_WITHIN_SECONDS} s.", self._log)


def root_client(url: str, service: str) -> Any:
    """A client with the root's rights, and a session of its own: threads must not share one."""
    return boto3.session.Session().client(  # type: ignore[call-overload]  # any service's name
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the emulator's own
        config=Config(retries={"total_max_attempts": 3}, proxies={}),
    )


def stop_forgotten(folder: Path) -> None:
    """Stop what a killed run left behind, so that it saves its state."""
    pid_file = folder / "pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text())
    if "ministack" in _command_of(pid):
        os.kill(pid, signal.SIGTERM)
        give_up_at = time.monotonic() + SAVED_WITHIN_SECONDS
        while "ministack" in _command_of(pid) and time.monotonic() < give_up_at:
            time.sleep(0.1)
    pid_file.unlink()


def _command_of(pid: int) -> str:
    if Path("/proc/self").exists():
        command = Path(f"/proc/{pid}/cmdline")
        return command.read_text().replace("\0", " ") if command.exists() else ""
    listed = subprocess.run(  # noqa: S603 - our own command line
        ["/bin/ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return listed.stdout
