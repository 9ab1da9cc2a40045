"""The functions that the language adds to CEL's, and its arithmetic of whole and fractional numbers.

What has no value raises ValueError, which makes the expression undecided. The words of an error are for
the history, where anyone may read them: they never repeat a value.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from cel_expr_python import cel

from shared.scenario import moments, ordering
from shared.scenario.printing import in_pattern

_BOOL, _INT, _DOUBLE, _STRING = cel.Type.BOOL, cel.Type.INT, cel.Type.DOUBLE, cel.Type.STRING
_TIMESTAMP, _DURATION, _DYN = cel.Type.TIMESTAMP, cel.Type.DURATION, cel.Type.DYN

ZONE, TONGUE = "bot.zone", "bot.tongue"
"""Hidden names: the time zone that days are of, and the language that the dialog is held in."""

SURROUNDED = {"at": (2, (ZONE,)), "format": (2, (ZONE, TONGUE))}
"""Functions that are told more than an author writes: how many arguments are theirs, and what follows."""

_UNLESS_TOLD = {ZONE: "UTC", TONGUE: "en"}


def surrounding(name: str, value_of: Callable[[str], Any]) -> str:
    """The value of a hidden name, or what it is unless told."""
    try:
        return str(value_of(name))
    except KeyError:
        return _UNLESS_TOLD[name]


_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CLOCK = re.compile(r"\d?\d:\d\d|\d\d:\d\d:\d\d", re.ASCII)
_NO_DAY = "a day is written like 2026-12-31"
_NO_TIME = "a time is written like 09:30"

# --- days and times --------------------------------------------------------------------------------


def _date(text: str) -> datetime:
    if not _DAY.fullmatch(text):
        raise ValueError(_NO_DAY)
    try:
        return moments.day(date.fromisoformat(text))
    except ValueError:
        raise ValueError(_NO_DAY) from None


def _days(number: float) -> timedelta:
    if number != int(number):
        raise ValueError("only whole days can be added")
    return timedelta(days=number)


def _hours(number: float) -> timedelta:
    return timedelta(hours=number)


def _minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def _at(day: datetime, clock: str, zone: str = "UTC") -> datetime:
    """That time on that day, in the zone; one that the clocks leave out is as much later."""
    place = zone_of(zone)
    on = moments.local(day, place).date()
    return moments.point(datetime.combine(on, _time(clock), place))


def _time(clock: str) -> time:
    if not _CLOCK.fullmatch(clock):
        raise ValueError(_NO_TIME)
    try:
        return time.fromisoformat(clock.zfill(5) if len(clock) < len("10:00") else clock)
    except ValueError:
        raise ValueError(_NO_TIME) from None


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name, or UTC where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def _format(value: Any, pattern: str, zone: str = "UTC", tongue: str = "en") -> str:
    return in_pattern(value, pattern, zone_of(zone), tongue)


def _format_text(text: str, pattern: str, zone: str = "UTC", tongue: str = "en") -> str:
    """Lists and answers of other services hold days and points in time as texts."""
    try:
        value = moments.loaded(text)
    except ValueError:
        raise ValueError("this is neither a day nor a time nor a number") from None
    return _format(value, pattern, zone, tongue)


# --- declarations ----------------------------------------------------------------------------------

_Forms = list[tuple[list[cel.Type], cel.Type, Callable[..., Any] | None]]


def _function(name: str, forms: _Forms) -> cel.FunctionDecl:
    return cel.FunctionDecl(
        name,
        [
            cel.Overload(f"parley_{name}_{number}", return_type=result, parameters=parameters, impl=body)
            for number, (parameters, result, body) in enumerate(forms)
        ],
    )


def _with_hidden(name: str, parameters: list[cel.Type], body: Callable[..., Any]) -> _Forms:
    """The form that an author writes, and the one that is evaluated."""
    hidden = [_STRING for _ in SURROUNDED[name][1]]
    return [(parameters, _FORMS_OF[name], body), ([*parameters, *hidden], _FORMS_OF[name], body)]


_FORMS_OF = {"at": _TIMESTAMP, "format": _STRING}

FUNCTIONS = [
    _function("date", [([_STRING], _TIMESTAMP, _date)]),
    _function("days", [([_INT], _DURATION, _days), ([_DOUBLE], _DURATION, _days)]),
    _function("hours", [([_INT], _DURATION, _hours), ([_DOUBLE], _DURATION, _hours)]),
    _function("minutes", [([_INT], _DURATION, _minutes), ([_DOUBLE], _DURATION, _minutes)]),
    _function("at", _with_hidden("at", [_TIMESTAMP, _STRING], _at)),
    _function(
        "format",
        [
            *_with_hidden("format", [_TIMESTAMP, _STRING], _format),
            *_with_hidden("format", [_INT, _STRING], _format),
            *_with_hidden("format", [_DOUBLE, _STRING], _format),
            *_with_hidden("format", [_STRING, _STRING], _format_text),
        ],
    ),
    _function("lower", [([_STRING], _STRING, str.lower)]),
    _function("upper", [([_STRING], _STRING, str.upper)]),
]

# --- numbers ---------------------------------------------------------------------------------------


def _as_fractions(body: Callable[[float, float], float]) -> Callable[[float, float], float]:
    return lambda left, right: body(float(left), float(right))


def _remainder(left: float, right: float) -> float:
    if not right:
        raise ValueError("modulus by zero")
    return math.fmod(left, right)


_MIXED = ([_INT, _DOUBLE], [_DOUBLE, _INT])
_BODIES: Mapping[str, Callable[[float, float], float]] = {
    "_+_": operator.add,
    "_-_": operator.sub,
    "_*_": operator.mul,
    "_/_": operator.truediv,
    "_%_": _remainder,
}
_COMPARISONS = ("_<_", "_<=_", "_>_", "_>=_")
_ORDERED = (_BOOL, _INT, cel.Type.UINT, _DOUBLE, _STRING, cel.Type.BYTES, _TIMESTAMP, _DURATION)
_KEYS = (_STRING, _INT, _BOOL, cel.Type.UINT)

_ARITHMETIC = cel.CelExtension(
    "parley_numbers",
    [
        *(
            _function(
                name,
                [
                    ([left, right], _DOUBLE, _as_fractions(body))
                    for left, right in ([*_MIXED, [_DOUBLE, _DOUBLE]] if name == "_%_" else _MIXED)
                ],
            )
            for name, body in _BODIES.items()
        ),
        *(_function(name, [([*types], _BOOL, None) for types in _MIXED]) for name in ("_==_", "_!=_")),
    ],
)


def _is_in() -> cel.FunctionDecl:
    """`in`, as CEL has it, and for a number of the other kind."""
    lists = [([each, cel.Type.List(each)], _BOOL, None) for each in _ORDERED]
    nested = [
        ([each, cel.Type.List(each)], _BOOL, None)
        for each in (cel.Type.List(_DYN), cel.Type.Map(_DYN, _DYN), cel.Type.NULL)
    ]
    mixed = [([one, cel.Type.List(other)], _BOOL, None) for one, other in _MIXED]
    maps = [([key, cel.Type.Map(key, _DYN)], _BOOL, None) for key in _KEYS]
    return _function("@in", [*lists, *nested, *mixed, *maps])


# The library evaluates these for numbers of both kinds, but its checker lets nobody write them. What is
# declared here therefore stands in place of its own declarations.
_CONFIG = cel.NewEnvConfigFromYaml(
    "\n".join(
        [
            "name: parley",
            "stdlib:",
            "  exclude_functions:",
            *(f'  - name: "{n}"' for n in (*_COMPARISONS, "@in")),
        ]
    )
)
_DECLARED = [
    *FUNCTIONS,
    *ordering.FUNCTIONS,
    _is_in(),
    *(
        _function(
            name,
            [
                ([left, right], _BOOL, None)
                for left, right in [*zip(_ORDERED, _ORDERED, strict=True), *_MIXED]
            ],
        )
        for name in _COMPARISONS
    ),
]


def environment(types: Mapping[str, cel.Type]) -> Any:
    """What compiles expressions over names of these types."""
    return cel.NewEnv(config=_CONFIG, variables=dict(types), extensions=[_ARITHMETIC], functions=_DECLARED)
