"""What the routes of an app work with, as `create_app` was given it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from fastapi import Request

from shared.errors import NotAccepted, Unavailable

_RETRY_SECONDS: Final = 5


def collaborator(name: str) -> Callable[[Request], Any]:
    """A dependency: the collaborator of that name; of which type, says whoever asks for it."""

    def find(request: Request) -> Any:
        return getattr(request.app.state, name)

    return find


@contextmanager
def handed_to(queue: str) -> Iterator[None]:
    """Around what is put into a queue, named for people. Raises `Unavailable`; then nothing was done."""
    try:
        yield
    except NotAccepted:
        raise Unavailable(queue, _RETRY_SECONDS) from None
