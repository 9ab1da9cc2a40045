"""What the hot path imports: a webhook's first call waits for every module."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"boto3", "fastapi", "httpx", "pydantic", "requests", "moto", "s3transfer"}

FOR_A_WEBHOOK = [
    "shared.aws",
    "shared.settings",
    "shared.observability",
    "shared.queueing.producer",
    "shared.storage.bots",
    "shared.storage.credentials",
    "shared.storage.credential_cache",
]
FOR_A_WORKER = [
    *FOR_A_WEBHOOK,
    "shared.queueing.consumer",
    "shared.storage.dialogs",
    "shared.storage.history",
    "shared.storage.scenarios",
]


@pytest.mark.parametrize("modules", [FOR_A_WEBHOOK, FOR_A_WORKER], ids=["webhook", "worker"])
def test_the_hot_path_imports_nothing_heavy(modules: list[str]) -> None:
    program = f"import sys, {', '.join(modules)}; print(*{{name.split('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", program], env={}, capture_output=True, text=True, check=True)

    imported = set(run.stdout.split())
    assert imported >= {"botocore", "pynamodb", "msgspec"}
    assert not imported & HEAVY


def test_importing_makes_no_client_and_needs_no_environment() -> None:
    program = f"import {', '.join(FOR_A_WORKER)}; print(len(shared.aws._clients), shared.aws._session)"
    run = subprocess.run([sys.executable, "-c", program], env={}, capture_output=True, text=True, check=True)

    assert run.stdout.split() == ["0", "None"]
