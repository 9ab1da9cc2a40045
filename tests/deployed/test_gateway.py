"""What the gateway in front of the Lambdas does."""

import httpx
import pytest

from infra.local.running import RunInfo

pytestmark = pytest.mark.deployed


def test_an_unknown_platform_is_404(parley: RunInfo) -> None:
    answer = httpx.post(f"{parley.api_url}/api/webhook/line/{parley.bot_id}", json={}, trust_env=False)
    assert answer.status_code == 404


def test_a_giant_body_is_413(parley: RunInfo) -> None:
    url = f"{parley.api_url}/api/webhook/telegram/{parley.bot_id}"
    answer = httpx.post(url, content=b"0" * (10 * 1024 * 1024 + 1), timeout=60, trust_env=False)
    assert answer.status_code == 413


def test_a_preflight_reaches_the_web_chat(parley: RunInfo) -> None:
    asked = {"Origin": parley.api_url, "Access-Control-Request-Method": "POST"}
    url = f"{parley.api_url}/api/webhook/webchat/{parley.bot_id}"
    answer = httpx.options(url, headers=asked, timeout=60, trust_env=False)
    assert answer.status_code in {200, 204, 403}
    assert "CORS not configured" not in answer.text


def test_the_chat_page_is_served(parley: RunInfo) -> None:
    page = httpx.get(parley.chat_url, timeout=60, trust_env=False)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")


def test_every_lambda_writes_into_its_log_group(parley: RunInfo) -> None:
    httpx.get(parley.chat_url, timeout=60, trust_env=False)
    assert "START RequestId" in parley.logs("webhooks/webchat")
