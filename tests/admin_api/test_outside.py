"""Addresses that somebody saves: what can lead nowhere public is refused without asking anybody."""

from __future__ import annotations

import pytest

from shared.admin_api.outside import Outside
from shared.guard import Guard

OUTSIDE = Outside(Guard("127.0.0.1:11434, db.internal:5432, [fd00::1]:8443"))


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1",
        "https://Models.Example.com:8443/a/b",
        "https://models.example.com.",
        "https://xn--e1afmkfd.xn--p1ai/v1",
        "https://8.8.8.8/v1",
        "https://[2606:4700:4700::1111]/v1",
        "http://127.0.0.1:11434/v1",
        "https://127.0.0.1:11434/v1",
        "https://[fd00::1]:8443",
    ],
)
def test_address_that_may_be_public_or_is_listed_is_right(url: str) -> None:
    assert OUTSIDE.flaw_of_url(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "",
        "models.example.com",
        "//models.example.com",
        "ftp://models.example.com",
        "file:///etc/passwd",
        "https://",
        "https:///v1",
        "http://models.example.com",
        "https://user@models.example.com",
        "https://user:word@models.example.com",
        "https://models.example.com?x=1",
        "https://models.example.com#x",
        "https://models.example.com:0",
        "https://models.example.com:99999",
        "https://models.example.com:x",
        "https://models example.com",
        "https://models.example.com/\n",
        "https://models.example.com\\@10.0.0.1",
        "https://localhost/v1",
        "https://a.localhost",
        "https://printer.local",
        "https://metadata.google.internal",
        "https://database",
        "https://10.0.0.1",
        "https://169.254.169.254/latest",
        "https://127.0.0.1:11435",
        "https://2130706433",
        "https://0x7f000001",
        "https://0x7f.1",
        "https://0177.0.0.1",
        "https://127.1",
        "https://[::1]",
        "https://[::ffff:127.0.0.1]",
        "https://[fe80::1%25eth0]",
        "https://[fd00::1]:8444",
        "https://[::",
        "https://ключ.рф",
        "https://a..example.com",
        "https://-.example.com",
    ],
)
def test_address_that_leads_nowhere_public_is_refused(url: str) -> None:
    assert OUTSIDE.flaw_of_url(url)


@pytest.mark.parametrize(
    ("host", "port", "is_right"),
    [
        ("db.example.com", 5432, True),
        ("DB.internal", 5432, True),
        ("db.internal", 5433, False),
        ("db", 5432, False),
        ("", 5432, False),
        ("10.0.0.1", 5432, False),
        ("8.8.8.8", 5432, True),
        ("fd00::1", 8443, True),
        ("[fd00::1]", 8443, True),
        ("fd00::1", 5432, False),
        ("db.example.com", 0, False),
        ("db.example.com/x", 5432, False),
    ],
)
def test_host_of_a_database_is_told_alike(host: str, port: int, *, is_right: bool) -> None:
    assert (OUTSIDE.flaw_of_host(host, port) == "") is is_right
