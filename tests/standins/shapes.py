"""Checking a decoded JSON value against a documented shape: every field known, every limit kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Check = Callable[[Any, str], None]
"""Raises `Wrong` if the value at the path is not of the shape."""


class Wrong(Exception):
    """`kind` is one of missing, unknown, type, value."""

    def __init__(self, kind: str, path: str, detail: str) -> None:
        super().__init__(f"{path}: {detail}")
        self.kind = kind
        self.path = path
        self.detail = detail


def anything(_value: Any, _path: str) -> None:
    """No rule."""


def text(least: int = 0, most: int | None = None, length: Callable[[str], int] = len) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, str):
            raise Wrong("type", path, "must be a string")
        if length(value) < least or (most is not None and length(value) > most):
            raise Wrong("value", path, f"length {length(value)}, allowed {least} to {most}")

    return check


def number(least: float | None = None, most: float | None = None, *, whole: bool = True) -> Check:
    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            raise Wrong("type", path, "must be a number")
        if (least is not None and value < least) or (most is not None and value > most):
            raise Wrong("value", path, f"{value} is not within {least} to {most}")

    return check


def boolean(value: Any, path: str) -> None:
    if not isinstance(value, bool):
        raise Wrong("type", path, "must be a boolean")


def one_of(*allowed: str) -> Check:
    def check(value: Any, path: str) -> None:
        if value not in allowed:
            raise Wrong("value", path, f"must be one of {', '.join(allowed)}")

    return check


def a_list(of: Check, least: int = 0, most: int | None = None) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise Wrong("type", path, "must be an array")
        if len(value) < least or (most is not None and len(value) > most):
            raise Wrong("value", path, f"{len(value)} items, allowed {least} to {most}")
        for n, item in enumerate(value):
            of(item, f"{path}[{n}]")

    return check


def an_object(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    known = {**required, **(optional or {})}

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise Wrong("type", path, "must be an object")
        for name in value:
            if name not in known:
                raise Wrong("unknown", f"{path}.{name}".lstrip("."), "unexpected key")
        for name in required:
            if name not in value:
                raise Wrong("missing", f"{path}.{name}".lstrip("."), "is required")
        for name, item in value.items():
            known[name](item, f"{path}.{name}".lstrip("."))

    return check


def all_of(*checks: Check) -> Check:
    def check(value: Any, path: str) -> None:
        for each in checks:
            each(value, path)

    return check


def distinct(key: Callable[[Any], object], values: Sequence[Any], path: str) -> None:
    keys = [key(value) for value in values]
    if len(set(keys)) != len(keys):
        raise Wrong("value", path, "must be unique")
