"""What variables a document has, of what types, in its own order: what a table of its answers is made of.

It is told without compiling anything, so whoever only shows values needs no expression library, and a
document that the language has outgrown is no trouble. An assigned variable that is not declared is of type
`any` here, where the compiler may know better.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.scenario.kinds import ANSWERS, kind_of
from shared.scenario.words import DEFAULT_LANGUAGE

MAX_LABEL: Final = 200
"""Characters of a question that stand over its column."""


@dataclass(frozen=True, slots=True)
class Column:
    """One variable. `label` is the question that asks for it, as the author wrote it, or ""."""

    name: str
    type: str
    label: str = ""
    sensitive: bool = False


def columns_of(document: Mapping[str, Any]) -> tuple[Column, ...]:
    """The variables of a document: as declared, then as steps fill them."""
    declared: Mapping[str, Mapping[str, Any]] = document.get("variables") or {}
    found = [*((name, d.get("type", "any")) for name, d in declared.items()), *_filled(document)]
    types: dict[str, set[str]] = {}
    for name, kind in found:
        types.setdefault(name, set()).add(kind)
    labels = _labels(document)
    return tuple(
        Column(
            name,
            declared[name].get("type", "any") if name in declared else _common(kinds),
            labels.get(name, ""),
            bool(declared.get(name, {}).get("sensitive")),
        )
        for name, kinds in types.items()
    )


def types_of(document: Mapping[str, Any]) -> dict[str, str]:
    """The type of every variable that a run of the document may have a value for, by name."""
    return {"start_payload": "string"} | {column.name: column.type for column in columns_of(document)}


def union(tables: Iterable[Iterable[Column]]) -> tuple[Column, ...]:
    """The columns of several tables as one: those of the first in its order, then what others have more.

    A column that two of them type in two ways is of any type; one that is sensitive anywhere stays so.
    """
    found: dict[str, Column] = {}
    for column in (column for table in tables for column in table):
        former = found.get(column.name, column)
        found[column.name] = Column(
            column.name,
            _common({former.type, column.type}),
            former.label or column.label,
            former.sensitive or column.sensitive,
        )
    return tuple(found.values())


def _common(types: set[str]) -> str:
    return types.copy().pop() if len(types) == 1 else "any"


def _filled(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for step in document["steps"]:
        yield from ((name, "any") for name in step.get("before", {}))
        yield from _asked(step)
        yield from _done(step)
        yield from ((name, "any") for name in step.get("set", {}))


def _asked(step: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    expected = step.get("expected_input") or {}
    if expected.get("variable"):
        yield expected["variable"], _type_of_answer(step, expected)


def _done(step: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if name := (step.get("llm") or {}).get("variable"):
        yield name, "any"
    if name := (step.get("http") or {}).get("variable"):
        yield name, "map"
    yield from ((name, "any") for name in (step.get("scenario") or {}).get("outputs", {}))


def _type_of_answer(step: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    match expected.get("type"):
        case "button":
            choices = (button for button in step.get("buttons", ()) if "url" not in button)
            return _common({"any" if "for_each" in each else kind_of(each.get("value")) for each in choices})
        case "buttons":
            return "list"
        case "media":
            several = ((expected.get("validation") or {}).get("max") or 1) != 1
            return "list" if several else "map"
    return ANSWERS.get(expected.get("type", ""), "any")


def _labels(document: Mapping[str, Any]) -> dict[str, str]:
    """The words with which each variable is first asked for."""
    language = document.get("default_language") or (document.get("languages") or [DEFAULT_LANGUAGE])[0]
    labels: dict[str, str] = {}
    for step in document["steps"]:
        name = (step.get("expected_input") or {}).get("variable")
        if name and (words := _last_words(step, language)):
            labels.setdefault(name, words)
    return labels


def _last_words(step: Mapping[str, Any], language: str) -> str:
    """What a step says last before it waits for the answer."""
    said = step.get("message") or []
    messages = [said] if isinstance(said, dict) else said
    texts = [message.get("text", "") for message in messages]
    words = [_in(language, text).strip() for text in texts]
    return next((text for text in reversed(words) if text), "")[:MAX_LABEL]


def _in(language: str, text: str | Mapping[str, str]) -> str:
    if isinstance(text, str):
        return text
    return text.get(language) or next(iter(text.values()), "")
