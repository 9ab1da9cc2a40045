from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.dialog.messages import Button, Span
from shared.platforms.formatting import (
    cut,
    distinct,
    is_web_link,
    label_of,
    links_spelled_out,
    split,
    tail_start,
    utf16_length,
    written_out,
)


def length(start: int, end: int) -> int:
    return end - start


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        pytest.param("short", 10, ["short"], id="one part"),
        pytest.param("exactly ten", 11, ["exactly ten"], id="just fits"),
        pytest.param("one two three", 8, ["one two ", "three"], id="at a word"),
        pytest.param("one two three", 7, ["one two", " three"], id="where a word ends"),
        pytest.param("one two\nthree four", 14, ["one two\n", "three four"], id="rather at a line"),
        pytest.param("a\nb c d e f g h", 10, ["a\nb c d e ", "f g h"], id="not at a line too early"),
        pytest.param("abcdefgh", 3, ["abc", "def", "gh"], id="within a word that is too long"),
        pytest.param("ab      cd", 4, ["ab  ", "cd"], id="parts without words are left out"),
        pytest.param("", 4, [], id="nothing"),
        pytest.param("   ", 2, [], id="nothing but blanks"),
        pytest.param("ab\u200b\u2800\u200bcd", 2, ["ab", "\u200bc", "d"], id="parts that cannot be seen too"),
    ],
)
def test_a_text_is_split_where_it_is_least_missed(text: str, limit: int, parts: list[str]) -> None:
    assert [text[start:end] for start, end in split(text, limit, length)] == parts


FAMILY = "👨\u200d👩\u200d👧\u200d👦"


@pytest.mark.parametrize(
    ("characters", "limit", "parts"),
    [
        pytest.param([FAMILY] * 3, 10, [1, 1, 1], id="emoji joined"),
        pytest.param(["👍🏽"] * 4, 5, [2, 2], id="emoji with a shade of skin"),
        pytest.param(["❤\ufe0f"] * 3, 3, [1, 1, 1], id="emoji with a selector"),
        pytest.param(["🇺🇦", "🇷🇴", "🇵🇱"], 3, [1, 1, 1], id="flags"),
        pytest.param(["x", "🇺🇦", "🇷🇴"], 4, [2, 1], id="flags after a letter"),
        pytest.param(["\U0001f3f4\U000e0067\U000e0062\U000e007f"] * 2, 5, [1, 1], id="flags by tags"),
        pytest.param(["и\u0306"] * 3, 3, [1, 1, 1], id="letters with accents"),
        pytest.param(["ก\u0e34\u0e48"] * 3, 5, [1, 1, 1], id="letters with marks above"),
        pytest.param(["\u1112\u1161\u11ab"] * 2, 5, [1, 1], id="syllables of letters"),
    ],
)
def test_no_character_is_cut_in_two(characters: list[str], limit: int, parts: list[int]) -> None:
    text = "".join(characters)
    shown = [text[start:end] for start, end in split(text, limit, length)]
    assert "".join(shown) == text
    assert [sum(1 for _ in whole(part, characters)) for part in shown] == parts


def whole(part: str, characters: list[str]) -> Iterator[str]:
    """The characters that a part is made of; fails where it is made of less than whole ones."""
    while part:
        character = next(each for each in characters if part.startswith(each))
        yield character
        part = part.removeprefix(character)


def test_a_character_that_is_longer_than_a_part_is_cut_all_the_same() -> None:
    text = "e" + "\u0301" * 9
    assert [text[start:end] for start, end in split(text, 4, length)] == [text[:4], text[4:8], text[8:]]


def test_a_tail_begins_with_a_whole_character() -> None:
    assert tail_start("x" * 10 + FAMILY, 5, length) == 16


