"""aiogram's models as a second opinion on what Telegram sends and takes: nobody here wrote them.

Its import takes seconds, so it waits for the first test that asks, and all that ask are kept together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from pydantic import BaseModel

from shared.platforms.base import Request


def model_of(name: str) -> type[BaseModel]:
    """aiogram's model of one of Telegram's types."""
    from aiogram import types  # noqa: PLC0415 - see above

    found: type[BaseModel] = getattr(types, name)
    return found


def method_of(request: Request) -> BaseModel:
    """The call as aiogram's own model of its method. Raises where a parameter is not as it must be."""
    return _methods()[request.url.rpartition("/")[2]].model_validate(request.json)


@cache
def _methods() -> Mapping[str, type[BaseModel]]:
    from aiogram import methods  # noqa: PLC0415 - see above

    every = (each for each in vars(methods).values() if isinstance(each, type))
    return {
        each.__api_method__: each
        for each in every
        if issubclass(each, methods.TelegramMethod) and each is not methods.TelegramMethod
    }


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
