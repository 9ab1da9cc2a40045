"""Makes every admin app, so that none can be without the door, the problems and the roles."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from mangum import Mangum
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Match
from starlette.types import Scope

from shared.admin_api.api_route import ApiRoute
from shared.admin_api.door import Bound, Door
from shared.admin_api.idempotency import Repetitions
from shared.admin_api.paging import Cursors
from shared.admin_api.principal import Principal
from shared.admin_api.problems import MEDIA_TYPE, Problem, ProblemError, answer_error
from shared.backend.accounts import Memberships
from shared.backend.auth import authentication
from shared.backend.memberships import memberships
from shared.backend.tokens import TokenVerifier
from shared.errors import ParleyError
from shared.settings import AdminSettings
from shared.storage.attempts import DynamoAttempts

_ANSWERED: Final = (ParleyError, ProblemError, RequestValidationError, HTTPException)


@dataclass(frozen=True, slots=True)
class Guard:
    """What tells who is calling and what they may do, and signs what the API gives out."""

    verifier: TokenVerifier
    memberships: Memberships
    signing_key: Callable[[], bytes]

    @classmethod
    def of(cls, settings: AdminSettings) -> Guard:
        known = authentication(settings)
        return cls(known.verifier, memberships(settings), known.signing_key)

    def admit(self, token: str) -> Principal:
        return Principal(self.verifier.verify(token), self.memberships)


def create_app(router: APIRouter, guard: Guard, **collaborators: object) -> FastAPI:
    """An app of the router's routes, behind the door.

    The collaborators are what the routes work with, kept on `app.state` by name. Raises `TypeError`
    for a route that does not say whom it admits, and for one that says two things.
    """
    _require_admissions(router)
    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Door, admit=guard.admit, is_public=_publicity(router), bound=_bounds(router))],
        exception_handlers={**dict.fromkeys(_ANSWERED, answer_error), 405: _answer_405(router)},
    )
    app.router.routes.extend(router.routes)  # included, each would be made a second time at the first request
    own = {
        "cursors": Cursors(guard.signing_key),
        "repetitions": Repetitions(DynamoAttempts(), guard.signing_key),
    }
    for name, collaborator in {**collaborators, **own}.items():
        setattr(app.state, name, collaborator)
    return app


def lambda_handler_of(app: FastAPI) -> Mangum:
    """The app as a Lambda behind an HTTP API."""
    return Mangum(app, lifespan="off", text_mime_types=["application/json", MEDIA_TYPE])


def _answer_405(router: APIRouter) -> Callable[[Request, Exception], Coroutine[Any, Any, Response]]:
    """Names every method of an address, as RFC 9110 wants it; Starlette names those of one route."""

    async def answer(request: Request, _: Exception) -> Response:
        routes = (route for route in router.routes if isinstance(route, ApiRoute))
        here = (route for route in routes if route.matches(request.scope)[0] is not Match.NONE)
        allowed = ", ".join(sorted(method for route in here for method in route.methods or ()))
        return Problem(
            "method-not-allowed", f"This address takes {allowed}.", headers={"Allow": allowed}
        ).answer()

    return answer


def _require_admissions(router: APIRouter) -> None:
    for route in router.routes:
        if not isinstance(route, ApiRoute):
            raise TypeError(f"{route} is not an ApiRoute")
        if not route.admissions:
            raise TypeError(f"{route.methods} {route.path} does not say whom it admits")
        if route.is_public and len(route.admissions) > 1:
            raise TypeError(f"{route.methods} {route.path} is public, and yet asks who is calling")


def _publicity(router: APIRouter) -> Callable[[Scope], bool]:
    """Tells of a request whether its route takes no token."""

    def is_public(scope: Scope) -> bool:
        route = _route_of(router, scope)
        return route is not None and route.is_public

    return is_public


def _bounds(router: APIRouter) -> Callable[[Scope], Bound]:
    """Tells how large a request's body may be, by its route."""

    def bound(scope: Scope) -> Bound:
        route = _route_of(router, scope)
        return ApiRoute.bound if route is None else route.bound

    return bound


def _route_of(router: APIRouter, scope: Scope) -> ApiRoute | None:
    """The route that a request goes to: where several could take it, the first."""
    routes = (route for route in router.routes if isinstance(route, ApiRoute))
    return next((route for route in routes if route.matches(scope)[0] is Match.FULL), None)
