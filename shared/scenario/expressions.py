"""Expressions in a scenario: CEL, statically typed, evaluated by a maintained library.

An expression that cannot be decided (a variable without a value, a failure in evaluation) raises
`Undecided`; what follows from that is the business of the place it stands in.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from cel_expr_python import cel

from shared.scenario import moments, nulls
from shared.scenario.bounds import Work, work_of
from shared.scenario.errors import ExpressionError, Undecided
from shared.scenario.functions import SURROUNDED, TONGUE, ZONE, environment, surrounding
from shared.scenario.mending import mended
from shared.scenario.ordering import in_order, ordered
from shared.scenario.shortcuts import Shortcut, shortcut_of
from shared.scenario.sources import (
    LITERAL,
    RAW_LITERAL,
    Call,
    blanked,
    calls_in,
    chains_in,
    nesting,
    variables_in,
)

__all__ = [
    "BUILTINS",
    "LITERAL",
    "RESERVED_NAMES",
    "VARIABLE_NAME",
    "Environment",
    "Expression",
    "ExpressionError",
    "Undecided",
    "common_type",
    "nesting",
    "nulls",
    "type_of_value",
    "variables_in",
]

VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")

BUILTINS: dict[str, cel.Type] = {
    "user.first_name": cel.Type.STRING,
    "user.last_name": cel.Type.STRING,
    "user.username": cel.Type.STRING,
    "user.language": cel.Type.STRING,
    "bot.name": cel.Type.STRING,
    "contact": cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
    "answered.contact": cel.Type.BOOL,
    "platform": cel.Type.STRING,
    "now": cel.Type.TIMESTAMP,
    "today": cel.Type.TIMESTAMP,
    "random": cel.Type.DOUBLE,
    "input.text": cel.Type.STRING,
    "input.value": cel.Type.DYN,
}
"""Names every expression may use, whatever the scenario declares; `contact` where nobody knows its parts."""

RESERVED_NAMES = frozenset(
    """user bot contact platform now today random input value item index answered label secret
    true false null in as break const continue else for function if import let loop package namespace
    return var void while bool bytes double duration dyn int list map null_type string timestamp type
    uint""".split()
)
"""Names a variable may not have: the language's own, CEL's keywords and CEL's types."""

_HIDDEN = {ZONE: cel.Type.STRING, TONGUE: cel.Type.STRING}
_MISSING = "UNKNOWN: No value with name"
_STATUS = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$")
_IN_QUOTES = re.compile(r'"(?:[^"\\]|\\.)*"?|\): .*|(?<=in map : ).*')
_LABEL = re.compile(r"(?<![\w.])label\s*\(\s*([A-Za-z_]\w*)\s*\)")

_TRIALS = {
    "timestamp": ("timestamp({})",),
    "duration": ("duration({})",),
    "date": ("date({})",),
    "matches": ("''.matches({})",),
    "at": ("at(timestamp(0), {})",),
    "format": ("format(timestamp(0), {})", "format(0, {})"),
}
"""How a constant that stands last in a call is tried out."""


class Needs(msgspec.Struct, frozen=True):
    """What few expressions need beyond the values of their names.

    `hidden` are names handed to their functions, `dynamic` those of their names that have no one type.
    """

    hidden: tuple[str, ...] = ()
    dynamic: tuple[str, ...] = ()
    work: Work | None = None

    def __bool__(self) -> bool:
        return bool(self.hidden or self.dynamic or self.work)

    def meet(self, data: dict[str, Any], value_of: Callable[[str], Any]) -> None:
        """Raises `Undecided` where the values are too much work."""
        for name in self.hidden:
            data[name] = surrounding(name, value_of)
        for name in self.dynamic:
            if isinstance(moment := data.get(name), datetime):
                data[name] = moments.saved(moment)  # the library takes none where the type is open
        if self.work and (refusal := self.work.refusal(data.values())):
            raise Undecided(refusal)


