"""JSON Schema of authors: whether a value fits, and what is wrong with it, in words.

A schema comes from a tenant and a value from anywhere, so both are bounded, patterns take linear time, and
nothing is fetched. Drafts are those of `$schema`; without it, 2020-12.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jsonschema_rs
import msgspec

from shared.errors import BadSchema

MAX_SCHEMA_BYTES = 64 * 1024
MAX_DEPTH = 32
"""Levels of a schema, and of a value: the validator itself would recurse until its stack is used up."""

MAX_FLAWS = 10
MAX_FLAW = 300

_MAX_BRANCHES = 40
_MAX_WAYS = 4_000
"""What is explained in words, at a quarter of a millisecond a way that was tried."""

_MAX_PRODUCT = 20_000_000
"""Bytes of the schema times those of the value: an explanation takes up to eight times that much room."""

_REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
_PARTING = frozenset({"properties", "$defs", "definitions"})
"""Keywords with schemas by name, of which each looks at a part of its own."""

_BOUNDS = jsonschema_rs.RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20)
_NO_VALUE = "the value"

_UNKNOWN = "it has properties that its schema does not know"
_UNQUOTED = {
    "additionalProperties": _UNKNOWN,
    "unevaluatedProperties": _UNKNOWN,
    "propertyNames": "a property has a name that its schema does not take",
}
"""In the place of messages that quote names of the value."""


class JsonSchema:
    """A schema, ready to judge values."""

    __slots__ = ("_branches", "_bytes", "_validator")

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Raises `BadSchema`."""
        self._bytes = _bytes_within_bounds(document)
        self._branches = _branches_in(document)
        if self._branches > _MAX_BRANCHES:
            raise BadSchema(f"it has more than {_MAX_BRANCHES} references beside one another")
        self._validator = _compiled(document)

    def flaws(self, value: Any) -> list[str]:
        """What is wrong with the value, each with a JSON pointer to where; empty if it fits.

        The value itself is never quoted, nor its names: they may be what a person wrote.
        """
        depth = depth_of(value, MAX_DEPTH)
        if depth > MAX_DEPTH:
            return [f"it is nested deeper than {MAX_DEPTH} levels"]
        try:
            if self._validator.is_valid(value):
                return []
            return self._explained(value, depth)
        except ValueError:  # not a number, half a surrogate pair
            return ["it is not JSON"]

    def _explained(self, value: Any, depth: int) -> list[str]:
        """What is wrong, or only that something is, where an explanation would take too much.

        It tries every way through the alternatives, where a verdict does not; references that lead on to
        others in threes make the most ways. And it has all flaws at once, each with all that its part of
        the schema names.
        """
        ways_a_level = max(self._branches, 3 ** (self._branches / 3))
        product = self._bytes * len(msgspec.json.encode(value))
        if product > _MAX_PRODUCT or ways_a_level ** max(depth, 1) > _MAX_WAYS:
            return ["it does not fit its schema"]
        found = self._validator.iter_errors(value)
        return [_words_of(error) for error, _ in zip(found, range(MAX_FLAWS), strict=False)]


def depth_of(value: Any, most: int) -> int:
    """How many levels of lists and maps a value has; those beyond `most` + 1 are not counted."""
    level, depth = [value], 0
    while depth <= most and (level := [each for each in level if isinstance(each, dict | list)]):
        level = [part for each in level for part in (each.values() if isinstance(each, dict) else each)]
        depth += 1
    return depth


def _bytes_within_bounds(document: Mapping[str, Any]) -> int:
    if depth_of(document, MAX_DEPTH) > MAX_DEPTH:
        raise BadSchema(f"it is nested deeper than {MAX_DEPTH} levels")
    size = len(msgspec.json.encode(document))
    if size > MAX_SCHEMA_BYTES:
        raise BadSchema(f"it is larger than {MAX_SCHEMA_BYTES // 1024} KB")
    return size


def _compiled(document: Mapping[str, Any]) -> jsonschema_rs.Validator:
    try:
        return jsonschema_rs.validator_for(
            dict(document),
            pattern_options=_BOUNDS,
            offline=True,
            validate_formats=True,
            mask=_NO_VALUE,
        )
    except jsonschema_rs.ValidationError as error:
        raise BadSchema(_at(error.instance_path, error.message)) from None
    except (jsonschema_rs.ReferencingError, ValueError) as error:
        raise BadSchema(str(error)[:MAX_FLAW]) from None


def _branches_in(schema: Any, *, is_alone: bool = True) -> int:
    """How many references look at what another part of the schema looks at, too.

    Only such can make the ways through a schema grow with every level.
    """
    if isinstance(schema, list):
        return sum(_branches_in(each, is_alone=is_alone) for each in schema)
    if not isinstance(schema, dict):
        return 0
    own = bool(_REFERENCES & schema.keys()) and not (is_alone and len(schema) == 1)
    return own + sum(_branches_below(schema, is_alone=is_alone))


def _branches_below(schema: Mapping[str, Any], *, is_alone: bool) -> Iterator[int]:
    for keyword, below in schema.items():
        if keyword in _PARTING and isinstance(below, dict):
            yield from (_branches_in(each, is_alone=is_alone) for each in below.values())
        else:
            yield _branches_in(below, is_alone=is_alone and keyword == "items")


def _words_of(error: jsonschema_rs.ValidationError) -> str:
    """What is wrong with a value and where; names are only those of the schema."""
    known = set(error.evaluation_path)
    path = [part if isinstance(part, int) or part in known else "*" for part in error.instance_path]
    return _at(path, _UNQUOTED.get(error.kind.name) or error.message)


def _at(path: Iterable[str | int], message: str) -> str:
    pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
    words = message.partition("\n")[0]
    return f"{pointer}: {words}"[:MAX_FLAW] if pointer else words[:MAX_FLAW]
