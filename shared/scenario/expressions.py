"""Expressions in a scenario: CEL, statically typed, evaluated by a maintained library.

An expression that cannot be decided (a variable without a value, a failure in evaluation) raises
`Undecided`; what follows from that is the business of the place it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
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
    return var void while bool bytes double duration dyn int list map null_type string timestamp type
    uint""".split()
)
"""Names a variable may not have: the language's own, CEL's keywords and CEL's types."""

MAX_MENDINGS = 20
"""Whole operands of one expression that are made fractional."""

_MISSING = "UNKNOWN: No value with name"
LITERAL = re.compile(
    r"""\'{3} (?: \\. | [^\\] )*? \'{3} | \"{3} (?: \\. | [^\\] )*? \"{3}
    | ' (?: \\. | [^'\\] )* ' | " (?: \\. | [^"\\] )* " """,
    re.DOTALL | re.VERBOSE,
)
"""A text in quotes, in any of CEL's ways to write one."""

_QUOTED = re.compile(rf"(?P<comment>//[^\n]*) | {LITERAL.pattern}", LITERAL.flags)
_CONSTANT = re.compile(
    rf"(?<![\w.]) (?: timestamp | duration ) \s*\(\s* [rR]? (?: {LITERAL.pattern} ) \s*\)"
    rf"| \.\s*matches \s*\(\s* (?P<pattern> [rR]? (?: {LITERAL.pattern} ) ) \s*\)",
    LITERAL.flags,
)
_AROUND_DOT = re.compile(r"\s*\.\s*")
_CHAIN = re.compile(r'(?<![\w.)\]}"])\.?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(\s*\()?')
_LABEL = re.compile(r"(?<![\w.])label\s*\(\s*([A-Za-z_]\w*)\s*\)")
_MIXED = re.compile(
    r"<input>:(\d+):(\d+): found no matching overload for '_(\W+)_' applied to "
    r"'\((int, double|double, int)\)'"
)


