from __future__ import annotations

import csv
import io
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.results.rows import ABOUT, csv_header, csv_rows, json_lines
from tests.results.runs import run


def cells_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def cell_of(value: Any) -> str:
    return cells_of(csv_rows([run(values={"x": value})], ["x"]))[0][-1]


def test_a_file_is_a_header_and_a_line_for_each_run() -> None:
    data = csv_header(["name", "size"]) + csv_rows(
        [run(2, values={"size": 4.5}), run(1, started_at=None, scenario_id=None, revision=None)],
        ["name", "size"],
    )

    assert data.decode() == (
        "\ufeffdialog_id,platform,platform_chat_id,run,status,scenario_id,revision,started_at,ended_at,name,size\r\n"
        "0f6c1d2e-7a5b-5c3d-9e8f-102132435465,telegram,42,2,completed,7d0c0a52-6d3e-4f0b-8f53-1c1f4bd3a0ff,1,"
        "2026-11-22T11:00:00Z,2026-11-22T12:00:00Z,,4.5\r\n"
        "0f6c1d2e-7a5b-5c3d-9e8f-102132435465,telegram,42,1,completed,,,,2026-11-22T12:00:00Z,Анна 1,\r\n"
    )


def test_a_variable_that_is_named_like_what_stands_in_front_is_told_apart() -> None:
    (header,) = cells_of(csv_header(["status", "name"]))

    assert header == [*ABOUT, "values.status", "name"]
    assert len(set(header)) == len(header)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "true"),
        (-5, "-5"),
        (1.5, "1.5"),
        ("Анна", "Анна"),
        ('say "hi",\r\nplease', 'say "hi",\r\nplease'),
        (["a", 1], '["a",1]'),
        ({"latitude": 1.5}, '{"latitude":1.5}'),
        ("2026-12-31", "2026-12-31"),
        ("•••", "•••"),
    ],
    ids=str,
)
def test_a_value_is_a_cell(value: Any, cell: str) -> None:
    assert cell_of(value) == cell


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+371 20000000",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1",
        '=HYPERLINK("https://evil.example";"x")',
        "=cmd|' /C calc'!A0",
        "＝1+1",
    ],
)
def test_what_a_person_wrote_is_no_formula(text: str) -> None:
    cell = cell_of(text)

    assert cell.startswith("'")
    assert cell.replace("'", "") == text.replace("'", "")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("Anna;=cmd|' /C calc'!A0", "Anna;'=cmd|' /C calc'!A0"),
        ("Anna; =1", "Anna;' =1"),
        ('Anna;"=1"', 'Anna;\'"=1"'),
        ("Anna\t@SUM(A1)", "Anna\t'@SUM(A1)"),
        ("Anna\r\n+1;-1", "Anna\r\n'+1;'-1"),
        (["Anna;=1"], '["Anna;\'=1"]'),
        ("a;b = c - d, e=f", "a;b = c - d, e=f"),
    ],
)
def test_what_a_person_wrote_becomes_none_where_a_spreadsheet_parts_cells_by_something_else(
    value: Any, cell: str
) -> None:
    """Where a comma stands in numbers, Excel takes the semicolon, and the quotes of a cell for its text."""
    assert cell_of(value) == cell


def test_the_name_of_a_chat_is_no_formula_either() -> None:
    assert cells_of(csv_rows([run(platform_chat_id="=1")], []))[0][2] == "'=1"


@given(st.lists(st.dictionaries(st.sampled_from(["a", "b"]), st.text()), max_size=4))
def test_any_words_come_back_in_their_cells(values: list[dict[str, str]]) -> None:
    rows = cells_of(csv_rows([run(values=each) for each in values], ["a", "b"]))

    assert [[cell.replace("'", "") for cell in row[-2:]] for row in rows] == [
        [each.get(name, "").replace("'", "") for name in ("a", "b")] for each in values
    ]


def test_json_lines_have_a_whole_result_each() -> None:
    results = [run(1), run(2, started_at=None, values={"text": "one\ntwo"})]

    lines = json_lines(results).splitlines()

    assert [msgspec.json.decode(line, type=type(results[0])) for line in lines] == results
    assert msgspec.json.decode(lines[1])["started_at"] is None
