"""Every route of the admin API, as its code has it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import APIRouter

from shared.admin_api.access import Public, Reach
from shared.admin_api.api_route import ApiRoute
from shared.backend.accounts import Role

ROOT: Final = Path(__file__).parents[2]
PUBLIC: Final = "public"
SIGNED_IN: Final = "any token"


@dataclass(frozen=True, slots=True)
class Described:
    """A route, with the Lambda that has it (the folder in `functions/admin`)."""

    area: str
    method: str
    route: ApiRoute

    @property
    def key(self) -> str:
        """As the template and the gateway name a route."""
        return f"{self.method} {self.path}"

    @property
    def path(self) -> str:
        return self.route.path

    @property
    def role(self) -> str:
        """The least role that the route takes, or who else may come."""
        if any(isinstance(admission, Public) for admission in self.route.admissions):
            return PUBLIC
        roles = [admission.role for admission in self.route.admissions if isinstance(admission, Reach)]
        return Role(max(roles)).name.lower() if roles else SIGNED_IN

    @property
    def is_within_an_account(self) -> bool:
        return self.role not in {PUBLIC, SIGNED_IN}


def areas() -> list[str]:
    """The Lambdas of the admin API."""
    return sorted(path.parent.name for path in (ROOT / "functions" / "admin").glob("*/routes.py"))


def router_of(area: str) -> APIRouter:
    router: APIRouter = importlib.import_module(f"functions.admin.{area}.routes").router
    return router


def admin_routes() -> Iterator[Described]:
    """All of them, a Lambda's after another's, each in the order of its code."""
    for area in areas():
        for route in router_of(area).routes:
            if isinstance(route, ApiRoute):
                yield from (Described(area, method, route) for method in sorted(route.methods or ()))
