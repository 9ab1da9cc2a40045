"""The smallest parts of a scenario document: ids, names, texts, expressions, durations."""

from __future__ import annotations

import re
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, WithJsonSchema
from pydantic.functional_validators import AfterValidator, BeforeValidator

from shared.scenario.caps import MAX_ASSIGNMENTS, MAX_EXPRESSION, MAX_NESTING, MAX_TASK_SECONDS
from shared.scenario.durations import LONGEST, seconds_of
from shared.scenario.expressions import RESERVED_NAMES, VARIABLE_NAME, nesting

CONTACT = "contact"
"""The name of what the account's main system knows of the person."""

_STEP_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_WORD = re.compile(r"\S(?:.{0,62}\S)?")


def _text(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or not value:
        raise ValueError('a text is a string, or a map of languages: {"en": "…", "ru": "…"}')
    if not all(isinstance(words, str) for words in value.values()):
        raise ValueError("the text of every language is a string")
    for language in value:
        _language(language)
    return value


def _language(tag: str) -> str:
    if not _LANGUAGE.fullmatch(tag):
        raise ValueError(f"“{tag}” is not the tag of a language, like en or pt-BR")
    return tag


def _step_id(value: str) -> str:
    if not _STEP_ID.fullmatch(value):
        raise ValueError("the id of a step is 1 to 64 letters a-z and A-Z, digits, _ and -")
    return value


def _value(value: Any) -> Any:
    if not isinstance(value, str | int):
        raise ValueError("the value of a choice is a text, a whole number, true or false")  # noqa: TRY004
    return value


def _expression(value: str) -> str:
    if not value.strip():
        raise ValueError("an expression cannot be empty")
    if len(value) > MAX_EXPRESSION:
        raise ValueError(f"an expression is at most {MAX_EXPRESSION} characters long")
    if nesting(value) > MAX_NESTING:
        raise ValueError(f"an expression nests at most {MAX_NESTING} deep")
    return value


def _variable(name: str) -> str:
    if not VARIABLE_NAME.fullmatch(name):
        raise ValueError("a variable's name is 1 to 64 letters a-z, digits and _, not starting with a digit")
    if name in RESERVED_NAMES:
        raise ValueError(f"“{name}” is a word of the expression language; choose another name")
    return name


def _given(name: str) -> str:
    return name if name == CONTACT else _variable(name)


def _duration(value: str) -> str:
    if not 0 < seconds_of(value) <= LONGEST:
        raise ValueError(
            "a duration is a whole number and s, m, h or d, like 30s, 15m, 24h, 7d; 365d at most"
        )
    return value


def _task_timeout(value: str) -> str:
    if seconds_of(value) > MAX_TASK_SECONDS:
        raise ValueError(f"a model or a server may take {MAX_TASK_SECONDS}s at most")
    return value


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"“{name}” is not a time zone, like Europe/Berlin or UTC") from None
    return name


def _scenario_id(value: str) -> str:
    if not _UUID.fullmatch(value):
        raise ValueError("a scenario is named by its id, a UUID")
    return value.lower()


def _command_word(value: str) -> str:
    if not _WORD.fullmatch(value):
        raise ValueError("a command is 1 to 64 characters on one line, without spaces around them")
    return value


def _shown(description: str, pattern: str) -> WithJsonSchema:
    """What an editor is told, which does without our own words for what is wrong."""
    return WithJsonSchema({"type": "string", "description": description, "pattern": f"^(?:{pattern})$"})


StepId = Annotated[str, AfterValidator(_step_id), _shown("The id of a step", _STEP_ID.pattern)]
Language = Annotated[str, AfterValidator(_language), _shown("A tag, like en or pt-BR", _LANGUAGE.pattern)]
Value = Annotated[Any, BeforeValidator(_value), WithJsonSchema({"type": ["string", "integer", "boolean"]})]
Text = Annotated[
    Any,
    BeforeValidator(_text),
    WithJsonSchema(
        {
            "description": "Words, or words by language; {{ expressions }} are printed",
            "anyOf": [
                {"type": "string"},
                {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
            ],
        }
    ),
]
Expr = Annotated[str, AfterValidator(_expression), Field(description="An expression (CEL)", min_length=1)]
Variable = Annotated[str, AfterValidator(_variable)]
Given = Annotated[str, AfterValidator(_given)]
"""What a conversation begins with: a variable, or what is known of the person."""
Assignments = Annotated[dict[Variable, Expr], Field(max_length=MAX_ASSIGNMENTS)]
Duration = Annotated[str, AfterValidator(_duration), _shown("Such as 30s, 15m, 24h, 7d", "[0-9]{1,9}[smhd]")]
TaskTimeout = Annotated[
    Duration, AfterValidator(_task_timeout), _shown("Such as 20s; 90s at most", "[0-9]{1,9}[smhd]")
]
TimeZone = Annotated[str, AfterValidator(_timezone), Field(description="An IANA name, like Europe/Berlin")]
ScenarioId = Annotated[str, AfterValidator(_scenario_id)]
CommandWord = Annotated[str, AfterValidator(_command_word)]
