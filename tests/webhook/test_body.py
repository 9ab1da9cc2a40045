from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.webhook.body import NotJson, decode

_json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(_json_values)
def test_json_comes_out_as_it_went_in(value: Any) -> None:
    assert decode(json.dumps(value).encode()) == value
    assert decode(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_are_told_not_to_be(body: bytes) -> None:
    try:
        value = decode(body)
    except NotJson:
        return
    assert json.dumps(value, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"hello", id="words"),
        pytest.param(b"update_id=1&text=hi", id="a form"),
        pytest.param(b'{"a": 1} {"b": 2}', id="two values"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b'{"a": -Infinity}', id="infinity"),
        pytest.param(b'{"a": "\xff"}', id="not UTF-8"),
        pytest.param('{"a": 1}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', id="a byte order mark"),
        pytest.param(b'{"a": "\x01"}', id="a bare control character"),
    ],
)
def test_what_is_no_json_text_in_utf_8_is_refused(body: bytes) -> None:
    with pytest.raises(NotJson):
        decode(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        pytest.param(rb'"\ud83d\ude00"', "😀", id="a pair stays a character"),
        pytest.param(rb'"a\ud83db"', "a\ufffdb", id="a high half alone"),
        pytest.param(rb'"\uDE00"', "\ufffd", id="a low half alone"),
        pytest.param(rb'"\ude00\ud83d"', "\ufffd\ufffd", id="two halves the wrong way round"),
        pytest.param(rb'{"\ud800": ["\udfff"]}', {"\ufffd": ["\ufffd"]}, id="in a key, and deep"),
        pytest.param(rb'"\\ud800"', r"\ud800", id="an escaped backslash is none"),
        pytest.param(b'{"a": 1, "a": 2}', {"a": 2}, id="of a key given twice the last"),
        pytest.param(b'"\\u0000"', "\x00", id="a NUL"),
    ],
)
def test_strings_can_be_written_again(body: bytes, value: Any) -> None:
    assert decode(body) == value
    assert json.dumps(decode(body), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param(b"[" * 1_000_000 + b"]" * 1_000_000, RecursionError, id="a million brackets"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, RecursionError, id="deep objects"),
        pytest.param(b"9" * 10_000, ValueError, id="a number of ten thousand digits"),
    ],
)
def test_json_beyond_us_breaks_and_is_not_taken_for_no_json(body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        decode(body)
    assert not isinstance(raised.value, NotJson)
