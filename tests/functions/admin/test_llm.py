"""A bot's language model: set, shown without its key, and told what may not be."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from shared.llm.settings import MAX_TOKENS_PER_DAY, ModelSettings
from shared.storage.bot_settings import LLM, DynamoBotSettings
from shared.storage.sealing import KmsSealer
from tests.conftest import ENVIRONMENT, Aws, Call
from tests.functions.admin.conftest import MODEL, Api

AZURE = {
    "provider": "azure",
    "model": "our-deployment",
    "api_key": "0123456789abcdef",
    "base_url": "https://our-resource.openai.azure.com",
    "api_version": "2024-10-21",
    "max_tokens_per_day": 5000,
    "temperature": 0.2,
    "max_tokens": 400,
}
LOCAL = {**MODEL, "base_url": "http://127.0.0.1:11434/v1"}


def put(api: Api, bot: str, body: Any, **more: Any) -> httpx.Response:
    return api("PUT", f"/api/bots/{bot}/llm", json=body, **more)


def revealed(account: Aws, bot: str) -> ModelSettings:
    """The settings as the tasks worker reads them."""
    sealer = KmsSealer(lambda: account.kms, ENVIRONMENT["SETTINGS_KEY_ID"])
    found = DynamoBotSettings(sealer).reveal(bot, LLM)
    assert found is not None
    return msgspec.convert({**found.public, **found.secrets}, ModelSettings)


@pytest.mark.parametrize("body", [MODEL, AZURE, LOCAL], ids=["openai", "azure", "listed host"])
def test_model_is_shown_as_it_was_set_but_for_its_key(api: Api, bot: str, body: dict[str, Any]) -> None:
    made = put(api, bot, body)
    read = api("GET", f"/api/bots/{bot}/llm", "viewer")

    assert (made.status_code, made.headers["location"]) == (201, f"/api/bots/{bot}/llm")
    assert (
        read.json()
        == made.json()
        == {
            "bot_id": bot,
            "base_url": None,
            "api_version": None,
            "max_tokens_per_day": MAX_TOKENS_PER_DAY,
            "temperature": None,
            "max_tokens": None,
            **body,
            "api_key": "…" + body["api_key"][-4:],
            "created_at": read.json()["created_at"],
            "updated_at": read.json()["updated_at"],
        }
    )
    assert read.headers["etag"] == made.headers["etag"]


@pytest.mark.parametrize("body", [MODEL, AZURE, LOCAL], ids=["openai", "azure", "listed host"])
def test_worker_finds_the_settings_as_they_were_given(
    api: Api, aws_account: Aws, bot: str, body: dict[str, Any]
) -> None:
    put(api, bot, body)

    assert revealed(aws_account, bot) == msgspec.convert(body, ModelSettings)


@pytest.mark.parametrize(
    "key", [{}, {"api_key": None}, {"api_key": "…test"}], ids=["left out", "null", "shown"]
)
def test_key_that_is_not_sent_anew_stays(api: Api, aws_account: Aws, bot: str, key: dict[str, Any]) -> None:
    put(api, bot, MODEL)
    rest = {name: value for name, value in MODEL.items() if name != "api_key"}

    changed = put(api, bot, {**rest, "model": "another", **key})

    assert (changed.status_code, changed.json()["api_key"]) == (200, "…test")
    assert "location" not in changed.headers
    settings = revealed(aws_account, bot)
    assert (settings.model, settings.api_key) == ("another", MODEL["api_key"])


def test_what_was_read_can_be_sent_back(api: Api, bot: str) -> None:
    put(api, bot, AZURE)
    read = api("GET", f"/api/bots/{bot}/llm")

    again = put(api, bot, read.json(), headers={"If-Match": read.headers["etag"]})

    unstamped = {"updated_at": ""}
    assert again.json() | unstamped == read.json() | unstamped


@pytest.mark.parametrize(
    "elsewhere", [{"base_url": "https://elsewhere.example.com"}, AZURE], ids=["address", "provider"]
)
@pytest.mark.parametrize("key", [None, "…test"])
def test_kept_key_goes_nowhere_else(api: Api, bot: str, elsewhere: dict[str, Any], key: str | None) -> None:
    """Or whoever may set a model could read another's key, at an address of their own."""
    put(api, bot, MODEL)

    answer = put(api, bot, {**MODEL, **elsewhere, "api_key": key})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/api_key"]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no key": ({"api_key": None}, "/api_key"),
    "a hint of nothing": ({"api_key": "…abcd"}, "/api_key"),
    "a key with a space": ({"api_key": "sk- 1"}, "/api_key"),
    "a key with a line break": ({"api_key": "sk-1\n"}, "/api_key"),
    "another provider": ({"provider": "mistral"}, "/provider"),
    "no model": ({"model": " "}, "/model"),
    "an unknown field": ({"organisation": "o"}, "/organisation"),
    "azure without its address": ({"provider": "azure", "api_version": "2024-10-21"}, ""),
    "azure without a version": ({"provider": "azure", "base_url": "https://a.example.com"}, ""),
    "a version of nothing": ({"api_version": "2024-10-21"}, ""),
    "a hot model": ({"temperature": 2.1}, "/temperature"),
    "no tokens at all": ({"max_tokens_per_day": 0}, "/max_tokens_per_day"),
    "tokens as text": ({"max_tokens": "10"}, "/max_tokens"),
    "without TLS": ({"base_url": "http://models.example.com"}, "/base_url"),
    "a private address": ({"base_url": "https://10.0.0.1/v1"}, "/base_url"),
    "the metadata of AWS": ({"base_url": "https://169.254.169.254"}, "/base_url"),
    "a password in the address": ({"base_url": "https://a:b@models.example.com"}, "/base_url"),
    "no address": ({"base_url": "models"}, "/base_url"),
}


