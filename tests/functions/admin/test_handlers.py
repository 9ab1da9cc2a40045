"""The Lambdas as AWS sees them: a module to import, and a function to call."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.admin_api.gateway import event_of
from tests.conftest import ENVIRONMENT

ROOT = Path(__file__).parents[3]
HANDLERS = sorted((ROOT / "functions" / "admin").glob("*/handler.py"))
WEB = {"fastapi", "starlette", "mangum"}
WEB_HAS_A_PLACE = ("functions/admin/", "shared/admin_api/")

_CALL = """
import json, sys
from importlib import import_module
from fastapi import FastAPI
module = import_module(sys.argv[1])
assert isinstance(module.app, FastAPI)
answer = module.lambda_handler(json.loads(sys.argv[2]), None)
heavy = [name for name in ("boto3", "httpx", "moto", "PIL", "tinytag") if name in sys.modules]
print(json.dumps({"answer": answer, "heavy": heavy}))
"""


def call(module: str, event: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    """What the handler answers, in a process of its own as in a cold start."""
    done = subprocess.run(
        [sys.executable, "-c", _CALL, module, json.dumps(event)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def module_of(handler: Path) -> str:
    return ".".join(handler.relative_to(ROOT).with_suffix("").parts)


def test_there_is_a_lambda_for_every_resource() -> None:
    assert [handler.parent.name for handler in HANDLERS] == [
        "bots",
        "dialogs",
        "media",
        "platforms",
        "scenarios",
    ]


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.parent.name)
def test_lambda_starts_cold_and_asks_who_is_calling(handler: Path) -> None:
    event = event_of(httpx.Request("GET", "https://api.invalid/api/anything"))

    told = call(module_of(handler), event, ENVIRONMENT)

    assert told["heavy"] == []
    assert told["answer"]["statusCode"] == 401
    assert told["answer"]["isBase64Encoded"] is False
    assert told["answer"]["headers"]["content-type"] == "application/problem+json"
    assert json.loads(told["answer"]["body"])["type"] == "urn:parley:problem:unauthenticated"


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.parent.name)
def test_handler_is_thin(handler: Path) -> None:
    assert len(handler.read_text().splitlines()) < 60


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_only_the_admin_api_imports_a_web_framework() -> None:
    files = [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    importing = [path.relative_to(ROOT).as_posix() for path in files if WEB & set(imports_of(path))]

    assert importing
    assert not [path for path in importing if not path.startswith(WEB_HAS_A_PLACE)]