class Expression:
    """One compiled expression. Made by `Environment.compile`; safe to share between threads."""

    __slots__ = ("_needs", "_program", "_shortcut", "names", "source", "type")

    def __init__(
        self,
        source: str,
        program: cel.Expression,
        names: tuple[str, ...],
        *,
        shortcut: Shortcut | None = None,
        needs: Needs | None = None,
    ) -> None:
        self.source = source
        self.names = names
        self.type = program.return_type()
        self._program = program
        self._shortcut = shortcut
        self._needs = needs or None

    def evaluate(self, value_of: Callable[[str], Any]) -> Any:
        """Its plain value. `value_of` raises KeyError for a name without a value."""
        if self._shortcut and (value := self._shortcut.value(value_of)) is not None:
            return value
        data = {}
        for name in self.names:
            try:
                data[name] = value_of(name)
            except KeyError:
                continue
        if self._needs:
            self._needs.meet(data, value_of)
        return self._evaluated(data)

    def _evaluated(self, data: dict[str, Any]) -> Any:
        try:
            result = self._program.eval(data=data)
            value = result.plain_value()
        except (RuntimeError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            raise Undecided(_reason(str(error))) from None
        if result.type() == cel.Type.ERROR:
            message = str(value)
            raise Undecided("" if message.startswith(_MISSING) else _reason(message))
        if isinstance(value, float) and not math.isfinite(value):
            raise Undecided("the result is not a number")
        return in_order(value) if isinstance(value, dict | list) else value


class Environment:
    """The names and types that the expressions of one scenario may use."""

    def __init__(
        self,
        variables: Mapping[str, cel.Type],
        labelled: Iterable[str] = (),
        untyped: Iterable[str] = (),
        names: Mapping[str, cel.Type] | None = None,
        builtins: Mapping[str, cel.Type] = BUILTINS,
    ) -> None:
        """`labelled` are the variables that a button fills, so that `label(x)` has words to give.

        Of those that are still `untyped` one can only ask whether they are answered. `names` mean
        something here only, `builtins` in every scenario of the bot.
        """
        self.variables = dict(variables)
        self._labelled = tuple(labelled)
        self._untyped = tuple(untyped)
        self._names = dict(names or {})
        self._builtins = builtins
        self.types: dict[str, cel.Type] = {
            **builtins,
            **self.variables,
            **{f"answered.{name}": cel.Type.BOOL for name in (*variables, *self._untyped)},
            **{f"label.{name}": cel.Type.STRING for name in self._labelled},
            **self._names,
        }
        self._cel: Any = None
        self._compiled: dict[str, Expression] = {}
        self._narrower: dict[tuple[tuple[str, str], ...], Environment] = {}

    def with_names(self, **types: cel.Type) -> Environment:
        """The same with some names more; one that is asked for again is the same one."""
        key = tuple((name, kind.name()) for name, kind in sorted(types.items()))
        if key not in self._narrower:
            names = self._names | types
            self._narrower[key] = Environment(
                self.variables, self._labelled, self._untyped, names, self._builtins
            )
        return self._narrower[key]

    def has_read(self, family: str) -> bool:
        """Whether an expression compiled so far, here or with names more, reads it or a name below it."""
        read = (name.split(".") for each in self._compiled.values() for name in each.names)
        is_read = any(family in (parts[0], *parts[1:2]) for parts in read)
        return is_read or any(each.has_read(family) for each in self._narrower.values())

    def compile(self, source: str) -> Expression:
        """Raises `ExpressionError`, which names the character and, for the usual slips, the cure."""
        expression = self._compiled.get(source)
        if expression is None:
            expression = self._compiled[source] = self._compile(source)
        return expression

    def _compile(self, source: str) -> Expression:
        text = _with_labels(source)
        try:
            work = work_of(text)
            program = self._mended(ordered(_with_surroundings(text), self._type_of))
        except RuntimeError as error:
            raise self._explained(source, text, error) from None
        self._check_constants(source)
        names = self.names_in(text)
        needs = Needs(
            hidden=tuple({name: None for call in _surrounded(text) for name in SURROUNDED[call.name][1]}),
            dynamic=tuple(name for name in names if self.types[name] == cel.Type.DYN),
            work=work,
        )
        shortcut = None if needs else shortcut_of(text, self.types)
        return Expression(source, program, names, shortcut=shortcut, needs=needs)

    def _program(self, text: str) -> cel.Expression:
        if self._cel is None:
            self._cel = environment(self.types | _HIDDEN)
        return self._cel.compile(text)

    def _mended(self, text: str) -> cel.Expression:
        try:
            return self._program(text)
        except RuntimeError as error:
            program = mended(text, str(error), self._program)
            if program is None:
                raise
            return program

    def _type_of(self, text: str) -> cel.Type | None:
        try:
            return self.types.get(text) or self._mended(text).return_type()
        except RuntimeError:
            return None

    def _explained(self, source: str, text: str, error: RuntimeError) -> ExpressionError:
        """What is wrong, at the character where the author sees it."""
        from shared.scenario.slips import explained  # noqa: PLC0415 (no running scenario needs it)

        try:
            self._program(text)
        except RuntimeError as plain:
            error = plain
        return explained(source, str(error), self.types)

    def _check_constants(self, source: str) -> None:
        """Refuse a constant pattern, time or duration that fails whenever it is evaluated."""
        for call in calls_in(source) if "(" in source else ():
            start, end = call.arguments[-1]
            trials = _TRIALS.get(call.name, ())
            if trials and RAW_LITERAL.fullmatch(source, start, end):
                constant = source[start:end]
                if all(self._fails(trial.format(constant)) for trial in trials):
                    words = source[call.start : call.end + 1]
                    raise ExpressionError(f"“{words}” is wrong, and never has a value", call.start + 1)

    def _fails(self, constant: str) -> bool:
        try:
            failed: bool = self._program(constant).eval(data={}).type() == cel.Type.ERROR
        except RuntimeError:
            return False
        return failed

    def names_in(self, source: str) -> tuple[str, ...]:
        """The declared names that an expression refers to."""
        found = []
        for parts in chains_in(_with_labels(source)):
            found += [name for name in (".".join(parts[:2]), *parts[:1]) if name in self.types][:1]
        return tuple(dict.fromkeys(found))


def _with_labels(source: str) -> str:
    """`label(x)` as the name `label.x`, of the same length so that columns stay true."""
    text = source
    for match in _LABEL.finditer(blanked(source)) if "label" in source else ():
        name = f"label.{match[1]}".ljust(len(match[0]))
        text = text[: match.start()] + name + text[match.end() :]
    return text


def _surrounded(text: str) -> list[Call]:
    """The calls of functions that depend on the time zone or the language."""
    if not any(name in text for name in SURROUNDED):
        return []
    return [
        call
        for call in calls_in(text)
        if not call.is_method and call.name in SURROUNDED and len(call.arguments) == SURROUNDED[call.name][0]
    ]


def _with_surroundings(text: str) -> str:
    """Hand the hidden names to the functions that depend on them: a function knows only its arguments."""
    for call in sorted(_surrounded(text), key=lambda each: each.end, reverse=True):
        hidden = "".join(f", {name}" for name in SURROUNDED[call.name][1])
        text = text[: call.end] + hidden + text[call.end :]
    return text


def type_of_value(value: Any) -> cel.Type:
    """The expression type of a JSON value."""
    match value:
        case bool():
            return cel.Type.BOOL
        case int():
            return cel.Type.INT
        case float():
            return cel.Type.DOUBLE
        case str():
            return cel.Type.STRING
        case list():
            return cel.Type.List(cel.Type.DYN)
        case dict():
            return cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
        case _:
            return cel.Type.DYN


def common_type(types: Iterable[cel.Type]) -> cel.Type:
    """The one type of them all, or dynamic."""
    found = list(types)
    return found[0] if found and all(each == found[0] for each in found) else cel.Type.DYN


def _reason(message: str) -> str:
    """The library's words without any of a person's: they are kept where anybody may read them."""
    line = message.splitlines()[0] if message else ""
    return _IN_QUOTES.sub("…", _STATUS.sub("", line))[:300]