@pytest.mark.parametrize(("fields", "pointer"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_where_it_is(api: Api, bot: str, fields: dict[str, Any], pointer: str) -> None:
    answer = put(api, bot, {**MODEL, **fields})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert api("GET", f"/api/bots/{bot}/llm").status_code == 404


def test_change_of_a_version_that_is_no_more_is_refused(api: Api, bot: str) -> None:
    seen = put(api, bot, MODEL).headers["etag"]
    current = put(api, bot, {**MODEL, "model": "another"}).headers["etag"]

    for method in ("PUT", "DELETE"):
        answer = api(method, f"/api/bots/{bot}/llm", json=MODEL, headers={"If-Match": seen})
        assert answer.status_code == 412
    assert api("GET", f"/api/bots/{bot}/llm").headers["etag"] == current
    assert put(api, bot, MODEL, headers={"If-Match": current}).status_code == 200


@pytest.mark.parametrize("tag", ["*", '"v1"'])
def test_change_of_what_is_not_there_makes_nothing(api: Api, bot: str, tag: str) -> None:
    assert put(api, bot, MODEL, headers={"If-Match": tag}).status_code == 412
    assert api("GET", f"/api/bots/{bot}/llm").status_code == 404


def test_model_that_was_forgotten_is_gone(api: Api, aws_account: Aws, bot: str) -> None:
    put(api, bot, MODEL)

    assert api("DELETE", f"/api/bots/{bot}/llm").status_code == 204
    for method in ("GET", "DELETE"):
        assert api(method, f"/api/bots/{bot}/llm").status_code == 404
    assert put(api, bot, {**MODEL, "api_key": None}).status_code == 422


def test_admin_api_encrypts_and_never_decrypts(api: Api, bot: str, aws_calls: list[Call]) -> None:
    put(api, bot, MODEL)
    put(api, bot, {**MODEL, "api_key": None, "model": "another"})
    api("GET", f"/api/bots/{bot}/llm")

    assert [call.name for call in aws_calls if call.service == "kms"] == ["kms:Encrypt"]
