"""The route of every admin app: it knows whom it admits, and keeps the conventions that all share."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from shared.admin_api.access import Admission, Public
from shared.admin_api.versions import unless_known

Handle = Callable[[Request], Coroutine[Any, Any, Response]]


class ApiRoute(APIRoute):
    """Tells who reads again what has not changed (`If-None-Match`) just that."""

    @property
    def admissions(self) -> list[Admission]:
        """What the route asks of its caller, in the order in which it asks."""
        return [call for call in _calls(self.dependant) if isinstance(call, Admission)]

    @property
    def is_public(self) -> bool:
        return any(isinstance(admission, Public) for admission in self.admissions)

    def get_route_handler(self) -> Handle:
        handle = super().get_route_handler()

        async def handle_conditionally(request: Request) -> Response:
            return unless_known(request, await handle(request))

        return handle_conditionally


def _calls(dependant: Dependant) -> list[object]:
    return [dependant.call, *(call for inner in dependant.dependencies for call in _calls(inner))]
