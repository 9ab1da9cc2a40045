"""Results as the lines of a file: CSV for people and their spreadsheets, JSON Lines for programs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from shared.dialog.results import RunResult

ABOUT: Final = (
    "dialog_id",
    "platform",
    "platform_chat_id",
    "run",
    "status",
    "scenario_id",
    "revision",
    "started_at",
    "ended_at",
)
"""What stands in front of the values."""

BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it Excel takes UTF-8 for something else."""

_FORMULA: Final = re.compile(r"""(?:\A|(?<=[;\t\r\n]))(?=[ "]*[=+\-@＝＋－＠])|\A(?= *[\t\r\n])""")
"""Where one could begin, also for a spreadsheet that parts cells by semicolons and heeds no quotes."""


def csv_header(columns: Iterable[str]) -> bytes:
    """The first line. A variable that is named like what stands in front is told apart by `values.`."""
    named = [f"values.{name}" if name in ABOUT else name for name in columns]
    return BYTE_ORDER_MARK.encode() + _lines([[*ABOUT, *named]])


def csv_rows(results: Iterable[RunResult], columns: Sequence[str]) -> bytes:
    """A line for each result (RFC 4180)."""
    return _lines(
        [_cell(value) for value in (*_about(result), *(result.values.get(name) for name in columns))]
        for result in results
    )


def json_lines(results: Iterable[RunResult]) -> bytes:
    """A line for each result, the same object that a list of results has."""
    return b"".join(msgspec.json.encode(result) + b"\n" for result in results)


def _about(result: RunResult) -> Iterable[Any]:
    return (getattr(result, name) for name in ABOUT)


def _cell(value: Any) -> str:
    """A value as text; lists and maps as JSON, in which people's words are too."""
    match value:
        case None:
            return ""
        case str():
            return _harmless(value)
        case datetime():
            return str(msgspec.to_builtins(value))
        case bool() | int() | float():
            return msgspec.json.encode(value).decode()
    return _harmless(msgspec.json.encode(value).decode())


def _harmless(text: str) -> str:
    """What a person wrote, with an apostrophe before all that a spreadsheet could take for a formula."""
    return _FORMULA.sub("'", text)


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()
