"""What most expressions are, texts joined or compared, worked out without the library.

It would say the same after several times the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from cel_expr_python import cel

_OPERAND = r"""\s*(?:[A-Za-z_][\w.]*|'[^'\\\n]*'|"[^"\\\n]*")\s*"""
_JOINED = re.compile(rf"{_OPERAND}(?:\+{_OPERAND})*", re.ASCII)
_COMPARED = re.compile(rf"{_OPERAND}[!=]={_OPERAND}", re.ASCII)
_PARTS = re.compile(r"""'[^']*'|"[^"]*"|[\w.]+|==|!=""", re.ASCII)

_ONLY_TEXTS = {str}
_HALF_PAIR = re.compile("[\ud800-\udfff]")


class Shortcut(msgspec.Struct, frozen=True):
    """`operands` are names and constants; `operator` is `+` of several, `==`, `!=`, or "" of one."""

    operator: str
    operands: tuple[str, ...]
    constants: Mapping[str, str]

    def value(self, value_of: Callable[[str], Any]) -> str | bool | None:
        """The expression's value; None unless every name has a text. A name alone gives it as it is."""
        known = self.constants
        try:
            texts = [known[each] if each in known else value_of(each) for each in self.operands]
        except KeyError:
            return None
        if not self.operator:
            return texts[0] if isinstance(texts[0], str) else None
        if {*map(type, texts)} != _ONLY_TEXTS:
            return None
        joined = "".join(texts)
        if not joined.isascii() and _HALF_PAIR.search(joined):
            return None
        if self.operator == "+":
            return joined
        return (texts[0] == texts[1]) is (self.operator == "==")


def shortcut_of(source: str, types: Mapping[str, cel.Type]) -> Shortcut | None:
    """The shortcut of an expression that compiles, if it is of such a kind and every name is of a text."""
    if _COMPARED.fullmatch(source):
        left, operator, right = _PARTS.findall(source)
        operands: tuple[str, ...] = (left, right)
    elif _JOINED.fullmatch(source):
        operands = tuple(_PARTS.findall(source))
        operator = "+" if len(operands) > 1 else ""
    else:
        return None
    constants = {operand: operand[1:-1] for operand in operands if operand[0] in "'\""}
    if all(_is_text(operand, types) for operand in operands if operand not in constants):
        return Shortcut(operator, operands, constants)
    return None


def _is_text(name: str, types: Mapping[str, cel.Type]) -> bool:
    return name in types and types[name] == cel.Type.STRING
