"""Expressions in a scenario: CEL, statically typed, evaluated by a maintained library.

An expression that cannot be decided (a variable without a value, a failure in evaluation) raises
`Undecided`; what follows from that is the business of the place it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cel_expr_python import cel

VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")

BUILTINS: dict[str, cel.Type] = {
    "user.first_name": cel.Type.STRING,
    "user.last_name": cel.Type.STRING,
    "user.username": cel.Type.STRING,
    "user.language": cel.Type.STRING,
    "bot.name": cel.Type.STRING,
    "platform": cel.Type.STRING,
    "now": cel.Type.TIMESTAMP,
    "random": cel.Type.DOUBLE,
    "input.text": cel.Type.STRING,
    "input.value": cel.Type.DYN,
}
"""Names every expression may use, whatever the scenario declares."""

RESERVED_NAMES = frozenset(
    """user bot contact platform now today random input value item index answered label secret
    true false null in as break const continue else for function if import let loop package namespace
    return var void while bool bytes double duration int list map null_type string timestamp type uint
    dyn any optional has all exists exists_one filter size date days hours at format lower upper
    matches""".split()
)
"""Names a variable may not have: the language's own, CEL's keywords, and CEL's types and macros."""

MAX_NESTING = 30
_MISSING = "UNKNOWN: No value with name"
_LITERALS = re.compile(r"""[rb]{0,2}(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")""", re.IGNORECASE)
_NAMES = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?")
_LABEL = re.compile(r"(?<![\w.])label\(\s*([A-Za-z_]\w*)\s*\)")
_POSITION = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?(.*)")


class Undecided(Exception):
    """The expression has no value now. `reason` is empty when only a variable's value is missing."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


class ExpressionError(Exception):
    """It does not parse or type-check; `column` counts characters from 1."""

    def __init__(self, message: str, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.column = column


class Expression:
    """One compiled expression. Made by `Environment.compile`; safe to share between threads."""

    __slots__ = ("_program", "names", "source", "type")

    def __init__(self, source: str, program: cel.Expression, names: tuple[str, ...]) -> None:
        self.source = source
        self.names = names
        self.type = program.return_type()
        self._program = program

    def evaluate(self, value_of: Callable[[str], Any]) -> Any:
        """Its plain value. `value_of` raises KeyError for a name without a value."""
        data = {}
        for name in self.names:
            try:
                data[name] = value_of(name)
            except KeyError:
                continue
        try:
            result = self._program.eval(data=data)
        except (RuntimeError, TypeError, ValueError) as error:
            raise Undecided(_first_line(str(error))) from error
        if result.type() == cel.Type.ERROR:
            message = str(result.value())
            raise Undecided("" if message.startswith(_MISSING) else _first_line(message))
        return result.plain_value()


class Environment:
    """The names and types that the expressions of one scenario may use."""

    def __init__(self, variables: Mapping[str, cel.Type], labelled: Iterable[str] = ()) -> None:
        """`labelled` are the variables that a button fills, so that `label(x)` has words to give."""
        self.labelled = frozenset(labelled)
        self.types: dict[str, cel.Type] = {
            **BUILTINS,
            **variables,
            **{f"answered.{name}": cel.Type.BOOL for name in variables},
            **{f"label.{name}": cel.Type.STRING for name in self.labelled},
        }
        self._cel = cel.NewEnv(variables=self.types)

    def compile(self, source: str) -> Expression:
        """Raises `ExpressionError`, which names the character and, for the usual slips, the cure."""
        text = _LABEL.sub(r"label.\1", source)
        try:
            program = self._cel.compile(text)
        except RuntimeError as error:
            raise self._explain(source, str(error)) from error
        return Expression(source, program, self._names_in(text))

    def _names_in(self, source: str) -> tuple[str, ...]:
        found = _NAMES.findall(_LITERALS.sub("''", source))
        whole = (name if name in self.types else name.partition(".")[0] for name in found)
        return tuple(dict.fromkeys(name for name in whole if name in self.types))

    def _explain(self, source: str, error: str) -> ExpressionError:
        match = _POSITION.search(error)
        if not match:
            limit = "nesting is limited to 30" if "recursion limit" in error else _first_line(error)
            return ExpressionError(limit)
        line, column = int(match[1]), int(match[2])
        offset = sum(len(part) + 1 for part in source.split("\n")[: line - 1])
        message = hint(source, offset + column - 1) or match[3].replace(" (in container '')", "")
        return ExpressionError(message, offset + column)


def hint(source: str, position: int) -> str:
    """What was probably meant by a usual slip at this character of the source, or nothing."""
    rest = source[position:]
    word = re.match(r"\w+", rest)
    return next(
        (
            cure
            for slip, cure in _SLIPS
            if slip.match(rest) or (word is None and slip.match(source[max(0, position - 1) :]))
        ),
        "",
    )


_SLIPS = [
    (re.compile(r"and\b", re.IGNORECASE), "write && for “and”"),
    (re.compile(r"or\b", re.IGNORECASE), "write || for “or”"),
    (re.compile(r"not\b", re.IGNORECASE), "write ! for “not”"),
    (re.compile(r"True\b|False\b"), "write true and false in small letters"),
    (re.compile(r"None\b"), "write null, or ask answered.name whether a variable has a value"),
    (re.compile(r"=(?!=)"), "write == to compare"),
    (re.compile(r"<>"), "write != for “is not”"),
    (re.compile(r"[“”„«»‘’]"), "write straight quotes: ' or \""),
]


def nesting(source: str) -> int:
    """How deep the brackets of an expression go."""
    depth = deepest = 0
    for character in _LITERALS.sub("", source):
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest


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
        case _:
            return cel.Type.DYN


def common_type(types: Iterable[cel.Type]) -> cel.Type:
    """The one type of them all, or dynamic."""
    found = list(types)
    return found[0] if found and all(each == found[0] for each in found) else cel.Type.DYN


def _first_line(text: str) -> str:
    return text.splitlines()[0][:300] if text else ""
