"""aiogram's models as a second opinion on what Telegram sends and takes: nobody here wrote them."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel


def unknown_to_aiogram(model: BaseModel) -> list[str]:
    """The paths of all fields that the model took along and does not know."""
    return [path.removeprefix(".") for path in _unknown(model, "")]


def _unknown(value: object, path: str) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from (f"{path}.{name}" for name in value.model_extra or ())
        for name in value.model_fields_set & set(type(value).model_fields):
            yield from _unknown(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, list):
        for n, item in enumerate(value):
            yield from _unknown(item, f"{path}[{n}]")
