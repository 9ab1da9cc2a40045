from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from shared import aws
from shared.settings import MissingSetting
from shared.storage.tables import (
    TABLES,
    BotDialogHistory,
    BotInstance,
    IdentityMarker,
    ScenarioRevision,
    Table,
)
from tests.conftest import ENVIRONMENT, Aws, Call

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_all_models_share_the_one_client(aws_account: Aws) -> None:
    models: list[type[Table]] = [*TABLES, IdentityMarker]
    clients = {id(model._get_connection().connection.client) for model in models}

    assert clients == {id(aws.client("dynamodb"))}


def test_models_follow_a_client_that_is_made_anew(aws_account: Aws) -> None:
    before = BotInstance._get_connection().connection.client
    aws.reset()

    after = BotInstance._get_connection().connection.client

    assert after is not before
    assert after is aws.client("dynamodb")  # type: ignore[comparison-overlap]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_a_tables_name_comes_from_the_environment(table: type[Table]) -> None:
    table._get_connection()

    assert table.Meta.table_name == ENVIRONMENT[table.Meta.variable]


def test_a_table_without_a_name_is_told_when_it_is_used_not_before() -> None:
    program = "from shared.storage.tables import BotInstance; BotInstance.find('x')"
    run = subprocess.run([sys.executable, "-c", program], env={}, capture_output=True, text=True, check=False)

    assert f"{MissingSetting.__name__}: the environment variable BOTS_TABLE is not set" in run.stderr


def test_no_model_asks_for_the_description_of_its_table(aws_account: Aws, aws_calls: list[Call]) -> None:
    for table in TABLES:
        key = "x" if table._range_keyname is None else ("x", 1 if table is ScenarioRevision else "y")
        table.find(*[key] if isinstance(key, str) else key)

    assert {call.name for call in aws_calls} == {"dynamodb:GetItem"}


def test_an_item_is_found_or_none(aws_account: Aws) -> None:
    IdentityMarker("identity#1", owner="b").save()

    found = IdentityMarker.find("identity#1", "#")
    assert found is not None
    assert found.owner == "b"
    assert IdentityMarker.find("identity#2", "#") is None
    assert IdentityMarker.find("identity#1", "telegram") is None


@pytest.mark.parametrize(
    ("hash_key", "range_key"),
    [
        ("", "y"),
        ("x", ""),
        ("x" * 2049, "y"),
        ("я" * 1025, "y"),
        ("x", "y" * 1025),
        ("\ud800", "y"),
        ("x", "a\x00b"),
    ],
    ids=["empty", "empty range", "long", "long in bytes", "long range", "half a character", "a NUL"],
)
def test_a_key_that_no_item_can_have_is_not_asked_for(
    aws_account: Aws, aws_calls: list[Call], hash_key: str, range_key: str
) -> None:
    assert BotDialogHistory.find(hash_key, range_key) is None
    assert not aws_calls


@pytest.mark.parametrize("number", [10**38, -(10**38)])
def test_a_number_that_no_item_can_have_is_not_asked_for(
    aws_account: Aws, aws_calls: list[Call], number: int
) -> None:
    assert ScenarioRevision.find("x", number) is None
    assert not aws_calls


def test_the_longest_keys_are_asked_for(aws_account: Aws, aws_calls: list[Call]) -> None:
    assert BotDialogHistory.find("x" * 2048, "y" * 1024) is None
    assert ScenarioRevision.find("x", 10**38 - 1) is None
    assert len(aws_calls) == 2


@pytest.mark.parametrize("document", [b"", b"12345", bytes(1000)], ids=len)
def test_an_items_size_counts_the_bytes_of_names_and_values(document: bytes) -> None:
    item = ScenarioRevision("я", 12, document=document, created_at=NOON)

    names = len("scenario_id" + "revision" + "document" + "created_at")
    assert item.size() == names + 2 + 2 + len(document) + len("2026-11-22T12:00:00.000000+0000")


def test_a_read_names_what_it_needs(aws_account: Aws, aws_calls: list[Call]) -> None:
    BotInstance.find("x", attributes=["is_active"])

    names: dict[str, Any] = aws_calls[0].params["ExpressionAttributeNames"]
    assert list(names.values()) == ["is_active"]
    assert aws_calls[0].params["ConsistentRead"] is True
