from __future__ import annotations

import pytest

from shared.dialog.messages import Span
from shared.platforms.markup import Markup, marked_up

WHATSAPP = Markup({"bold": "*", "italic": "_", "code": "`"}, has_lists=True)
VIBER = Markup({"bold": "*", "italic": "_", "code": "```"}, has_lists=False)
H = "\u200a"
J = "\u2060"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain", "plain", id="nothing to do"),
        pytest.param("Hi *you*", f"Hi *{H}you*", id="bold"),
        pytest.param("_you_ and ~you~", f"_{H}you_ and ~{H}you~", id="italic and strike"),
        pytest.param("a `code`", f"a `{H}code`", id="code"),
        pytest.param("```x```", f"`{H}`{H}`{H}x`{H}`{H}`", id="a block of code"),
        pytest.param("2*3*4", f"2*{H}3*{H}4", id="within a word"),
        pytest.param("a_long_name", "a_long_name", id="underscores within a word"),
        pytest.param("__init__", f"_{H}_{H}init_{H}_", id="double underscores"),
        pytest.param("5* hotel", "5* hotel", id="a single marker"),
        pytest.param("a * and *", "a * and *", id="markers apart"),
        pytest.param("*you*", f"{J}*{H}you*", id="bold at the start, and no bullet either"),
        pytest.param(
            "https://a.io/_b_/~c~ *d*", f"https://a.io/_b_/~c~ *{H}d*", id="an address is left alone"
        ),
        pytest.param("https://*a*", f"https://*{H}a*", id="not an address"),
        pytest.param("Hi **a**", f"Hi *{H}*{H}a*{H}*", id="doubled"),
        pytest.param("> quoted\n- item\n* item", f"{J}> quoted\n{J}- item\n{J}* item", id="lines"),
        pytest.param("  - item", f"{J}  - item", id="an indented line"),
        pytest.param("a > b - c", "a > b - c", id="signs within a line"),
        pytest.param("-5 degrees", "-5 degrees", id="a number below zero"),
    ],
)
def test_what_people_write_does_not_become_a_style(text: str, shown: str) -> None:
    assert marked_up(text, (), WHATSAPP) == (shown, True)


def test_lines_are_left_alone_where_there_are_no_lists() -> None:
    assert marked_up("> a\n- b", (), VIBER) == ("> a\n- b", True)


@pytest.mark.parametrize(
    ("text", "spans", "shown"),
    [
        pytest.param("a b c", [Span(2, 3, "bold")], "a *b* c", id="bold"),
        pytest.param("a", [Span(0, 1, "code")], "```a```", id="code"),
        pytest.param("a b", [Span(0, 3, "bold"), Span(2, 3, "italic")], "*a _b_*", id="nested"),
        pytest.param("a b", [Span(0, 3, "bold"), Span(0, 3, "italic")], "*_a b_*", id="both"),
        pytest.param("a b", [Span(0, 1, "bold"), Span(2, 3, "italic")], "*a* _b_", id="apart"),
        pytest.param(" a  b", [Span(0, 4, "bold")], " *a*  b", id="spaces stay outside"),
        pytest.param("a\n\nb c", [Span(0, 4, "bold")], "*a*\n\n*b* c", id="line by line"),
        pytest.param("(a), b", [Span(1, 2, "bold")], "(*a*), b", id="beside punctuation"),
        pytest.param("x* a", [Span(3, 4, "bold")], "x* *a*", id="beside a marker of the person's"),
        pytest.param("*x a", [Span(3, 4, "bold")], f"*{H}x *a*", id="after a marker that would open"),
        pytest.param("a *x* y", [Span(0, 7, "code")], "```a *x* y```", id="markers within code"),
    ],
)
def test_styles_are_markers_around_their_words(text: str, spans: list[Span], shown: str) -> None:
    assert marked_up(text, spans, VIBER) == (shown, True)


@pytest.mark.parametrize(
    ("text", "spans", "shown"),
    [
        pytest.param("unbold", [Span(2, 6, "bold")], "unbold", id="after half a word"),
        pytest.param("bolder", [Span(0, 4, "bold")], "bolder", id="before half a word"),
        pytest.param("a*b", [Span(0, 3, "bold")], "a*b", id="with its own marker inside"),
        pytest.param("a*b*", [Span(0, 4, "bold")], f"a*{H}b*", id="with two of them"),
        pytest.param("a` b", [Span(0, 4, "code")], "a` b", id="code with a backtick"),
        pytest.param("a b c", [Span(0, 3, "bold"), Span(2, 5, "italic")], "*a b* c", id="crossing"),
        pytest.param("a b", [Span(0, 3, "code"), Span(2, 3, "bold")], "```a b```", id="within code"),
        pytest.param("a b", [Span(0, 3, "bold"), Span(2, 3, "bold")], "*a b*", id="bold within bold"),
        pytest.param("*a b", [Span(1, 2, "bold")], "*a b", id="touching a marker of the person's"),
    ],
)
def test_a_style_that_would_be_misread_is_given_up(text: str, spans: list[Span], shown: str) -> None:
    assert marked_up(text, spans, VIBER) == (shown, False)
