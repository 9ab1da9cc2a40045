"""E-mail and web addresses."""

from __future__ import annotations

import pytest

from tests.scenario.inputs.answers import take


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("ivan@example.com", "ivan@example.com"),
        (" Ivan.Petrov+work@Example.COM ", "Ivan.Petrov+work@example.com"),
        ("иван@пример.рф", "иван@пример.рф"),
        ("ivan@xn--e1afmkfd.xn--p1ai", "ivan@пример.рф"),
        ("\x00ivan@example.com", "ivan@example.com"),
        ("jose\u0301@example.com", "josé@example.com"),
        ("{{x}}@example.com", "{{x}}@example.com"),
    ],
)
def test_an_email_address(written: str, value: str) -> None:
    assert take("email", written) == value


@pytest.mark.parametrize(
    "written",
    [
        "", "ivan", "@", "@example.com", "ivan@", "ivan@example", "ivan@localhost", "ivan@[127.0.0.1]",
        "ivan@@example.com", "ivan@example..com", "iv..an@example.com",
        "ivan@-example.com", "ivan@example.com.",
        "Ivan <ivan@example.com>", "ivan@example.com, petr@example.com", "iv an@example.com",
        "ivan@example.com\nBcc: x@example.com", "iv\u202ean@example.com", '"i"@example.com', "👍",
        "x" * 65 + "@example.com", "ivan@" + "x" * 20_000 + ".com", "<b>ivan</b>",
    ],
)  # fmt: skip
def test_what_is_no_email_address_is_refused(written: str) -> None:
    assert take("email", written) == "!not_email"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("https://example.com", "https://example.com"),
        ("HTTP://Example.COM/Path?Q=1#F", "http://example.com/Path?Q=1#F"),
        ("example.com", "https://example.com"),
        ("example.com.", "https://example.com"),
        ("www.example.com/a?b=c", "https://www.example.com/a?b=c"),
        ("example.com:8080/x", "https://example.com:8080/x"),
        ("https://пример.рф/путь", "https://пример.рф/путь"),
        ("Пример.рф", "https://пример.рф"),
        ("https://xn--e1afmkfd.xn--p1ai", "https://xn--e1afmkfd.xn--p1ai"),
        ("https://localhost:8000", "https://localhost:8000"),
        ("http://192.0.2.1/a", "http://192.0.2.1/a"),
        ("http://[2001:db8::1]/", "http://[2001:db8::1]/"),
        ("https://example.com/a%20b", "https://example.com/a%20b"),
        ("https://example.com/مرحبا", "https://example.com/مرحبا"),
        ("https://example.com/😀", "https://example.com/😀"),
    ],
)
def test_a_web_address(written: str, value: str) -> None:
    assert take("url", written) == value


@pytest.mark.parametrize(
    "written",
    [
        "", "example", "hello world", "3.14", "1,5", "ftp://example.com", "javascript:alert(1)",
        "data:text/html,x", "https://my_page.example.com",
        "file:///etc/passwd", "mailto:ivan@example.com", "ivan@example.com", "https://user:pass@example.com",
        "https://example.com@evil.example", "https://", "https:///path", "//example.com", "https:example.com",
        "https://a..b", "https://-a.com", "https://example.com:99999", "https://example.com:x", "https://[::1",
        "https://exa mple.com", "https://exa\u202emple.com", "https://example.com/\u200b", "https://example.com\\a",
        "https://example.com/{{ x }}", "https://example.com/<b>", "https://example.com\nx", "http://999",
        "https://" + "a" * 64 + ".com", "https://example.com/" + "x" * 20_000, "👍", "localhost:8000",
        "https://exa\uff0fmple.com", "https://example.com:0",
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(written: str) -> None:
    assert take("url", written) == "!not_url"
