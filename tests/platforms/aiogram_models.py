"""aiogram's models as a second opinion on what Telegram sends and takes: nobody here wrote them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aiogram import methods
from aiogram.methods import TelegramMethod
from pydantic import BaseModel

from shared.platforms.base import Request

_METHODS: Mapping[str, type[TelegramMethod[Any]]] = {
    method.__api_method__: method
    for method in vars(methods).values()
    if isinstance(method, type) and issubclass(method, TelegramMethod) and method is not TelegramMethod
}


def method_of(request: Request) -> BaseModel:
    """The call as aiogram's own model of its method. Raises where a parameter is not as it must be."""
    return _METHODS[request.url.rpartition("/")[2]].model_validate(request.json)


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
