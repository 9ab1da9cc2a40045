"""The layer of values: what names mean in an expression, and what variables hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from shared.dialog.engine.turn import Workspace
from shared.dialog.events import Person
from shared.dialog.sealing import MASK
from shared.scenario import moments
from shared.scenario.caps import MAX_CHOICES_FOR_EACH, MAX_COLLECTED_BYTES, MAX_VALUE_DEPTH
from shared.scenario.compiled import Assignments, CompiledButton
from shared.scenario.compiler import value_key
from shared.scenario.expressions import Expression, Undecided
from shared.scenario.inputs import extract
from shared.scenario.languages import MAX_TAG, preferred
from shared.scenario.texts import Text, printed


class Values(Workspace):
    """`input_text` and `input_value` are the answer; `bound` are names that mean something here only."""

    input_text = ""
    input_value: Any = None
    spoken: tuple[Any, tuple[str, ...]] = (None, ())
    bound: dict[str, Any] = {}  # noqa: RUF012 - never changed, only replaced

    # --- reading ------------------------------------------------------------------------------------

    def value_of(self, name: str) -> Any:
        """The value of a name in an expression. Raises KeyError where it has none."""
        variables = self.variables
        if name in variables:
            value = variables[name]
            return _loaded(value) if name in self.scenario.moments else value
        if known := _NAMES.get(name):
            return known(self)
        if name in self.bound:
            return self.bound[name]
        family, _, variable = name.partition(".")
        if family == "answered":
            return variable in variables
        if family == "label":
            return self._label(variable)
        if family == "contact":
            return self._known_of_person(variable)
        raise KeyError(name)

    def _known_of_person(self, field: str) -> Any:
        value = self.dialog.contact[field]
        return _loaded(value) if self.scenario.contact.get(field) == "date" else value

    @staticmethod
    def as_read(kind: str, value: Any) -> Any:
        """An answer as an expression reads it: a date is a day."""
        return _loaded(value) if kind == "date" else value

    def value_unless_sensitive(self, name: str) -> Any:
        """The value for where others may read it: a sensitive one is masked, and what was said for it."""
        value = self.value_of(name)
        variable = name.removeprefix("label.")
        is_said = self.is_private and name in ("input.text", "input.value")
        is_kept = variable in self.scenario.sensitive and variable in self.variables
        return MASK if is_said or is_kept else value

    def _label(self, variable: str) -> Any:
        """The words of the choice; `label(…)` within them has no value, or it might never end."""
        value = self.variables[variable]
        if isinstance(value, list):
            return ", ".join(self._label_of(variable, each) for each in value)
        return self._label_of(variable, value)

    def _label_of(self, variable: str, value: Any) -> str:
        text = self.scenario.labels.get(variable, {}).get(value_key(value))
        if text is not None:
            return self._label_words_of(text)
        return self._listed_label(variable, value) or printed(value, self.languages()[0])

    def _label_words_of(self, text: Text) -> str:
        return text.show(self._value_without_labels, self.languages(), self.notes)[0].strip()

    def _listed_label(self, variable: str, value: Any) -> str:
        """The words that a choice made from a list has in the list as it is now, or ""."""
        for button in self.scenario.listed.get(variable, ()):
            for made in self.values_listed(button, self._value_without_labels):
                if value_key(made) == value_key(value):
                    return self._label_words_of(button.text)
        return ""

    def _value_without_labels(self, name: str) -> Any:
        if name.startswith("label."):
            raise KeyError(name)
        return self.value_of(name)

    def day(self) -> date:
        """Today, where the dialog is."""
        return self.moment.now.astimezone(zone_of(self.zone())).date()

    def zone(self) -> str:
        """The name of the time zone that days and times of the day are of."""
        return self.scenario.timezone or self.own.timezone or self.dialog.timezone or "UTC"

    def language(self) -> str:
        """The one that the dialog is held in."""
        return self.languages()[0]

    def languages(self) -> tuple[str, ...]:
        """The dialog's language first: its variable, the messenger's, the scenario's default."""
        variables = self.variables  # the same ones say the same, as they are never changed
        if self.spoken[0] is not variables:
            own = variables.get("language") or self.dialog.variables.get("language")
            self.spoken = variables, self._languages_with(own)
        return self.spoken[1]

    def _languages_with(self, own: Any) -> tuple[str, ...]:
        chosen = own[:MAX_TAG] if isinstance(own, str) else ""
        return preferred(chosen, self.dialog.person.language[:MAX_TAG], self.scenario.languages)

    # --- deciding -----------------------------------------------------------------------------------

    def evaluate(self, expression: Expression, value_of: Callable[[str], Any] | None = None) -> Any:
        """Its value, or None where it is not decided."""
        try:
            return expression.evaluate(value_of or self.value_of)
        except Undecided as undecided:
            self._note(expression, undecided)
            return None

    def values_listed(self, button: CompiledButton, value_of: Callable[[str], Any]) -> Iterator[Any]:
        """The values of choices made from a list; while one is looked at, `item` and `index` are its own."""
        items = self.evaluate(button.for_each, value_of) if button.for_each else None
        outside = self.bound
        try:
            for index, item in enumerate(items[:MAX_CHOICES_FOR_EACH] if isinstance(items, list) else ()):
                self.bound = {"item": item, "index": index}
                value = self.evaluate(button.value_of_item, value_of) if button.value_of_item else None
                if value is not None:
                    yield value
        finally:
            self.bound = outside

    def is_true(self, expression: Expression | None) -> bool:
        return self.decide(expression) is True

    def decide(self, expression: Expression | None) -> bool | None:
        """Whether it holds, or None where that is not decided."""
        if expression is None:
            return None
        try:
            value = expression.evaluate(self.value_of)
        except Undecided as undecided:
            self._note(expression, undecided)
            return None
        if isinstance(value, bool):
            return value
        self.notes.append(f"{expression.source}: this must be true or false")
        return None

    def has_values(self, expression: Expression) -> bool:
        """Whether every name in it has a value."""
        for name in expression.names:
            try:
                self.value_of(name)
            except KeyError:
                return False
        return True

    def _note(self, expression: Expression, undecided: Undecided) -> None:
        if undecided.reason:
            self.notes.append(f"{expression.source}: {undecided.reason}")

    # --- writing ------------------------------------------------------------------------------------

    def assign(self, assignments: Assignments) -> None:
        for name, expression in assignments:
            try:
                self.put(name, expression.evaluate(self.value_of))
            except Undecided as undecided:
                self._note(expression, undecided)

    def put(self, name: str, value: Any) -> bool:
        """Give a variable a value, in the form in which it will be saved; null takes its value away.

        Whether it could be stored; otherwise a note says why not.
        """
        variables = dict(self.variables)
        try:
            variables[name] = as_saved(value)
        except (TypeError, ValueError, ArithmeticError) as error:
            self.notes.append(f"“{name}” was not stored: {error}")
            return False
        if name in self.scenario.sensitive:
            self.is_private = True
        if value is None:
            del variables[name]
        if len(msgspec.json.encode(variables)) > MAX_COLLECTED_BYTES:
            self.notes.append(f"“{name}” was not stored: a run collects at most 64 KB")
            return False
        self._keep(name, variables)
        return True

    def forget(self, name: str) -> None:
        """Take a variable's value away."""
        if name in self.variables:
            self._keep(name, {key: value for key, value in self.variables.items() if key != name})

    def _keep(self, name: str, variables: dict[str, Any]) -> None:
        dialog = self.dialog
        if dialog.calls:
            *outer, inner = dialog.calls
            dialog.calls = (*outer, msgspec.structs.replace(inner, variables=variables))
            return
        dialog.variables = variables
        if name in self.scenario.kept:
            kept = {key: value for key, value in dialog.kept.items() if key != name}
            dialog.kept = kept | {key: variables[key] for key in [name] if key in variables}


