"""Where in a document texts and expressions stand, each with its pointer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.scenario.document import escape
from shared.scenario.expressions import ExpressionError
from shared.scenario.linting.steps import Raw, input_of, messages_of
from shared.scenario.requests import secret_in
from shared.scenario.texts import expression_places

Words = str | Mapping[str, str]
Place = tuple[str, Words]


def texts_of(document: Raw) -> Iterator[Place]:
    """Every text of a document."""
    for index, step in enumerate(document["steps"]):
        for pointer, text in texts_of_step(step):
            yield f"/steps/{index}{pointer}", text
    if remind := ((document.get("defaults") or {}).get("timeout") or {}).get("remind"):
        yield "/defaults/timeout/remind", remind
    for name, text in document.get("fallbacks", {}).items():
        yield f"/fallbacks/{name}", text
    for word, command in document.get("commands", {}).items():
        if command.get("description") is not None:
            yield f"/commands/{escape(word)}/description", command["description"]


def texts_of_step(step: Raw) -> Iterator[Place]:
    yield from _said(step)
    yield from _asked_of_others(step)
    yield from _said_of_answers(step)


def _said(step: Raw) -> Iterator[Place]:
    for pointer, message in messages_of(step):
        yield f"{pointer}/text", message.get("text", "")
        for index, media in enumerate(message.get("media", [])):
            if media.get("url") is not None:
                yield f"{pointer}/media/{index}/url", media["url"]
        template = message.get("whatsapp_template") or {}
        for index, text in enumerate(template.get("parameters", [])):
            yield f"{pointer}/whatsapp_template/parameters/{index}", text
    for index, button in enumerate(step.get("buttons", [])):
        yield f"/buttons/{index}/text", button["text"]
        if "url" in button:
            yield f"/buttons/{index}/url", button["url"]


def _asked_of_others(step: Raw) -> Iterator[Place]:
    llm, http = step.get("llm") or {}, step.get("http") or {}
    for name in ("system", "prompt"):
        if llm.get(name) is not None:
            yield f"/llm/{name}", llm[name]
    if http:
        yield "/http/url", http["url"]
        yield from ((f"/http/headers/{escape(name)}", text) for name, text in http.get("headers", {}).items())
        yield from _leaves(http.get("body"), "/http/body")
    if (step.get("handoff") or {}).get("reason") is not None:
        yield "/handoff/reason", step["handoff"]["reason"]


def _leaves(body: Any, at: str) -> Iterator[tuple[str, str]]:
    """The strings of a JSON body, which has no languages of its own."""
    if isinstance(body, str):
        yield at, body
    elif isinstance(body, Mapping):
        for name, value in body.items():
            yield from _leaves(value, f"{at}/{escape(name)}")
    elif isinstance(body, list):
        for index, value in enumerate(body):
            yield from _leaves(value, f"{at}/{index}")


def _said_of_answers(step: Raw) -> Iterator[Place]:
    expected = input_of(step)
    if expected.get("error_message") is not None:
        yield "/expected_input/error_message", expected["error_message"]
    for index, rule in enumerate((expected.get("validation") or {}).get("rules", [])):
        yield f"/expected_input/validation/rules/{index}/message", rule["message"]
    if (expected.get("timeout") or {}).get("remind") is not None:
        yield "/expected_input/timeout/remind", expected["timeout"]["remind"]


def by_language(text: Words, at: str) -> Iterator[tuple[str, str]]:
    """The wordings of a text with their pointers."""
    if isinstance(text, str):
        yield at, text
    else:
        yield from ((f"{at}/{language}", words) for language, words in text.items())


def expressions_of(document: Raw) -> Iterator[str]:
    """The source of every expression of a document."""
    yield from _expressions(texts_of(document))
    yield from (condition["if"] for condition in document.get("conditions", []))
    for step in document["steps"]:
        yield from step.get("before", {}).values()
        yield from step.get("set", {}).values()
        yield from (step.get("scenario") or {}).get("inputs", {}).values()
        yield from (condition["if"] for condition in step.get("conditions", []))
        for button in step.get("buttons", []):
            fields = ("show_if", "for_each", "value") if "for_each" in button else ("show_if",)
            yield from (button[name] for name in fields if button.get(name))
        yield from _in_validation(input_of(step).get("validation") or {})


def _in_validation(validation: Raw) -> Iterator[str]:
    yield from (validation[name] for name in ("min", "max") if isinstance(validation.get(name), str))
    yield from (rule["reject_if"] for rule in validation.get("rules", []))


def secrets_of(step: Raw) -> Iterator[tuple[str, str]]:
    """The secrets that a step's request names, each with the pointer of its text."""
    for pointer, text in _asked_of_others(step):
        for at, words in by_language(text, pointer):
            yield from ((at, name) for name in map(secret_in, expressions_in(words)) if name)


def printed_before_work(step: Raw) -> Iterator[str]:
    """The expressions printed when a step is entered: in what it says, and in what it asks of others."""
    for place in (_said(step), _asked_of_others(step)):
        yield from _expressions(place)


def printed_after_work(step: Raw) -> Iterator[str]:
    """Those printed once its action is done: in what it says of answers."""
    return _expressions(_said_of_answers(step))


def _expressions(places: Iterator[Place]) -> Iterator[str]:
    for pointer, text in places:
        for _, words in by_language(text, pointer):
            yield from expressions_in(words)


def expressions_in(words: str) -> Iterator[str]:
    """The sources of the `{{ }}` in a text; none if it cannot be read."""
    try:
        places = expression_places(words) if "{{" in words else []
    except ExpressionError:
        return
    for start, end in places:
        yield words[start + 2 : end - 2].strip()
