"""Types of fields that several resources share."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import CoreSchema


def _without_controls(text: str) -> str:
    """A line of text: no control characters (NUL and line breaks are some), no lone surrogates."""
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise ValueError("control characters and lone surrogates are not allowed here")
    return text


def _without_nul(text: str) -> str:
    return _without_controls(text.translate(_LAYOUT)) and text


_LAYOUT = dict.fromkeys(map(ord, "\n\r\t"), " ")

ONE_LINE = AfterValidator(_without_controls)

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), ONE_LINE]
Description = Annotated[
    str,
    StringConstraints(max_length=4000),
    BeforeValidator(lambda given: "" if given is None else given),
    AfterValidator(_without_nul),
]
"""Some lines of text; null means none."""


def shaped(pattern: str, words: str) -> AfterValidator:
    """A check of the whole string; `words` tell what it should look like, never what it is."""
    shape = re.compile(pattern, re.ASCII)

    def check(text: str) -> str:
        if not shape.fullmatch(text):
            raise ValueError(words)
        return text

    return AfterValidator(check)


Token = Annotated[str, shaped(r"[!-~]{1,1024}", "1 to 1024 visible ASCII characters, no spaces")]

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_NO_MOMENT: Final = (
    "a moment is written with its zone, such as 2026-11-01T00:00:00Z (in an address a + is written %2B)"
)


def _moment(given: Any, read: ValidatorFunctionWrapHandler) -> datetime:
    """Not the other spellings that pydantic takes, of which numbers of seconds are some."""
    with suppress(ValidationError, OverflowError):
        if isinstance(given, str) and _DATE.match(given):
            moment: datetime = read(given)
            return moment.astimezone(UTC)
    raise ValueError(_NO_MOMENT)


Moment = Annotated[AwareDatetime, Field(strict=False), WrapValidator(_moment)]
"""A time of RFC 3339, in UTC from here on."""


_SERVER_S: Final = {"readOnly": True, "description": "Written by the server, and taken no notice of."}


class Draft(BaseModel):
    """The base of request bodies: every field is known, of its JSON type, and never repeated in an error.

    What `GET` shows may come back in a `PUT`: fields that only the server writes are named in
    `server_fields` and taken no notice of. Any other unknown field is an error.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)
    server_fields: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Any:
        described = handler(schema)
        own = handler.resolve_ref_schema(described)
        own.setdefault("properties", {}).update(dict.fromkeys(sorted(cls.server_fields), _SERVER_S))
        return described

    @model_validator(mode="before")
    @classmethod
    def _without_server_fields(cls, body: Any) -> Any:
        if not isinstance(body, dict) or not cls.server_fields:
            return body
        return {name: value for name, value in body.items() if name not in cls.server_fields}


class View(BaseModel):
    """The base of answers: they hold what is named here, and nothing else."""

    model_config = ConfigDict(frozen=True, from_attributes=True, hide_input_in_errors=True)
