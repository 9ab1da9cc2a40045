"""Maps are gone through and given in the order of their keys, whatever the library does."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from cel_expr_python import cel
from hypothesis import example, given
from hypothesis import strategies as st

from shared.scenario.errors import ExpressionError, Undecided
from shared.scenario.expressions import Environment
from shared.scenario.ordering import FUNCTIONS, in_order, ordered
from tests.dialog.talk import Talk
from tests.scenario.documents import Document, scenario

STRING, INT, DYN = cel.Type.STRING, cel.Type.INT, cel.Type.DYN
ENVIRONMENT = Environment(
    {
        "m": cel.Type.Map(STRING, DYN),
        "any": DYN,
        "maps": cel.Type.List(DYN),
        "names": cel.Type.List(STRING),
        "n": INT,
    }
)
LETTERS = dict.fromkeys("qwertyuiop", 1)
SORTED = sorted(LETTERS)
NUMBERED = {f"k{number}": number for number in (9, 10, 1, 5, 3)}
MAP = {**LETTERS, "inner": NUMBERED, "goods": [{"id": 2, "extra": NUMBERED}]}
VALUES: dict[str, Any] = {
    "m": MAP,
    "any": MAP,
    "maps": [LETTERS, NUMBERED],
    "names": ["b", "c", "a"],
    "n": 3,
    "today": datetime(2026, 11, 22, tzinfo=UTC),
}
KEYS = sorted(MAP)
INNER = ["k1", "k10", "k3", "k5", "k9"]

GONE_THROUGH: list[tuple[str, Any]] = [
    ("m.map(k, k)", KEYS),
    ("any.map(k, k)", KEYS),
    ("m.filter(k, k != 'q')", [key for key in KEYS if key != "q"]),
    ("m.map(k, k == 'q' || k == 'e', k + '!')", ["e!", "q!"]),
    ("m.inner.map(k, m.inner[k])", [1, 10, 3, 5, 9]),
    ("m['inner'].map(k, k)", INNER),
    ("any.inner . map (k, k)", INNER),
    (".m.inner.map(k, k)", INNER),
    ("m.inner // m.map(\n .map(k, k)", INNER),
    ("m.goods.filter(g, g.id == 2)[0].extra.map(k, k)", INNER),
    ("maps.map(l, l.map(k, k))", [SORTED, INNER]),
    ("maps.map(l, {'x': l}).map(l, l.x.map(k, k)[0])", ["e", "k1"]),
    ("maps.exists(l, l.map(k, k)[0] == 'k1')", True),
    ("maps.all(l, l.filter(k, true)[0] != 'k9')", True),
    ("[m.inner].map(l, l.map(k, k))", [INNER]),
    ("{3: 1, 1: 1, 20: 2}.map(k, k + 1)", [2, 21, 4]),
    ("{3u: 1, 1u: 1}.map(k, k + 1u)", [2, 4]),
    ("{true: 1, false: 1}.map(k, !k)", [True, False]),
    ("(n > 1 ? m.inner : {}).map(k, k)", INNER),
    ("n > 1 ? m.inner.map(k, k) : names", INNER),
    ("'k9' in m.inner.map(k, k)", True),
    ("!m.inner.map(k, k).exists(k, k == 'z')", True),
    ("m.inner.map(k, n > 1 ? 1 : 1.5)", [1.0] * 5),
    ("m.inner.filter(k, k > 'k5').map(k, format(at(today, '10:00'), 'HH:mm ') + k)", ["10:00 k9"]),
    ("any.goods.map(g, g.id)", [2]),
    ("names.map(n, n)", ["b", "c", "a"]),
    ("'.map(' + names[0]", ".map(b"),
]


@pytest.mark.parametrize(("source", "expected"), GONE_THROUGH, ids=[source for source, _ in GONE_THROUGH])
def test_a_map_is_gone_through_in_the_order_of_its_keys(source: str, expected: Any) -> None:
    expression = ENVIRONMENT.compile(source)
    found = {json.dumps(expression.evaluate(VALUES.__getitem__)) for _ in range(100)}
    assert found == {json.dumps(expected)}


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("m.map(k, k)", cel.Type.List(STRING)),
        ("m.filter(k, true)", cel.Type.List(STRING)),
        ("{1: 'a'}.map(k, k)", cel.Type.List(INT)),
        ("names.map(n, n)", cel.Type.List(STRING)),
        ("any.filter(k, true)", cel.Type.List(DYN)),
        ("[[1, 2], [3]].map(l, l.map(x, x * 2))", cel.Type.List(cel.Type.List(INT))),
        ("[{'a': 1}].map(l, l.map(k, k))", cel.Type.List(cel.Type.List(STRING))),
    ],
)
def test_types_stay(source: str, kind: cel.Type) -> None:
    assert ENVIRONMENT.compile(source).type == kind


@pytest.mark.parametrize(
    "source",
    [
        "names.map(n, n)",
        "maps.filter(l, true).map(l, l)",
        "[n > 1 ? 1 : 1.5].map(x, x)",
        "[[1], [2]].map(l, l.map(x, x))",
        "m.all(k, k != '')",
        "any.exists_one(k, k == 'q')",
        "'m.map(k, k)'",
        "mapped",
        "+.map(k, k)",
        "nobody.map(k, k)",
        ".map(k, k)",
        ").map(k, k)",
        "names.exists(n, ].map(k, k))",
    ],
)
def test_what_needs_no_order_is_left_alone(source: str) -> None:
    def type_of(text: str) -> cel.Type | None:
        try:
            return ENVIRONMENT.compile(text).type
        except ExpressionError:
            return None

    assert ordered(source, type_of) == source


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("m.map(k, nope)", 10),
        ("any.inner.map(k, k).filter(j, j + )", 35),
        ("m.map(k k)", 9),
        ("any.map(k, lowr(k))", 12),
        ("m.filter(k, true) + nope", 21),
        ("names.map(k, k).map(k, k.part)", 25),
        ("maps.map(l, l.map(k, k) + nope)", 27),
    ],
)
def test_errors_stand_where_the_author_sees_them(source: str, column: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        ENVIRONMENT.compile(source)
    assert caught.value.column == column


@pytest.mark.parametrize("value", ["text", 1, None, True])
def test_what_is_neither_a_list_nor_a_map_is_undecided(value: Any) -> None:
    with pytest.raises(Undecided):
        ENVIRONMENT.compile("any.map(k, k)").evaluate({"any": value}.__getitem__)


def test_a_variable_without_a_value_leaves_it_undecided_without_a_reason() -> None:
    with pytest.raises(Undecided) as caught:
        ENVIRONMENT.compile("any.map(k, k)").evaluate(dict[str, Any]().__getitem__)
    assert caught.value.reason == ""


def test_a_map_that_results_is_in_the_order_of_its_keys() -> None:
    expression = ENVIRONMENT.compile("[{'b': {'z': 1, 'y': 2, 'x': 3}, 'a': m.inner, 'c': 1}]")
    for _ in range(100):
        (found,) = expression.evaluate(VALUES.__getitem__)
        assert [list(found), list(found["b"]), list(found["a"])] == [["a", "b", "c"], ["x", "y", "z"], INNER]


def test_keys_of_different_kinds_have_one_order() -> None:
    assert list(in_order({2: 0, "1": 0, True: 0, "2": 0, 10: 0})) == ["1", 10, 2, "2", True]


_PIECES = st.sampled_from(
    [
        *["m", "any", "maps", "k", ".map(k, ", ".filter(k, ", ".exists(k, ", ".inner", "[0]", "'a'", "b'x'"],
        *["(", ")", "[", "]", "{", "}", '"', " in ", " ? ", " : ", "1", ".", ",", "!", " == ", "//", "\n"],
    ]
)


@given(st.lists(_PIECES, max_size=14).map("".join))
@example("k".join(["m.map(k, "] * 2) + "k))")
def test_whatever_has_a_type_keeps_it(source: str) -> None:
    plain = cel.NewEnv(variables=ENVIRONMENT.types, functions=FUNCTIONS)
    text = ordered(source, lambda probe: _type_in(plain, probe))
    if _type_in(plain, source) is not None:
        assert _type_in(plain, text) == _type_in(plain, source)


def _type_in(environment: Any, source: str) -> cel.Type | None:
    try:
        return environment.compile(source).return_type()
    except RuntimeError:
        return None


# --- in a conversation -------------------------------------------------------------------------------

EVERYWHERE: Document = scenario(
    {
        "id": "a",
        "before": {"kept": "m.map(k, k)", "made": "{'c': 1, 'b': 2, 'a': 3}"},
        "message": {"text": "{{ m.map(k, k) }}; {{ kept }}; {{ made }}"},
        "buttons": [{"for_each": "m.map(k, k)", "text": "{{ item }}", "value": "item"}],
        "expected_input": {
            "type": "button",
            "variable": "v",
            "validation": {"rules": [{"reject_if": "m.filter(k, k > value)[0] == 'q'", "message": "No"}]},
        },
        "next_step": "b",
    },
    {
        "id": "b",
        "http": {
            "method": "POST",
            "url": "https://example.com",
            "body": {"made": "{{ {'c': m, 'b': 1} }}", "keys": "{{ m.map(k, k) }}"},
        },
        "next_step": "c",
    },
    {"id": "c", "message": {"text": "Bye"}},
    variables={"m": {"type": "map", "initial": {"q": 1, "w": 1, "e": 1, "r": 1}}},
)


def told() -> str:
    """All that a conversation says, keeps and asks of others."""
    talk = Talk(EVERYWHERE)
    said = [talk.start(), talk.labels, talk.press("e"), talk.press("q"), talk.press("w"), talk.press("r")]
    return json.dumps([said, talk.variables, talk.task.request])


def test_a_conversation_is_the_same_each_time() -> None:
    assert len({told() for _ in range(20)}) == 1
    talk = Talk(EVERYWHERE)
    assert talk.start() == ["e, q, r, w; e, q, r, w; a: 3, b: 2, c: 1"]
    assert talk.labels == ["e", "q", "r", "w"]
    assert talk.press("e") == ["No"]


def test_a_conversation_is_the_same_in_another_process() -> None:
    script = "from tests.scenario.test_ordering import told; print(told())"
    other = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONHASHSEED": "1", "PYTHONPATH": "."},
    )
    assert other.stdout == told() + "\n"
