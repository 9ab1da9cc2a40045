"""Which functions are the stages of which type of input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from shared.dialog.events import MessageReceived
from shared.scenario.inputs import addresses, dates, numbers, phones, texts, things, times
from shared.scenario.inputs.limits import Limits, Surroundings, Unfit


def accept(kind: str, limits: Limits, event: MessageReceived, surroundings: Surroundings) -> Any:
    """The value of an answer, as it is stored. Raises `Unfit` for one that does not fit."""
    stages = _KINDS[kind]
    extracted = stages.extract(event)
    if extracted is None:
        raise Unfit("unsupported" if event.content == "unsupported" else stages.words)
    value = stages.normalise(extracted, limits, surroundings)
    if value is None or not stages.validate(value, limits, surroundings):
        raise Unfit(stages.words)
    return value


def _written(event: MessageReceived) -> str | None:
    return texts.extract(event.text) or None


def _written_or_shared(event: MessageReceived) -> Any:
    return event.contact or _written(event)


def _as_written(text: str, _limits: Limits, _surroundings: Surroundings) -> str:
    return text


def _is_text(value: str, limits: Limits, _surroundings: Surroundings) -> bool:
    return texts.is_text(value, limits)


def _fits(_value: Any, _limits: Limits, _surroundings: Surroundings) -> bool:
    return True


def _nothing(_event: MessageReceived) -> None:
    """Choices are had otherwise, by `choice_typed`; any other answer to such a question does not fit."""


class _Stages(msgspec.Struct, frozen=True):
    """`words` name what the bot says to an answer that does not fit.

    `extract` finds what may be the answer in the event, `normalise` gives it the form in which it is
    stored; both give None where there is none. `validate` holds it against the author's limits.
    """

    words: str
    extract: Callable[[MessageReceived], Any]
    normalise: Callable[[Any, Limits, Surroundings], Any] = _as_written
    validate: Callable[[Any, Limits, Surroundings], bool] = _fits


_KINDS = {
    "text": _Stages("not_text", _written, validate=_is_text),
    "button": _Stages("choose_button", _nothing),
    "buttons": _Stages("choose_buttons", _nothing),
    "number": _Stages("not_number", _written, numbers.number, numbers.is_within),
    "integer": _Stages("not_integer", _written, numbers.integer, numbers.is_within),
    "date": _Stages("not_date", _written, dates.day, dates.is_within),
    "time": _Stages("not_time", _written, times.time_of_day, times.is_within),
    "email": _Stages("not_email", _written, addresses.email),
    "phone": _Stages("not_phone", _written_or_shared, phones.phone),
    "url": _Stages("not_url", _written, addresses.url),
    "location": _Stages("not_location", lambda event: event.place, things.location),
    "contact": _Stages("not_contact", lambda event: event.contact, things.contact),
    "media": _Stages("not_media", lambda event: event if event.file else None, things.media),
    "any": _Stages("not_text", lambda event: event, things.anything),
}