@pytest.mark.parametrize(
    ("text", "tail"),
    [
        pytest.param("all of it", "all of it", id="all of it fits"),
        pytest.param("first words\nand the rest", "and the rest", id="the last line"),
        pytest.param("a\nb\nc and the last", "b\nc and the last", id="as many lines as fit"),
        pytest.param("so many words in one line", "in one line", id="words"),
        pytest.param("x" * 30, "x" * 16, id="half of a word"),
        pytest.param("some words here\n  ", "words here\n  ", id="not the empty line"),
    ],
)
def test_the_tail_is_as_long_as_may_be_and_begins_well(text: str, tail: str) -> None:
    assert text[tail_start(text, 16, length) :] == tail


def test_the_address_of_a_link_follows_its_words_and_moves_what_is_behind() -> None:
    text, spans = links_spelled_out(
        "a b c d",
        [Span(0, 7, "italic"), Span(2, 3, "link", "u://1"), Span(2, 3, "bold"), Span(6, 7, "code")],
    )
    assert text == "a b (u://1) c d"
    assert [(s.style, text[s.start : s.end]) for s in spans] == [
        ("italic", "a b (u://1) c d"),
        ("bold", "b"),
        ("code", "d"),
    ]


def test_an_address_that_is_its_own_words_is_not_repeated() -> None:
    assert links_spelled_out("https://a.io", [Span(0, 12, "link", "https://a.io")]) == ("https://a.io", ())


def test_links_that_can_be_shown_stay() -> None:
    link = Span(0, 1, "link", "u://1")
    assert links_spelled_out("a", [link], unless=lambda _: True) == ("a", (link,))


@pytest.mark.parametrize(
    ("labels", "titles"),
    [
        (["Yes", "No"], ["Yes", "No"]),
        (["Yes", "yes", "Yes"], ["Yes", "yes (2)", "Yes (3)"]),
        (["Yes (2)", "Yes", "Yes"], ["Yes (2)", "Yes", "Yes (3)"]),
        (["abcdefghijk", "abcdefghijx"], ["abcdefghi…", "abcde… (2)"]),
        (["straße", "STRASSE"], ["straße", "STRAS… (2)"]),
    ],
)
def test_labels_are_made_distinct_within_the_limit(labels: list[str], titles: list[str]) -> None:
    assert distinct(labels, 10) == titles


@pytest.mark.parametrize(
    ("text", "choices", "links", "written"),
    [
        ("Hi", [], [], "Hi"),
        ("Hi", ["a", "b"], [], "Hi\n\n1. a\n2. b"),
        (" ", ["a"], [], "1. a"),
        ("Hi", ["a"], [Button(" the\nsite ", url="u")], "Hi\n\n1. a\nthe site: u"),
    ],
)
def test_what_cannot_be_shown_is_written_below_the_text(
    text: str, choices: list[str], links: list[Button], written: str
) -> None:
    assert written_out(text, choices, links) == written


def test_a_label_is_one_line_and_never_empty() -> None:
    assert [label_of(Button(text)) for text in (" a\t b\n", "\n", "")] == ["a b", "…", "…"]


def test_a_text_is_cut_with_an_ellipsis_in_place_of_its_last_character() -> None:
    assert [cut("abcdef", n) for n in (7, 6, 5, 1)] == ["abcdef", "abcdef", "abcd…", "…"]
    assert cut("abc def", 5) == "abc…"
    assert cut(f"abc{FAMILY}", 9) == "abc…"


@pytest.mark.parametrize(("text", "units"), [("", 0), ("abc", 3), ("я", 1), ("😀я", 3), ("\ud800", 1)])
def test_utf16_units_are_counted_as_telegram_counts(text: str, units: int) -> None:
    assert utf16_length(text) == units


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        ("https://a.io", True),
        ("http://a-b.example.com:8080/x?y=1#z", True),
        ("https://кафе.рф", True),
        ("https://10.0.0.1/x", True),
        ("https://localhost", False),
        ("https://a.1", False),
        ("https://user@a.io", False),
        ("https://a.io/a b", False),
        ("https://a.io/\x00", False),
        ("javascript:alert(1)", False),
        ("a.io", False),
        ("", False),
    ],
)
def test_a_web_link_has_a_scheme_and_a_domain(url: str, *, is_link: bool) -> None:
    assert is_web_link(url) is is_link
