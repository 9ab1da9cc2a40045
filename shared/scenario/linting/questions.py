"""Questions: their choices and limits, how often and how long they are asked; and commands beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from cel_expr_python import cel

from shared.scenario.document import escape
from shared.scenario.expressions import Expression
from shared.scenario.findings import Finding
from shared.scenario.inputs import as_typed, comparable, is_pattern
from shared.scenario.linting.places import by_language
from shared.scenario.linting.steps import (
    Raw,
    choices_of,
    expects_choice,
    input_of,
    is_dynamic,
    may_be_empty,
    setting,
    waits,
)
from shared.scenario.linting.subject import Subject

_START = re.compile(r"/start(?:@\w+)?(?!\S)")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NUMBERS = ("number", "integer")
_CONSTANTS = ("date", "time")
_COUNTS = ("buttons", "media")
_BOUND_TYPES = {
    **dict.fromkeys(_NUMBERS, (cel.Type.INT, cel.Type.DOUBLE, cel.Type.DYN)),
    "date": (cel.Type.TIMESTAMP, cel.Type.STRING, cel.Type.DYN),
    "time": (cel.Type.STRING, cel.Type.DYN),
}


def check(subject: Subject) -> Iterator[Finding]:
    yield from _commands(subject)
    yield from _timeout(subject, (subject.document.get("defaults") or {}).get("timeout"), "/defaults")
    asked = {input_of(step).get("variable") for _, step in subject.steps()}
    for at, step in subject.steps():
        if waits(step):
            yield from _choices(subject, step, at)
            yield from _attempts(subject, step, at)
            yield from _limits(subject, step, at)
            yield from _timeout(subject, input_of(step).get("timeout"), f"{at}/expected_input")
            yield from _understanding(subject, input_of(step), f"{at}/expected_input/understand", asked)


def _understanding(subject: Subject, expected: Raw, at: str, asked: set[str | None]) -> Iterator[Finding]:
    fill = (expected.get("understand") or {}).get("fill", [])
    sensitive = subject.compiled.sensitive
    if fill and (name := expected.get("variable")) in sensitive:
        message = f"“{name}” is sensitive, and no model reads what it receives: nothing is ever filled here"
        yield subject.finding("understand_sensitive", at, message)
        sensitive = frozenset()
    for index, name in enumerate(fill):
        if name not in asked:
            message = f"no question asks for “{name}”, so nothing tells what fits"
            yield subject.finding("fill_unasked", f"{at}/fill/{index}", message)
        if name in sensitive:
            message = f"“{name}” is sensitive, and a model reads the answer that it is looked for in"
            yield subject.finding("understand_sensitive", f"{at}/fill/{index}", message)


# --- commands and choices --------------------------------------------------------------------------


def _commands(subject: Subject) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for word in subject.document.get("commands", {}):
        other = seen.setdefault(comparable(word), word)
        if other != word or _START.match(comparable(word)):
            message = f"“{word}” reads like “{other if other != word else '/start'}”, which comes first"
            yield subject.finding("ambiguous_commands", f"/commands/{escape(word)}", message)


def _choices(subject: Subject, step: Raw, at: str) -> Iterator[Finding]:
    if expects_choice(step) and not choices_of(step):
        message = "a button is expected, and there is none"
        yield subject.finding("no_buttons", f"{at}/expected_input", message)
    elif may_be_empty(step) and not step.get("when_empty"):
        message = "every choice may be hidden; say in when_empty where to go if none is left"
        yield subject.finding("when_empty_missing", at, message)
    fixed = [(f"{at}/buttons/{i}", button) for i, button in choices_of(step) if not is_dynamic(button)]
    for words_of in (_labels, _value):
        yield from _alike(subject, fixed, words_of)
    yield from _like_commands(subject, fixed)
    if input_of(step)["type"] == "buttons":
        yield from _like_done(subject, fixed)


def _alike(
    subject: Subject, choices: list[tuple[str, Raw]], words_of: Callable[[Raw], set[str]]
) -> Iterator[Finding]:
    """Choices that a person cannot tell apart by typing; two conditional ones may never meet."""
    seen: dict[str, Raw] = {}
    for pointer, button in choices:
        for words in sorted(words_of(button)):
            other = seen.setdefault(words, button)
            if other is not button and not (other.get("show_if") and button.get("show_if")):
                message = f"a person who types “{words}” could mean two of these choices"
                yield subject.finding("ambiguous_choices", pointer, message)


def _like_commands(subject: Subject, choices: list[tuple[str, Raw]]) -> Iterator[Finding]:
    commands = {comparable(word): word for word in subject.document.get("commands", {})}
    for pointer, button in choices:
        for words in sorted(_labels(button) | _value(button)):
            if words in commands or _START.match(words):
                message = f"this choice reads like the command {commands.get(words, '/start')}"
                yield subject.finding("choice_is_command", pointer, message)


def _like_done(subject: Subject, choices: list[tuple[str, Raw]]) -> Iterator[Finding]:
    finishing = {comparable(words) for words in _done(subject)}
    for pointer, button in choices:
        for words in sorted(_labels(button) & finishing):
            message = f"a person who types “{words}” could mean the button that finishes the choice"
            yield subject.finding("choice_is_done", pointer, message)


def _done(subject: Subject) -> set[str]:
    """What the button that finishes reads, in the languages that a dialog may be held in."""
    done, languages = subject.compiled.fallbacks["done"], subject.compiled.languages
    nothing: dict[str, Any] = {}
    shown = {done.show(nothing.__getitem__, (each, *languages), [])[0] for each in languages}
    return shown.intersection(done.words) if languages else set(done.words)


def _labels(button: Raw) -> set[str]:
    return {comparable(words) for _, words in by_language(button["text"], "") if "{{" not in words}


def _value(button: Raw) -> set[str]:
    return {comparable(as_typed(button["value"]))}


# --- how often and how long ------------------------------------------------------------------------


def _attempts(subject: Subject, step: Raw, at: str) -> Iterator[Finding]:
    attempts, is_own = setting(subject.document, step, "max_attempts")
    if attempts and not setting(subject.document, step, "on_failure")[0]:
        pointer = f"{at}/expected_input/max_attempts" if is_own else "/defaults/max_attempts"
        message = "max_attempts needs on_failure: the step to go to then"
        yield subject.finding("on_failure_missing", pointer, message)


def _timeout(subject: Subject, timeout: Raw | None, at: str) -> Iterator[Finding]:
    if timeout and timeout.get("remind") is None:
        for name in ("every", "times"):
            if timeout.get(name) is not None:
                message = f"“{name}” is of reminders; say in remind what they are"
                yield subject.finding("remind_missing", f"{at}/timeout/{name}", message)


# --- limits ----------------------------------------------------------------------------------------


def _limits(subject: Subject, step: Raw, at: str) -> Iterator[Finding]:
    expected, at = input_of(step), f"{at}/expected_input/validation"
    limits: Raw = expected.get("validation") or {}
    if limits.get("pattern") is not None and not is_pattern(limits["pattern"]):
        yield subject.finding("bad_pattern", f"{at}/pattern", "this is not a regular expression (RE2)")
    least, most = limits.get("min_length"), limits.get("max_length")
    if least is not None and most is not None and least > most:
        yield subject.finding("bad_range", at, "min_length is more than max_length")
    kind, compiled = expected["type"], subject.compiled.steps[step["id"]].input
    for name in ("min", "max"):
        found = getattr(compiled.limits, name) if compiled else None
        if limits.get(name) is not None and (message := _wrong(kind, limits[name], found)):
            yield subject.finding("bad_limit", f"{at}/{name}", message)
    yield from _range(subject, step, limits, at)


def _wrong(kind: str, written: Any, compiled: Any) -> str:
    """What is wrong with `min` or `max`; an expression has been compiled, or its error been told."""
    if isinstance(compiled, Expression):
        return "" if compiled.type in _BOUND_TYPES[kind] else f"this is not {_article(kind)}"
    if kind in _CONSTANTS:
        is_known = compiled is None or _constant(kind, written) is not None
        return "" if is_known else f"this is not {_article(kind)}, like {_LIKE[kind]}"
    if kind in _COUNTS and (not isinstance(written, int) or written < 0):
        return "this is not a whole number"
    return ""


_LIKE = {"date": "2026-12-31", "time": "18:30"}


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _constant(kind: str, written: Any) -> Any:
    """A limit as something to compare, or None if it is no constant of its kind."""
    if kind in (*_NUMBERS, *_COUNTS):
        return written if isinstance(written, int | float) else None
    if kind == "time":
        return written if isinstance(written, str) and _TIME.fullmatch(written) else None
    try:
        return date.fromisoformat(written) if _DAY.fullmatch(str(written)) else None
    except ValueError:
        return None


def _range(subject: Subject, step: Raw, limits: Raw, at: str) -> Iterator[Finding]:
    kind = input_of(step)["type"]
    least, most = _constant(kind, limits.get("min")), _constant(kind, limits.get("max"))
    if least is not None and most is not None and least > most:
        yield subject.finding("bad_range", at, "min is more than max")
    choices = [button for _, button in choices_of(step) if not button.get("next_step")]
    if kind != "buttons" or any(map(is_dynamic, choices)):
        return
    for name, limit in (("min", least), ("max", most)):
        if isinstance(limit, int) and limit > len(choices):
            message = f"{name} is {limit}, and there are {len(choices)} choices to take"
            yield subject.finding("bad_range", f"{at}/{name}", message)
