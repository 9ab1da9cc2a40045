"""What the linter says where a bot is not set up with what its scenario needs."""

from __future__ import annotations

from typing import Any

import pytest

from shared.scenario.linter import Library, lint

ASKS: dict[str, Any] = {"id": "think", "llm": {"prompt": "Well?", "variable": "word"}, "next_step": "name"}
UNDERSTANDS: dict[str, Any] = {
    "id": "name",
    "message": {"text": "Name?"},
    "expected_input": {"type": "text", "variable": "name", "understand": {"fill": ["word"]}},
    "end": True,
}
CALLS: dict[str, Any] = {
    "id": "look",
    "http": {
        "method": "POST",
        "url": "https://example.com/{{ secret('path') }}",
        "headers": {"Authorization": "Bearer {{ secret('key') }}"},
        "body": {"token": ["{{ secret('key') }}", "{{ platform }}", "secret('quoted')"]},
    },
    "next_step": "think",
}


def told(library: Library, *steps: dict[str, Any]) -> list[tuple[str, str, str]]:
    document = {"version": "1.0", "variables": {"word": {"type": "string"}}, "steps": list(steps)}
    found = lint(document, library)
    return [(f.severity, f.code, f.pointer) for f in found if f.code in {"model_unset", "secret_unset"}]


@pytest.mark.parametrize(
    ("steps", "pointer"),
    [((ASKS, UNDERSTANDS), "/steps/0/llm"), ((UNDERSTANDS,), "/steps/0/expected_input/understand")],
)
def test_that_no_model_is_there_to_be_asked_is_told_once(
    steps: tuple[dict[str, Any], ...], pointer: str
) -> None:
    assert told(Library(has_model=False), *steps) == [("warning", "model_unset", pointer)]


@pytest.mark.parametrize(
    ("has", "missing"),
    [
        ((), [("secret_unset", "/url"), ("secret_unset", "/headers/Authorization")]),
        (("path",), [("secret_unset", "/headers/Authorization")]),
        (("path", "key"), []),
    ],
)
def test_each_secret_that_is_missing_is_told_once(
    has: tuple[str, ...], missing: list[tuple[str, str]]
) -> None:
    expected = [("warning", code, f"/steps/0/http{place}") for code, place in missing]
    assert told(Library(secrets=has), CALLS, ASKS, UNDERSTANDS) == expected


@pytest.mark.parametrize("library", [Library(), Library(has_model=True, secrets=["path", "key"])])
def test_of_what_is_there_or_not_known_nothing_is_told(library: Library) -> None:
    assert told(library, CALLS, ASKS, UNDERSTANDS) == []


def test_who_needs_nothing_hears_nothing() -> None:
    end = {"id": "bye", "message": {"text": "secret('path')"}, "end": True}
    assert told(Library(has_model=False, secrets=[]), end) == []
