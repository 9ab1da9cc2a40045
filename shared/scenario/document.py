"""Reading a document: whether its form is right, and if not, what an author should change where."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any

import msgspec
from pydantic import BaseModel, ValidationError

from shared.errors import Invalid, Violation
from shared.scenario import models
from shared.scenario.caps import MAX_DEPTH, MAX_DOCUMENT_BYTES
from shared.scenario.models import Scenario


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
    elif error["type"] == "missing":
        message = "this field is required"
    return Violation(pointer, message, "schema")


def _unknown_field(name: str) -> str:
    if name in _FIELDS:
        return f"“{name}” does not belong here"
    close = difflib.get_close_matches(name, _FIELDS, n=1)
    return f"unknown field “{name}”" + (f"; did you mean “{close[0]}”?" if close else "")


_FIELDS = sorted(
    {
        field.alias or name
        for part in vars(models).values()
        if isinstance(part, type) and issubclass(part, BaseModel)
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


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a document, for editors; what it cannot say, `read` and the linter do."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Scenario.model_json_schema()}
