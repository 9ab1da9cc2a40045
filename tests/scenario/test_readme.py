"""The language's reference does not lie: its examples run, and nothing of the language is missing from it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from infra.scenario import __main__ as command_line
from shared.scenario import bounds, caps, models
from shared.scenario.document import json_schema
from shared.scenario.expressions import BUILTINS
from shared.scenario.findings import ERRORS, WARNINGS
from shared.scenario.linter import Library, lint
from shared.scenario.words import FALLBACKS
from shared.simulation.testing import run_tests
from tests.scenario.documents import Document
from tests.scenario.transcript import fenced, play

FOLDER = Path(models.__file__).parent
README = (FOLDER / "README.md").read_text(encoding="utf-8")
BLOCKS = [(info, inside) for info, inside in fenced(README) if info.split()[0] in ("json", "text")]
EXAMPLES = [inside for info, inside in BLOCKS if info.startswith("json")]
CONVERSATIONS = [inside for info, inside in BLOCKS if info == "text"]


def whole(example: str) -> Document:
    """An example with what it leaves out for shortness."""
    written: Any = msgspec.json.decode(example)
    return {"version": "1.0", **(written if isinstance(written, dict) else {"steps": written})}


SCHEMA = Draft202012Validator(msgspec.json.decode((FOLDER / "schema.json").read_bytes()))
"""What editors check by."""

CALLED = {info.partition("called=")[2]: whole(inside) for info, inside in BLOCKS if "called=" in info}
"""The examples that other examples call, by their ids."""


def test_every_example_has_its_conversation() -> None:
    assert [info.split()[0] for info, _ in BLOCKS] == ["json", "text"] * len(EXAMPLES)


@pytest.mark.parametrize(("example", "conversation"), list(zip(EXAMPLES, CONVERSATIONS, strict=True)))
def test_a_conversation_goes_as_written(example: str, conversation: str) -> None:
    play(whole(example), conversation, CALLED)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_linter_finds_no_error_in_an_example(example: str) -> None:
    findings = lint(whole(example), Library(scenarios=CALLED))
    assert [finding for finding in findings if finding.severity == "error"] == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_editor_has_nothing_against_an_example(example: str) -> None:
    assert list(SCHEMA.iter_errors(whole(example))) == []


@pytest.mark.parametrize("example", [example for example in EXAMPLES if '"tests"' in example])
def test_an_example_passes_its_own_tests(example: str) -> None:
    results = run_tests(whole(example), CALLED).results
    assert results
    assert [result for result in results if result.failure] == []


def fields() -> list[str]:
    parts = [each for each in vars(models).values() if isinstance(each, type) and issubclass(each, BaseModel)]
    return sorted({field.alias or name for part in parts for name, field in part.model_fields.items()})


IN_TESTS_ONLY = {
    "album", "audio", "by", "contact", "error", "file", "file_name", "first_name", "give_back", "last_name",
    "latitude", "location", "longitude", "operator", "own", "phone", "photo", "press", "respond", "size",
    "title", "video",
}  # fmt: skip
"""Fields that only the acts of a test have: the table of turns tells of them, the transcripts show them."""


@pytest.mark.parametrize("field", fields())
def test_a_field_is_told_of_and_shown(field: str) -> None:
    assert re.search(rf'[`"]{field}[`"]', README)
    if field not in IN_TESTS_ONLY:
        assert any(f'"{field}"' in example for example in EXAMPLES)


@pytest.mark.parametrize("kind", get_args(models.InputType))
def test_a_type_of_answer_is_told_of_and_shown(kind: str) -> None:
    assert f"\n| `{kind}` | " in README
    assert any(f'"type": "{kind}"' in example for example in EXAMPLES)


@pytest.mark.parametrize("action", models.ACTIONS)
def test_an_action_is_told_of_and_shown(action: str) -> None:
    assert f"\n### {action}\n" in README
    assert any(f'"{action}": ' in example for example in EXAMPLES)


def test_the_bots_own_words_are_told_of() -> None:
    section = README.partition("\n## The bot's own words\n")[2].partition("\n## ")[0]
    told = {name for line in section.splitlines() for name in re.findall(r"`(\w+)`", line.split(" | ")[0])}
    assert told - {"fallbacks", "languages"} == set(FALLBACKS["en"]) == set(get_args(models.FallbackName))


@pytest.mark.parametrize("name", sorted(BUILTINS))
def test_a_name_is_told_of(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize(("kind", "codes"), [("error", ERRORS), ("warning", WARNINGS)])
def test_the_linters_codes_are_told_of(kind: str, codes: dict[str, str]) -> None:
    table = README.partition(f"\n| {kind} | ")[2].partition("\n\n")[0]
    assert dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE)) == codes


def test_the_bounds_are_told_of() -> None:
    told = {
        name: int(number.replace(" ", ""))
        for number, name in re.findall(r"\| ([\d ]+) \| `(MAX_\w+)` \|", README)
    }
    known = {**vars(caps), **vars(bounds)}
    assert told == {name: number for name, number in known.items() if name.startswith("MAX_")}


def test_the_commands_are_told_of() -> None:
    told = set(re.findall(r"^python -m infra\.scenario (\w+)", README, re.MULTILINE))
    assert told == set(re.findall(r"infra\.scenario (\w+)", command_line.__doc__ or ""))
    for command in told:
        with pytest.raises(SystemExit, match="0"):
            command_line.main([command, "--help"])


def test_the_schema_for_editors_is_up_to_date() -> None:
    written = msgspec.json.decode((FOLDER / "schema.json").read_bytes())
    assert written == msgspec.json.decode(msgspec.json.encode(json_schema())), (
        "say: python -m infra.scenario schema > shared/scenario/schema.json"
    )
    Draft202012Validator.check_schema(written)


@pytest.mark.parametrize(
    "step",
    [
        {"id": "a", "mesage": {"text": "Hi"}},
        {"id": "a", "message": "Hi"},
        {"id": "a", "buttons": [{"text": "Yes"}]},
        {"id": "a", "wait": "soon"},
        {"id": "a", "expected_input": {"type": "colour"}},
        {"message": {"text": "Hi"}},
    ],
)
def test_an_editor_marks_what_is_wrong(step: Document) -> None:
    assert list(SCHEMA.iter_errors({"version": "1.0", "steps": [step]}))
