"""Texts: what the author's markup and expressions become, and what a person's words never do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cel_expr_python import cel
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.dialog.messages import Span
from shared.scenario.caps import MAX_EXPRESSIONS_IN_TEXT, MAX_PRINTED
from shared.scenario.expressions import Environment, ExpressionError
from shared.scenario.texts import (
    Template,
    Text,
    Url,
    expression_places,
    printed,
)

TYPED = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50)
"""What is left of what a person typed after extraction."""

ENVIRONMENT = Environment({"name": cel.Type.STRING, "n": cel.Type.INT, "link": cel.Type.STRING})


def nothing(name: str) -> Any:
    raise KeyError(name)


def show(source: str, language: str = "en", **values: Any) -> tuple[str, tuple[Span, ...]]:
    notes: list[str] = []
    shown = Template(source, ENVIRONMENT).show(values.__getitem__, language, notes)
    assert notes == []
    return shown


def styled(source: str, **values: Any) -> list[tuple[str, str]]:
    """What is styled, as it reads, with its style."""
    text, spans = show(source, **values)
    return [(text[span.start : span.end], span.style) for span in spans]


@pytest.mark.parametrize(
    ("source", "text", "spans"),
    [
        ("plain", "plain", []),
        ("", "", []),
        ("*bold* and _italic_", "bold and italic", [("bold", "bold"), ("italic", "italic")]),
        ("`code`", "code", [("code", "code")]),
        ("*all of it*", "all of it", [("all of it", "bold")]),
        ("*bold with _italic_ in it*", "bold with italic in it", None),
        ("`*not bold*`", "*not bold*", [("*not bold*", "code")]),
        ("2 * 3 * 4", "2 * 3 * 4", []),
        ("snake_case_name", "snake_case_name", []),
        ("a*b*c", "a*b*c", []),
        ("* list\n* list", "* list\n* list", []),
        ("*two\nlines*", "*two\nlines*", []),
        ("*", "*", []),
        ("**", "**", []),
        ("`", "`", []),
        ("[]()", "[]()", []),
        ("[words]", "[words]", []),
        ("[words] (x)", "[words] (x)", []),
        (r"\*not bold\*", "*not bold*", []),
        (r"\_not italic\_ \`nor code\` \[nor](link)", "_not italic_ `nor code` [nor](link)", []),
        (r"a backslash \ stays", r"a backslash \ stays", []),
        ("**double**", "**double**", []),
        ("مرحبا *عريض*", "مرحبا عريض", [("عريض", "bold")]),
        ("😀 *👍*", "😀 👍", [("👍", "bold")]),
        ("<b>not HTML</b> &amp;", "<b>not HTML</b> &amp;", []),
        ("half \ud800 and \x00", "half  and ", []),
    ],
)
def test_markup_of_an_author(source: str, text: str, spans: list[tuple[str, str]] | None) -> None:
    shown, found = show(source)
    assert shown == text
    if spans is not None:
        assert [(shown[s.start : s.end], s.style) for s in found] == spans


def test_styles_may_nest_and_come_outer_first() -> None:
    assert show("*bold with _italic_ and [a link](https://example.com)*") == (
        "bold with italic and a link",
        (Span(0, 27, "bold"), Span(10, 16, "italic"), Span(21, 27, "link", "https://example.com")),
    )


def test_a_span_counts_characters_of_what_is_printed() -> None:
    assert show("{{ name }}, *{{ name }}*!", name="😀é") == ("😀é, 😀é!", (Span(4, 6, "bold"),))


def test_a_style_around_nothing_is_left_out() -> None:
    assert show("a*{{ name }}*b *{{ name }}*", name="") == ("a*b* ", ()) or show(
        " *{{ name }}*", name=""
    ) == (
        " ",
        (),
    )


@pytest.mark.parametrize(
    "typed",
    [
        *r"*bold* _it_ `code` [x](https://evil.example) {{n}} \* <b> * ]( مرحبا 😀 {{ }} {".split(),
        *["a\nb", "a\u2028b", "\ue000\U000f0000", ""],
    ],
)
def test_what_a_person_typed_is_printed_as_it_is(typed: str) -> None:
    assert show("Hello, *{{ name }}*!", name=typed)[0] == f"Hello, {typed}!"


def test_what_no_messenger_takes_is_not_printed() -> None:
    assert printed(["a\x00b", "\ud800c"], "en") == "ab, c"


@given(typed=TYPED, around=st.sampled_from(["*{}*", "[{}](https://example.com)", "`{}`", "{}"]))
def test_what_a_person_typed_never_becomes_a_span(typed: str, around: str) -> None:
    source = "say " + around.format("{{ name }}") + " _now_"
    text, spans = show(source, name=typed)
    shown, neutral_spans = show(source, name="x")
    assert len(text) == len(shown) - 1 + len(typed)
    kept = [s.style for s in neutral_spans if typed or s.style == "italic"]
    assert [s.style for s in spans] == kept


@given(st.text(max_size=80), TYPED)
@example("\U000ffffe", "")
@example("{{ n }}\U000f0001", "")
def test_a_template_never_raises_but_for_its_author(source: str, value: str) -> None:
    try:
        template = Template(source, ENVIRONMENT)
    except ExpressionError:
        return
    text, spans = template.show({"name": value, "n": 1}.__getitem__, "ru", [])
    assert all(0 <= span.start < span.end <= len(text) for span in spans)


@given(st.text(alphabet="ab*_`[]()\\ {}\n", max_size=40))
def test_any_jumble_of_signs_is_shown(source: str) -> None:
    assume("{{" not in source)
    text, spans = show(source)
    assert set(text) <= set(source)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ name }}", "Ann"),
        ("{{name}}{{name}}", "AnnAnn"),
        ("{{ n + 1 }}", "3"),
        (r"\{{ name }}", "{{ name }}"),
        (r"\{{ {{ name }} }}", "{{ Ann }}"),
        ("{{ {'a': {'b': 'deep'}}['a']['b'] }}", "deep"),
        ("{{ '}}' }}", "}}"),
        ('{{ "it\'s }}" }}', "it's }}"),
        ("{{ '''}}''' }}", "}}"),
        ("{{ 'a\\'}}' }}", "a'}}"),
        ("{ {name} }", "{ {name} }"),
        ("}} {{ name }}", "}} Ann"),
        ("{{ n > 1 ? 'many' : 'one' }}", "many"),
        ("{{ [1, 2, 3] }}", "1, 2, 3"),
        ("{{ {'a': 1, 'b': [true]} }}", "a: 1, b: yes"),
        ("{{ {'e': 5, 'd': 4, 'c': 3, 'b': 2, 'a': 1} }}", "a: 1, b: 2, c: 3, d: 4, e: 5"),
        ("{{ null }}", ""),
        ("{{\n  name\n}}", "Ann"),
    ],
)
def test_an_expression_prints_in_its_place(source: str, text: str) -> None:
    assert show(source, name="Ann", n=2)[0] == text


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("{{", 1),
        ("Hello {{ name", 7),
        ("Hello {{ name }", 7),
        ("{{ 'it' }} {{ it's }}", 17),
        ("Hello {{ nobody }}", 10),
        ("Hello {{   }}", 12),
        ("{{ name }} {{ name + }}", 20),
    ],
)
def test_an_error_in_a_text_names_its_character(source: str, column: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        Template(source, ENVIRONMENT)
    assert caught.value.column == column


def test_a_text_holds_so_many_expressions_and_no_more() -> None:
    assert show("{{ n }}" * MAX_EXPRESSIONS_IN_TEXT, n=1)[0] == "1" * MAX_EXPRESSIONS_IN_TEXT
    with pytest.raises(ExpressionError, match="at most 500"):
        Template("{{ n }}" * (MAX_EXPRESSIONS_IN_TEXT + 1), ENVIRONMENT)


def test_what_an_expression_prints_is_cut_at_64_kilobytes() -> None:
    assert len(show("{{ name }}{{ name }}", name="x" * 100_000)[0]) == 2 * MAX_PRINTED


def test_a_missing_value_prints_nothing_and_is_no_mistake() -> None:
    assert show("Hello, {{ name }}!")[0] == "Hello, !"


def test_a_failing_expression_prints_nothing_and_is_noted() -> None:
    notes: list[str] = []
    text, _ = Template("n: {{ 1 / n }}.", ENVIRONMENT).show({"n": 0}.__getitem__, "en", notes)
    assert text == "n: ."
    assert notes == ["{{ 1 / n }}: divide by zero"]


@pytest.mark.parametrize(
    ("value", "english", "russian"),
    [
        (1.5, "1.5", "1,5"),
        (2.0, "2", "2"),
        (-0.25, "-0.25", "-0,25"),
        (1e15, "1" + "0" * 15, "1" + "0" * 15),
        (1e16, "1e+16", "1e+16"),
        (7, "7", "7"),
        (True, "yes", "да"),
        (False, "no", "нет"),
        (["a", 1.5, True], "a, 1.5, yes", "a, 1,5, да"),
        ((), "", ""),
        (None, "", ""),
        ("1.5", "1.5", "1.5"),
        (datetime(2026, 12, 31, 9, 5, tzinfo=UTC), "2026-12-31 09:05", "31.12.2026 09:05"),
        (timedelta(hours=26), "26:00:00", "26:00:00"),
        (float("inf"), "inf", "inf"),
        (10**40, "1" + "0" * 40, "1" + "0" * 40),
    ],
)
def test_a_value_prints_by_its_type_and_the_language(value: Any, english: str, russian: str) -> None:
    assert (printed(value, "en"), printed(value, "ru"), printed(value, "ru-RU")) == (
        english,
        russian,
        russian,
    )


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("a b", "https://example.com/a%20b?q=a%20b"),
        ("x&y=1#z/../", "https://example.com/x%26y%3D1%23z%2F..%2F?q=x%26y%3D1%23z%2F..%2F"),
        ("Ёж", "https://example.com/%D0%81%D0%B6?q=%D0%81%D0%B6"),
        ("😀", "https://example.com/%F0%9F%98%80?q=%F0%9F%98%80"),
        ("*b* _i_", "https://example.com/%2Ab%2A%20_i_?q=%2Ab%2A%20_i_"),
    ],
)
def test_an_address_holds_values_percent_encoded(value: str, address: str) -> None:
    source = "https://example.com/{{ name }}?q={{ name }}"
    assert Url(source, ENVIRONMENT).address({"name": value}.__getitem__, "en", []) == address
    ((_, _, style, url),) = [(s.start, s.end, s.style, s.url) for s in show(f"[go]({source})", name=value)[1]]
    assert (style, url) == ("link", address)


def test_an_address_has_no_markup() -> None:
    assert Url("https://example.com/*a*/_b_", ENVIRONMENT).address(nothing, "en", []) == (
        "https://example.com/*a*/_b_"
    )


@given(st.text(max_size=40))
def test_a_value_cannot_leave_its_place_in_an_address(value: str) -> None:
    address = Url("https://example.com/{{ name }}/end", ENVIRONMENT).address(
        {"name": value}.__getitem__, "", []
    )
    middle = address.removeprefix("https://example.com/").removesuffix("/end")
    assert set(middle).isdisjoint("/?#&= \n<>\"'()")


def text_of(**by_language: str) -> Text:
    return Text({language: Template(words, ENVIRONMENT) for language, words in by_language.items()})


@pytest.mark.parametrize(
    ("wanted", "shown"), [(("ru", "en"), "Привет"), (("de", "en"), "Hello"), (("de", "fr"), "Hello")]
)
def test_a_text_is_shown_in_the_first_language_it_has(wanted: tuple[str, ...], shown: str) -> None:
    assert text_of(en="Hello", ru="Привет").show(nothing, wanted, [])[0] == shown


def test_the_words_of_a_text_are_its_constant_ones_in_every_language() -> None:
    assert text_of(en="Yes", ru="Да", de="Yes", fr="{{ name }}").words == ("Yes", "Да")


def test_braces_of_a_map_do_not_close_an_expression() -> None:
    source = "{{ {'a': {}} }} and {{ n }}"
    assert [source[a:b] for a, b in expression_places(source)] == ["{{ {'a': {}} }}", "{{ n }}"]
