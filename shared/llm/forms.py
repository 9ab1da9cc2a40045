"""Schemas of our own, in the subset of JSON Schema to which vendors can hold a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def one_of(names: Sequence[str]) -> dict[str, Any]:
    """One of these words; choices may have the same."""
    return {"type": "string", "enum": list(dict.fromkeys(names))}


def or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def object_of(properties: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """An object with these properties, all of them needed, and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
