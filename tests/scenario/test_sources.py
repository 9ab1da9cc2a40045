"""What is told of an expression from its text alone."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.scenario.sources import blanked, calls_in, variables_in


@pytest.mark.parametrize(
    ("source", "flat"),
    [
        ("a + 'b'", 'a + """'),
        ("'it\\'s' + a", '""""""" + a'),
        (r"r'\' + a", '"""" + a'),
        ("r'''a'b''' + x", '"""""""""" + x'),
        ("bar'x'", 'bar"""'),
        ("a // b\nc", "a     \nc"),
        ("'// no' + a", '""""""" + a'),
        ("'open", "'open"),
        ("'й' == \"😀\"", '""" == """'),
    ],
)
def test_literals_and_comments_count_for_nothing(source: str, flat: str) -> None:
    assert blanked(source) == flat


@given(st.text(alphabet="ab'\"r\\ /\n()[],.+", max_size=30))
def test_blanking_keeps_every_place(source: str) -> None:
    flat = blanked(source)
    assert len(flat) == len(source)
    assert blanked(flat) == flat or '"' in flat
    for call in calls_in(source):
        assert flat[call.end] == ")"
        assert source.startswith(call.name, call.start)


@pytest.mark.parametrize(
    ("source", "calls"),
    [
        ("f(a, g(b))", [("f", ["a", " g(b)"]), ("g", ["b"])]),
        ("x.all(y, y in [1, 2])", [("all", ["y", " y in [1, 2]"])]),
        ("f()", [("f", [""])]),
        ("f('a, b', {'k': (1)})", [("f", ["'a, b'", " {'k': (1)}"])]),
        ("f(a]", []),
        ("f(a", []),
        ("'f(a)'", []),
        ("x . map (y, y)", [("map", ["y", " y"])]),
    ],
)
def test_calls_have_their_arguments(source: str, calls: list[tuple[str, list[str]]]) -> None:
    found = [(call.name, [source[start:end] for start, end in call.arguments]) for call in calls_in(source)]
    assert found == calls


@pytest.mark.parametrize(
    ("source", "read", "asked"),
    [
        ("score > 1 && answered.name", {"score"}, {"name"}),
        ("label(position) + user.first_name", {"position", "user"}, set()),
        ("at(day, clock) == 'at(other)'", {"day", "clock"}, set()),
        ("tags.map(t, t + suffix)", {"tags", "t", "suffix"}, set()),
    ],
)
def test_what_an_expression_reads_and_asks_about(source: str, read: set[str], asked: set[str]) -> None:
    assert tuple(map(set, variables_in(source))) == (read, asked)


def test_room_without_end_is_looked_through_at_once() -> None:
    started = perf_counter()
    read, _ = variables_in("a" + " " * 50_000 + "+ b" + " " * 50_000)
    assert read == {"a", "b"}
    assert perf_counter() - started < 1
