"""The language's reference does not lie: its examples run, and nothing of the language is missing from it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from shared.scenario import document, slips
from shared.scenario.expressions import BUILTINS
from shared.scenario.linter import lint
from shared.scenario.words import FALLBACKS
from tests.scenario.documents import Document
from tests.scenario.transcript import fenced, play

SOURCES = Path(document.__file__).parent
README = (SOURCES / "README.md").read_text(encoding="utf-8")
RUNS, NOT_YET = README.split("## Not yet")
BLOCKS = fenced(README)
EXAMPLES = [inside for language, inside in BLOCKS if language == "json"]
CONVERSATIONS = [inside for language, inside in BLOCKS if language == "text"]


def whole(example: str) -> Document:
    """An example with what it leaves out for shortness."""
    written: Any = msgspec.json.decode(example)
    return {"version": "1.0", **(written if isinstance(written, dict) else {"steps": written})}


def test_every_example_has_its_conversation() -> None:
    assert [language for language, _ in BLOCKS] == ["json", "text"] * len(EXAMPLES)


@pytest.mark.parametrize(("example", "conversation"), list(zip(EXAMPLES, CONVERSATIONS, strict=True)))
def test_a_conversation_goes_as_written(example: str, conversation: str) -> None:
    play(whole(example), conversation)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_could_be_activated(example: str) -> None:
    assert [finding for finding in lint(whole(example)) if finding.severity == "error"] == []


def fields() -> list[str]:
    parts = (
        document.Scenario,
        document.Step,
        document.Message,
        document.Choice,
        document.Link,
        document.ExpectedInput,
        document.Validation,
        document.ScenarioCondition,
        document.Declaration,
        document.Defaults,
    )
    return sorted({field.alias or name for part in parts for name, field in part.model_fields.items()})


@pytest.mark.parametrize("field", fields())
def test_a_field_is_told_of_and_shown(field: str) -> None:
    assert re.search(rf'`{field}`|"{field}"', RUNS)
    if field != "media":
        assert any(f'"{field}"' in example for example in EXAMPLES)


@pytest.mark.parametrize("name", sorted(FALLBACKS["en"]))
def test_a_fallback_is_told_of(name: str) -> None:
    assert f"| `{name}` |" in RUNS
    assert name in get_args(document.FallbackName)


@pytest.mark.parametrize("name", sorted(BUILTINS))
def test_a_name_is_told_of(name: str) -> None:
    assert f"`{name}`" in RUNS


@pytest.mark.parametrize(
    "name",
    sorted(document.COMING | document.COMING_INPUTS | document.COMING_FALLBACKS | slips.COMING),
)
def test_what_does_not_run_yet_is_told_of(name: str) -> None:
    assert f"`{name}`" in NOT_YET


def test_what_runs_is_not_among_what_does_not() -> None:
    refused = document.COMING | document.COMING_INPUTS | document.COMING_FALLBACKS | slips.COMING
    assert set(re.findall(r"`([a-z_]+)`", NOT_YET)) - refused == set()


def test_every_code_of_the_linter_is_told_of() -> None:
    written = "".join((SOURCES / f"{name}.py").read_text(encoding="utf-8") for name in ("linter", "flow"))
    codes = set(re.findall(r'"([a-z]+_[a-z_]+|cycle)"', written)) - {"start_payload", "expected_input"}
    told = {
        code
        for line in README.splitlines()
        if line.startswith("| `")
        for code in re.findall(r"`(\w+)`", line)
    }
    assert len(codes) > 15
    assert codes - set(fields()) - told == set()
