"""The route of every admin app: it knows whom it admits, and keeps the conventions that all share."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from shared.admin_api.access import Admission, Public, Reach
from shared.admin_api.door import MAX_BODY_BYTES, Bound
from shared.admin_api.idempotency import HEADER, Repetitions
from shared.admin_api.queries import parameters_of, require_taken
from shared.admin_api.versions import unless_known

Handle = Callable[[Request], Coroutine[Any, Any, Response]]


class ApiRoute(APIRoute):
    """Takes nothing unknown in its query, carries a POST with an `Idempotency-Key` out once, and tells who
    reads again (`If-None-Match`) what has not changed just that.

    A public link may have anything in its query: what it is shown in hangs its own parameters on it.
    """

    bound: ClassVar[Bound] = (MAX_BODY_BYTES, "")

    @property
    def admissions(self) -> list[Admission]:
        """What the route asks of its caller, in the order in which it asks."""
        return [call for call in _calls(self.dependant) if isinstance(call, Admission)]

    @property
    def is_public(self) -> bool:
        return any(isinstance(admission, Public) for admission in self.admissions)

    def get_route_handler(self) -> Handle:
        handle, parameters = super().get_route_handler(), parameters_of(self.dependant)

        async def keep_conventions(request: Request) -> Response:
            if not self.is_public:
                require_taken(request, parameters)
            key = request.headers.get(HEADER)
            once = key is not None and request.method == "POST" and self._reaches
            response = await (self._once(key or "", request, handle) if once else handle(request))
            return unless_known(request, response)

        return keep_conventions

    @property
    def _reaches(self) -> list[Reach[Any]]:
        """What a route asks that concerns an account. Any other changes nothing, and may be repeated."""
        return [admission for admission in self.admissions if isinstance(admission, Reach)]

    async def _once(self, key: str, request: Request, handle: Handle) -> Response:
        """As `handle`, for callers of the route's role: nobody else is told even what was answered once."""
        for reach in self._reaches:
            await run_in_threadpool(reach, request)
        repetitions: Repetitions = request.app.state.repetitions
        return await repetitions.answer(request, key, handle)


def _calls(dependant: Dependant) -> list[object]:
    return [dependant.call, *(call for inner in dependant.dependencies for call in _calls(inner))]
