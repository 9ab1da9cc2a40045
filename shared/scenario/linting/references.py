"""Whether what a document names exists: steps, files, what tests speak of; and whether ids are told apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from shared.scenario.document import escape
from shared.scenario.fields import CONTACT
from shared.scenario.findings import Finding
from shared.scenario.inputs import comparable
from shared.scenario.linting.places import expressions_of, secrets_of
from shared.scenario.linting.reading import reading
from shared.scenario.linting.steps import Raw, files_of, input_of
from shared.scenario.linting.subject import Subject

_AFTER_END = ("tell", "restart", "ignore")


def check(subject: Subject) -> Iterator[Finding]:
    yield from _doubled(subject)
    for pointer, target in _targets(subject):
        if target not in subject.graph.nodes:
            yield subject.finding("unknown_step", pointer, f"there is no step “{target}”")
    yield from _media(subject)
    yield from _contact(subject)
    yield from _model(subject)
    yield from _secrets(subject)
    yield from _tests(subject)


def _doubled(subject: Subject) -> Iterator[Finding]:
    seen: set[str] = set()
    for at, step in subject.steps():
        if step["id"] in seen:
            yield subject.finding("duplicate_step", f"{at}/id", f"two steps are called “{step['id']}”")
        seen.add(step["id"])


# --- steps -----------------------------------------------------------------------------------------


def _targets(subject: Subject) -> Iterator[tuple[str, str]]:
    """Every place that names a step, reachable or not."""
    document = subject.document
    yield "/start", subject.graph.start
    if document.get("after_end", "tell") not in _AFTER_END:
        yield "/after_end", document["after_end"]
    yield from _of_input(document.get("defaults") or {}, "/defaults")
    for word, command in document.get("commands", {}).items():
        yield from _named(command, f"/commands/{escape(word)}", "next_step")
    yield from _of_conditions(document, "")
    for at, step in subject.steps():
        yield from _of_step(step, at)


def _named(owner: Raw, at: str, *fields: str) -> Iterator[tuple[str, str]]:
    yield from ((f"{at}/{name}", owner[name]) for name in fields if owner.get(name) is not None)


def _of_step(step: Raw, at: str) -> Iterator[tuple[str, str]]:
    yield from _named(step, at, "next_step", "when_empty")
    yield from _of_input(step.get("expected_input") or {}, f"{at}/expected_input")
    for index, button in enumerate(step.get("buttons", [])):
        yield from _named(button, f"{at}/buttons/{index}", "next_step")
    yield from _of_action(step, at)
    yield from _of_conditions(step, at)


def _of_input(expected: Raw, at: str) -> Iterator[tuple[str, str]]:
    yield from _named(expected, at, "on_failure")
    yield from _named(expected.get("timeout") or {}, f"{at}/timeout", "next_step")


def _of_action(step: Raw, at: str) -> Iterator[tuple[str, str]]:
    for name, field in (("llm", "on_error"), ("http", "on_error"), ("handoff", "next_step")):
        yield from _named(step.get(name) or {}, f"{at}/{name}", field)
    routes: Mapping[str, Raw] = (step.get("llm") or {}).get("routes", {})
    for name, route in routes.items():
        yield f"{at}/llm/routes/{escape(name)}/step", route["step"]


def _of_conditions(owner: Raw, at: str) -> Iterator[tuple[str, str]]:
    for index, condition in enumerate(owner.get("conditions", [])):
        yield from _named(condition, f"{at}/conditions/{index}", "then", "else", "after")


# --- files -----------------------------------------------------------------------------------------


def _media(subject: Subject) -> Iterator[Finding]:
    known = subject.library.media
    if known is None:
        return
    for at, media in files_of(subject.document):
        name, file = media["media_id"], known.get(media["media_id"])
        if file is None:
            yield subject.finding("unknown_media", f"{at}/media_id", f"the library has no file “{name}”")
        elif not file.is_ready:
            words = f"the file “{name}” has not arrived yet, or was refused: see it in the library"
            yield subject.finding("media_not_ready", f"{at}/media_id", words)
        elif media.get("type") not in {None, "file", file.file_type}:
            words = f"“{name}” is of type {file.file_type}; it can be shown as that, or as a file"
            yield subject.finding("wrong_media_type", f"{at}/type", words)


# --- people ----------------------------------------------------------------------------------------


def _contact(subject: Subject) -> Iterator[Finding]:
    """What is known of people is read, and nothing ever is; told once."""
    if not subject.compiled.reads_contact or subject.library.contact != {}:
        return
    words = "the bot's sync has no “contact”, so that nothing is known of people and this has no value"
    reading_steps = (at for at, step in subject.steps() if _reads_contact(step))
    yield subject.finding("contact_unset", next(reading_steps, ""), words)


def _reads_contact(step: Raw) -> bool:
    return any("contact" in reading(source).reads for source in expressions_of({"steps": [step]}))


# --- what the bot is set up with -------------------------------------------------------------------


def _model(subject: Subject) -> Iterator[Finding]:
    """A model is asked, and the bot has none; told once."""
    if subject.library.has_model is not False:
        return
    words = "the bot has no language model: set one under /api/bots/{bot_id}/llm"
    asking = (at + place for at, step in subject.steps() for place in _asks_model(step))
    yield from (subject.finding("model_unset", at, words) for at in islice(asking, 1))


def _asks_model(step: Raw) -> Iterator[str]:
    if step.get("llm"):
        yield "/llm"
    if input_of(step).get("understand"):
        yield "/expected_input/understand"


def _secrets(subject: Subject) -> Iterator[Finding]:
    """Secrets that the bot does not have, each told once."""
    if subject.library.secrets is None:
        return
    told = set(subject.library.secrets)
    for at, step in subject.steps():
        for place, name in secrets_of(step):
            if name not in told:
                told.add(name)
                words = f"the bot has no secret “{name}”: put it under /api/bots/{{bot_id}}/secrets"
                yield subject.finding("secret_unset", at + place, words)


# --- tests -----------------------------------------------------------------------------------------


def _tests(subject: Subject) -> Iterator[Finding]:
    for number, test in enumerate(subject.document.get("tests", [])):
        for name in test.get("given", {}):
            if name == CONTACT:
                yield from _record(subject, test["given"][CONTACT], f"/tests/{number}/given/{CONTACT}")
            elif name not in subject.compiled.environment.variables:
                message = f"nothing sets or declares “{name}”"
                yield subject.finding("unknown_in_test", f"/tests/{number}/given/{name}", message)
        for index, turn in enumerate(test["turns"]):
            yield from _turn(subject, turn, f"/tests/{number}/turns/{index}")


def _record(subject: Subject, record: Any, at: str) -> Iterator[Finding]:
    fields = subject.library.contact or {}
    for name in record if fields and isinstance(record, Mapping) else ():
        if name not in fields:
            message = f"“{name}” is no field of the bot's records of people"
            yield subject.finding("unknown_in_test", f"{at}/{escape(name)}", message)


def _turn(subject: Subject, turn: Mapping[str, Any], at: str) -> Iterator[Finding]:
    expected = turn.get("expect")
    named = [("/expect/step", expected.get("step"))] if isinstance(expected, Mapping) else []
    named += [("/give_back", turn["give_back"])] if isinstance(turn.get("give_back"), str) else []
    for place, step_id in named:
        if step_id is not None and step_id not in subject.graph.nodes:
            yield subject.finding("unknown_in_test", f"{at}{place}", f"there is no step “{step_id}”")
    word = (turn.get("send") or "").partition(" ")[0]
    known = [comparable(each) for each in ("/start", *subject.document.get("commands", {}))]
    if word.startswith("/") and comparable(word) not in known:
        yield subject.finding("unknown_in_test", f"{at}/send", f"there is no command “{word}”")
