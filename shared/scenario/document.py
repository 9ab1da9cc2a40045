"""The schema of a scenario document: its form, not yet its meaning (that is the linter's).

Only what saves or checks a scenario imports this module; the engine interprets documents that have
passed here, so it need not.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError
from pydantic.functional_validators import AfterValidator, BeforeValidator

from shared.errors import Invalid, Violation
from shared.scenario.caps import (
    MAX_ASSIGNMENTS,
    MAX_BUTTONS,
    MAX_CONDITIONS,
    MAX_DEPTH,
    MAX_DOCUMENT_BYTES,
    MAX_EXPRESSION,
    MAX_MESSAGES,
    MAX_NESTING,
    MAX_PATTERN,
    MAX_STEPS,
    MAX_VARIABLES,
)
from shared.scenario.expressions import RESERVED_NAMES, VARIABLE_NAME, nesting

COMING = frozenset(
    """timezone commands tests delay whatsapp_template for_each llm http scenario handoff sync wait timeout
    understand own accept max_bytes rules region sensitive scope min max""".split()
)
"""Fields of the language that this version does not run yet."""

COMING_INPUTS = frozenset(
    """buttons number integer date time email phone url location contact media any""".split()
)
"""Types of input that this version does not run yet."""

COMING_FALLBACKS = frozenset(
    """busy not_number not_integer not_date not_time not_email not_phone not_url not_location not_contact
    not_media""".split()
)
"""Words of the bot that belong to what this version does not run yet."""


_STEP_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=False)


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


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


def _no_media(value: list[Any]) -> list[Any]:
    if value:
        raise ValueError("media in messages is not supported yet; leave the list empty")
    return value


StepId = Annotated[str, AfterValidator(_step_id)]
Language = Annotated[str, AfterValidator(_language)]
Value = Annotated[Any, BeforeValidator(_value)]
Text = Annotated[Any, BeforeValidator(_text)]
Expr = Annotated[str, AfterValidator(_expression)]
Variable = Annotated[str, AfterValidator(_variable)]
Assignments = Annotated[dict[Variable, Expr], Field(max_length=MAX_ASSIGNMENTS)]


class Message(_Part):
    text: Text
    media: Annotated[list[Any], AfterValidator(_no_media)] = []


class Choice(_Part):
    text: Text
    value: Value
    next_step: StepId | None = None
    show_if: Expr | None = None


class Link(_Part):
    text: Text
    url: Text
    show_if: Expr | None = None


def _kind_of_button(value: Any) -> str:
    return "link" if isinstance(value, Mapping) and "url" in value else "choice"


Button = Annotated[
    Annotated[Choice, Tag("choice")] | Annotated[Link, Tag("link")], Discriminator(_kind_of_button)
]


class Validation(_Part):
    min_length: Annotated[int, Field(ge=0)] | None = None
    max_length: Annotated[int, Field(ge=1)] | None = None
    pattern: Annotated[str, Field(max_length=MAX_PATTERN)] | None = None


class ExpectedInput(_Part):
    type: Literal["text", "button"]
    variable: Variable | None = None
    validation: Validation | None = None
    error_message: Text | None = None
    max_attempts: Annotated[int, Field(ge=1, le=100)] | None = None
    on_failure: StepId | None = None
    skip_if_set: bool = False


class Condition(_Part):
    if_: Expr = Field(alias="if")
    then: StepId | None
    else_: StepId | None = Field(default=None, alias="else")


class ScenarioCondition(Condition):
    after: StepId | None = None


class Step(_Part):
    id: StepId
    before: Assignments = {}
    message: Annotated[list[Message], BeforeValidator(_as_list), Field(max_length=MAX_MESSAGES)] = []
    buttons: Annotated[list[Button], Field(max_length=MAX_BUTTONS)] = []
    when_empty: StepId | None = None
    expected_input: ExpectedInput | None = None
    set: Assignments = {}
    conditions: Annotated[list[Condition], Field(max_length=MAX_CONDITIONS)] = []
    next_step: StepId | None = None
    end: bool = False


class Declaration(_Part):
    type: Literal["string", "integer", "number", "boolean", "any"]
    initial: Any = None


class Defaults(_Part):
    max_attempts: Annotated[int, Field(ge=1, le=100)] | None = None
    on_failure: StepId | None = None


FallbackName = Literal["choose_button", "not_text", "stale_button", "ended", "unsupported", "action_failed"]


class Scenario(_Part):
    """A whole document."""

    version: str
    start: StepId | None = None
    languages: Annotated[list[Language], Field(min_length=1)] | None = None
    default_language: Language | None = None
    variables: Annotated[dict[Variable, Declaration], Field(max_length=MAX_VARIABLES)] = {}
    steps: Annotated[list[Step], Field(min_length=1, max_length=MAX_STEPS)]
    conditions: Annotated[list[ScenarioCondition], Field(max_length=MAX_CONDITIONS)] = []
    defaults: Defaults | None = None
    fallbacks: dict[FallbackName, Text] = {}
    after_end: str = "tell"
    first_message: Literal["start", "answer"] = "start"


def read(data: Any) -> Scenario:
    """Check the form of a document. Raises `Invalid` with every violation and its JSON pointer."""
    if not isinstance(data, dict):
        raise Invalid("a scenario is a JSON object", [Violation("", "a scenario is a JSON object", "schema")])
    if unfit := list(_unfit(data, "", 0)):
        raise Invalid("the document cannot be stored", unfit)
    if len(msgspec.json.encode(data)) > MAX_DOCUMENT_BYTES:
        message = f"a scenario is at most {MAX_DOCUMENT_BYTES} bytes long"
        raise Invalid(message, [Violation("", message, "schema")])
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        found = [_violation(data, dict(each)) for each in error.errors(include_url=False)]
        raise Invalid("this is not a scenario yet", list(dict.fromkeys(found))) from None


def _unfit(value: Any, pointer: str, depth: int) -> Iterator[Violation]:
    """Text and numbers that no database or messenger takes, and nesting that no author writes."""
    if depth > MAX_DEPTH:
        yield Violation(pointer, f"nested deeper than {MAX_DEPTH} levels", "schema")
    elif isinstance(value, str):
        if re.search("[\x00\ud800-\udfff]", value):
            yield Violation(pointer, "contains a NUL or half of a surrogate pair", "schema")
    elif isinstance(value, int | float):
        if not -(2**63) <= value < 2**63:
            yield Violation(pointer, "is not a number of at most 64 bits", "schema")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _unfit(key, pointer, depth)
            yield from _unfit(item, f"{pointer}/{escape(key)}", depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unfit(item, f"{pointer}/{index}", depth + 1)


def escape(token: str) -> str:
    """A key as one token of a JSON pointer (RFC 6901)."""
    return token.replace("~", "~0").replace("/", "~1")


def _violation(data: Any, error: dict[str, Any]) -> Violation:
    pointer = _pointer(data, error["loc"], is_missing=error["type"] == "missing")
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = _unknown_field(str(error["loc"][-1]))
    elif error["type"] == "literal_error" and str(error["input"]) in COMING_INPUTS:
        message = f"input type “{error['input']}” is not supported yet; use text or button"
    elif error["type"] == "literal_error" and str(error["input"]) in COMING_FALLBACKS:
        message = f"“{error['input']}” is not supported yet"
    elif error["type"] == "missing":
        message = "this field is required"
    return Violation(pointer, message, "schema")


def _unknown_field(name: str) -> str:
    if name in COMING:
        return f"“{name}” is not supported yet"
    if name in _FIELDS:
        return f"“{name}” does not belong here"
    close = difflib.get_close_matches(name, _FIELDS, n=1)
    return f"unknown field “{name}”" + (f"; did you mean “{close[0]}”?" if close else "")


_FIELDS = sorted(
    {
        field.alias or name
        for part in (Scenario, Step, Message, Choice, Link, ExpectedInput, Validation, ScenarioCondition)
        for name, field in part.model_fields.items()
    }
)


def _pointer(data: Any, location: tuple[Any, ...], *, is_missing: bool) -> str:
    """The location as a pointer into the document as written: names of union members are left out."""
    tokens, here = [], data
    for position, part in enumerate(location):
        if (isinstance(here, dict) and part in here) or (
            isinstance(here, list) and isinstance(part, int) and part < len(here)
        ):
            here = here[part]
        elif not (is_missing and position == len(location) - 1):
            continue
        tokens.append(escape(str(part)))
    return "".join(f"/{token}" for token in tokens)