def as_saved(value: Any, depth: int = 0) -> Any:
    """A value as JSON has it. Raises TypeError, ValueError or ArithmeticError for one it cannot have."""
    match value:
        case str():
            return _characters(value)
        case int():
            return value
        case list() | tuple() | dict() if depth == MAX_VALUE_DEPTH:
            raise ValueError(f"it is nested deeper than {MAX_VALUE_DEPTH} levels")
        case float() if not math.isfinite(value):
            raise ValueError("it is not a number")
        case datetime():
            return moments.saved(value)
        case list() | tuple():
            return [as_saved(each, depth + 1) for each in value]
        case dict():
            keys = sorted(map(_key, value))  # CEL's have no order
            return {_characters(key): as_saved(value[key], depth + 1) for key in keys}
    return msgspec.json.decode(msgspec.json.encode(value, order="deterministic"))


def _characters(text: str) -> str:
    """The text without halves of surrogate pairs, which nothing can save."""
    return text if text.isascii() else text.encode(errors="ignore").decode()


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError("the keys of a map are texts")
    return key


def _loaded(value: Any) -> Any:
    try:
        return moments.loaded(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _known(value: str) -> str:
    """A name the messenger may leave empty has then no value."""
    if not value:
        raise KeyError
    return value


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo:
    """The time zone of that name; UTC where there is none, for a dialog must go on."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC


def _of_person(attribute: str) -> Callable[[Values], str]:
    assert attribute in Person.__struct_fields__  # noqa: S101 (a slip here must fail at import)
    return lambda turn: _known(extract(getattr(turn.dialog.person, attribute)))


_NAMES: dict[str, Callable[[Values], Any]] = {
    "user.first_name": _of_person("first_name"),
    "user.last_name": _of_person("last_name"),
    "user.username": _of_person("username"),
    "user.language": _of_person("language"),
    "bot.name": lambda turn: _known(turn.dialog.bot_name),
    "platform": lambda turn: turn.dialog.platform,
    "now": lambda turn: moments.point(turn.moment.now),
    "today": lambda turn: moments.day(turn.day()),
    "random": lambda turn: turn.moment.random,
    "input.text": lambda turn: turn.input_text,
    "input.value": lambda turn: turn.input_value,
    "answered.contact": lambda turn: bool(turn.dialog.contact),
    "bot.zone": lambda turn: turn.zone(),
    "bot.tongue": lambda turn: turn.language(),
}
