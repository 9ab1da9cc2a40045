"""What is printed where: addresses, and places that take no expressions; a model's options, and schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.errors import BadSchema
from shared.json_schema import JsonSchema
from shared.scenario.document import escape
from shared.scenario.findings import Finding
from shared.scenario.linting.places import by_language, expressions_in, texts_of_step
from shared.scenario.linting.steps import Raw, choices_of, is_dynamic
from shared.scenario.linting.subject import Subject

_ADDRESS = re.compile(r"https?://[^\s/?#{}]", re.IGNORECASE)


def check(subject: Subject) -> Iterator[Finding]:
    for at, step in subject.steps():
        yield from _addresses(subject, step, at)
        yield from _options(subject, step, at)
        yield from _schemas(subject, step, at)
        for place, words in _constants(step):
            if any(expressions_in(words)):
                message = "a {{ }} is not printed here; these words are taken as they are"
                yield subject.finding("not_printed", f"{at}{place}", message)


def _addresses(subject: Subject, step: Raw, at: str) -> Iterator[Finding]:
    for place, text in texts_of_step(step):
        if not place.endswith("/url"):
            continue
        for pointer, address in by_language(text, f"{at}{place}"):
            if not _ADDRESS.match(address):
                message = "an address starts with https:// (or http://) and the name of its host"
                yield subject.finding("bad_link", pointer, message)


def _options(subject: Subject, step: Raw, at: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, option in enumerate(((step.get("llm") or {}).get("output") or {}).get("options") or []):
        if option in seen or not option.strip():
            message = f"the option “{option}” is there twice" if option in seen else "this option is empty"
            yield subject.finding("ambiguous_options", f"{at}/llm/output/options/{index}", message)
        seen.add(option)


def _schemas(subject: Subject, step: Raw, at: str) -> Iterator[Finding]:
    output = (step.get("llm") or {}).get("output") or {}
    for place, holder in (("/llm/output/schema", output), ("/http/schema", step.get("http") or {})):
        if flaw := _flaw_of(holder.get("schema")):
            yield subject.finding("bad_schema", f"{at}{place}", f"this JSON Schema cannot be used: {flaw}")


def _flaw_of(schema: Raw | None) -> str:
    try:
        if schema is not None:
            JsonSchema(schema)
    except BadSchema as bad:
        return str(bad)
    return ""


def _constants(step: Raw) -> Iterator[tuple[str, str]]:
    """Strings of a step that are no texts."""
    for index, button in choices_of(step):
        if not is_dynamic(button) and isinstance(button["value"], str):
            yield f"/buttons/{index}/value", button["value"]
    llm = step.get("llm") or {}
    if llm.get("model"):
        yield "/llm/model", llm["model"]
    for name, route in llm.get("routes", {}).items():
        yield f"/llm/routes/{escape(name)}/when", route["when"]
    for index, option in enumerate((llm.get("output") or {}).get("options") or []):
        yield f"/llm/output/options/{index}", option