class Undecided(Exception):
    """The expression has no value now. `reason` is empty when only a variable's value is missing."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


class ExpressionError(Exception):
    """It does not parse or type-check.

    `column` counts characters from 1; `undeclared` is the name that nothing sets or declares, or "".
    """

    def __init__(self, message: str, column: int = 1, undeclared: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.undeclared = undeclared


class Expression:
    """One compiled expression. Made by `Environment.compile`; safe to share between threads."""

    __slots__ = ("_is_bare", "_program", "names", "source", "type")

    def __init__(
        self, source: str, program: cel.Expression, names: tuple[str, ...], *, is_bare: bool = False
    ) -> None:
        """`is_bare` says that it is one name and nothing else."""
        self.source = source
        self.names = names
        self.type = program.return_type()
        self._program = program
        self._is_bare = is_bare and self.type == cel.Type.STRING

    def evaluate(self, value_of: Callable[[str], Any]) -> Any:
        """Its plain value. `value_of` raises KeyError for a name without a value."""
        data = {}
        for name in self.names:
            try:
                data[name] = value_of(name)
            except KeyError:
                continue
        if self._is_bare and isinstance(text := data.get(self.names[0]), str):
            return text  # what texts are full of: the library would give it back after ten times the time
        try:
            result = self._program.eval(data=data)
            value = result.plain_value()
        except (RuntimeError, TypeError, ValueError, ArithmeticError) as error:
            raise Undecided(_first_line(str(error))) from error
        if result.type() == cel.Type.ERROR:
            message = str(value)
            raise Undecided("" if message.startswith(_MISSING) else _first_line(message))
        return value


class Environment:
    """The names and types that the expressions of one scenario may use."""

    def __init__(
        self,
        variables: Mapping[str, cel.Type],
        labelled: Iterable[str] = (),
        untyped: Iterable[str] = (),
    ) -> None:
        """`labelled` are the variables that a button fills, so that `label(x)` has words to give.

        Of those that are still `untyped` one can only ask whether they are answered.
        """
        self.types: dict[str, cel.Type] = {
            **BUILTINS,
            **variables,
            **{f"answered.{name}": cel.Type.BOOL for name in (*variables, *untyped)},
            **{f"label.{name}": cel.Type.STRING for name in labelled},
        }
        self._cel = cel.NewEnv(variables=self.types)
        self._compiled: dict[str, Expression] = {}

    def compile(self, source: str) -> Expression:
        """Raises `ExpressionError`, which names the character and, for the usual slips, the cure."""
        expression = self._compiled.get(source)
        if expression is None:
            expression = self._compiled[source] = self._compile(source)
        return expression

    def _compile(self, source: str) -> Expression:
        self._check_constants(source)
        text = _with_labels(source)
        try:
            program = self._cel.compile(text)
        except RuntimeError as error:
            program = self._mended(text, str(error))
            if program is None:
                from shared.scenario.slips import explained  # noqa: PLC0415 (no running scenario needs it)

                raise explained(source, str(error), self.types) from error
        return Expression(source, program, self.names_in(source), is_bare=text.strip() in self.types)

    def _check_constants(self, source: str) -> None:
        """Refuse a constant pattern, time or duration that fails whenever it is evaluated."""
        for match in _CONSTANT.finditer(source):
            is_code = _blanked(source)[match.start()] == source[match.start()]
            constant = f"''.matches({match['pattern']})" if match["pattern"] else match[0]
            if is_code and self._fails(constant):
                words = match[0].lstrip(".").strip()
                raise ExpressionError(f"“{words}” is wrong, and never has a value", match.start() + 1)

    def _fails(self, constant: str) -> bool:
        try:
            failed: bool = self._cel.compile(constant).eval(data={}).type() == cel.Type.ERROR
        except RuntimeError:
            return False
        return failed

    def _mended(self, text: str, error: str) -> cel.Expression | None:
        """Compile it with whole numbers made fractional where they meet fractional ones."""
        for _ in range(MAX_MENDINGS):
            mended = _with_fraction(text, error)
            if mended is None:
                return None
            text = mended
            try:
                return self._cel.compile(text)
            except RuntimeError as next_error:
                error = str(next_error)
        return None

    def names_in(self, source: str) -> tuple[str, ...]:
        """The declared names that an expression refers to."""
        found = []
        for parts in _chains(_with_labels(source)):
            found += [name for name in (".".join(parts[:2]), *parts[:1]) if name in self.types][:1]
        return tuple(dict.fromkeys(found))


def _with_labels(source: str) -> str:
    """`label(x)` as the name `label.x`, of the same length so that columns stay true."""
    text = source
    for match in _LABEL.finditer(_blanked(source)):
        name = f"label.{match[1]}".ljust(len(match[0]))
        text = text[: match.start()] + name + text[match.end() :]
    return text


def variables_in(source: str) -> tuple[frozenset[str], frozenset[str]]:
    """The bare names that an expression reads the values of, and those it asks about by `answered.x`."""
    chains = [parts for parts in _chains(source) if parts]
    asked = frozenset(name for family, *names in chains if family == "answered" for name in names[:1])
    return frozenset(parts[0] for parts in chains if parts[0] != "answered"), asked


def _chains(source: str) -> Iterator[list[str]]:
    """The names with dots in an expression, taken apart; the name of a function or method is left out."""
    for match in _CHAIN.finditer(_AROUND_DOT.sub(".", _blanked(source))):
        yield match[1].split(".")[: -1 if match[2] else None]


def offset_of(source: str, line: int, column: int) -> int:
    """A line and a column, both from 1, as characters from the start."""
    before = sum(len(part) + 1 for part in source.split("\n")[: line - 1])
    return min(before + column - 1, max(len(source) - 1, 0))


def _blanked(source: str) -> str:
    """The expression with comments and literals blotted out, so that signs in them count for nothing."""
    return _QUOTED.sub(lambda found: (" " if found["comment"] else '"') * len(found[0]), source)


def _with_fraction(text: str, error: str) -> str | None:
    """Make the whole operand fractional at the operator where a whole meets a fractional number."""
    match = _MIXED.search(error)
    if match is None:
        return None
    flat = _blanked(text)
    at = offset_of(text, int(match[1]), int(match[2]))
    if match[4] == "int, double":
        end = len(flat[:at].rstrip())
        start = _operand_start(flat, end)
    else:
        start = re.compile(r"[\s-]*").match(flat, at + len(match[3])).end()  # type: ignore[union-attr]
        end = _operand_end(flat, start)
    return f"{text[:start]}double({text[start:end]}){text[end:]}" if start < end else None


def _operand_start(flat: str, end: int) -> int:
    """Where the number, name, call or bracket starts that ends at `end`."""
    depth, start = 0, end
    while start and (depth or re.match(r"[\w.)\]]", flat[start - 1])):
        start -= 1
        depth += (flat[start] in ")]") - (flat[start] in "([")
    return start


def _operand_end(flat: str, start: int) -> int:
    """Where the number, name, call or bracket ends that starts at `start`."""
    depth, end = 0, start
    while end < len(flat) and (depth or re.match(r"[\w.(\[]", flat[end])):
        depth += (flat[end] in "([") - (flat[end] in ")]")
        end += 1
    return end


def nesting(source: str) -> int:
    """How deep the brackets of an expression go."""
    depth = deepest = 0
    for character in _blanked(source):
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
