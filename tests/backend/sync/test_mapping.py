"""What of a run goes where."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared.backend.sync.mapping import has_row_for_each_run, row_of, storable
from shared.backend.sync.runs import FACTS, run_of
from shared.backend.sync.settings import SECRETS, Sink, TableName, settings_of, table_of
from tests.backend.sync.runs import a_run, a_task

MAPPING = {"name": "first_name", "run.id": "id", "dialog.platform_chat_id": "telegram_id"}


def test_variables_and_facts_go_to_their_columns() -> None:
    assert row_of(a_run(name="Иван"), MAPPING) == {"first_name": "Иван", "id": "d:e:1", "telegram_id": "42"}


def test_what_has_no_value_is_left_out() -> None:
    assert row_of(a_run(), {"name": "first_name", "run.ended_at": "ended", "run.number": "n"}) == {"n": 1}


def test_every_run_has_all_facts() -> None:
    run = run_of(a_task(status="completed", ended_at="2026-11-23T10:05:00Z"))
    assert set(run.facts) == set(FACTS)
    assert all(value is not None for value in run.facts.values())
    assert (run.id, run.snapshot, run.serial) == ("d:e:1", "d:e:7", 7)
    assert run.facts["run.started_at"] == "2026-11-23T10:00:00Z"


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("a\x00b", "ab"),
        ("\ud83d half", " half"),
        (["\x00", {"k\x00": ("v\x00",)}], ["", {"k": ["v"]}]),
        (1.5, 1.5),
        (None, None),
        (False, False),
    ],
)
def test_what_no_database_holds_is_left_out_of_texts(value: Any, stored: Any) -> None:
    assert storable(value) == stored


@pytest.mark.parametrize(
    ("mapping", "key", "is_so"),
    [
        ({"run.id": "id"}, ("id",), True),
        ({"run.number": "n", "dialog.id": "dialog"}, ("dialog", "n"), True),
        ({"run.id": "id", "email": "email"}, ("email",), False),
        ({"email": "run.id"}, ("run.id",), False),
    ],
)
def test_runs_have_rows_of_their_own_where_the_key_tells_them_apart(
    mapping: dict[str, str], key: tuple[str, ...], *, is_so: bool
) -> None:
    assert has_row_for_each_run(mapping, key) is is_so


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("staff", TableName("public", "staff")),
        ("hr.staff", TableName("hr", "staff")),
        ('hr.the "staff".2026', TableName("hr", 'the "staff".2026')),
    ],
)
def test_a_table_is_named_with_or_without_its_schema(text: str, table: TableName) -> None:
    assert table_of(text) == table


@pytest.mark.parametrize(
    "sink",
    [
        {"type": "postgresql", "host": "h", "database": "d", "user": "u", "table": "t", "key": ["id"]},
        {"type": "supabase", "url": "https://x.example", "table": "t", "key": ["id"]},
        {"type": "webhook", "url": "https://x.example"},
    ],
    ids=lambda sink: sink["type"],
)
def test_settings_are_read_with_their_secret_and_never_print_it(sink: dict[str, Any]) -> None:
    secret = SECRETS[sink["type"]]

    settings = settings_of({"sink": sink, "mapping": MAPPING}, {secret: "s3cret"})

    read: Sink = settings.sink
    assert getattr(read, secret) == "s3cret"
    assert "s3cret" not in repr(settings)
    assert msgspec.to_builtins(read)["type"] == sink["type"]
