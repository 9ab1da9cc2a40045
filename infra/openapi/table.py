"""The table of routes in the README: route → who may → Lambda."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from infra.openapi.routes import admin_routes
from infra.openapi.webhooks import PATHS

BEGIN: Final = "<!-- routes: written by `make openapi` -->"
END: Final = "<!-- end of routes -->"

_HEAD: Final = ("| Lambda | route | methods, and the least role that each takes |", "|---|---|---|")


def table() -> str:
    """The table, as it stands between the marks."""
    return "\n".join((BEGIN, "", *_HEAD, *_webhooks(), *_admin(), "", END))


def with_table(text: str) -> str:
    """The text with the table in the place of the one that it has."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + table() + after


def _webhooks() -> Iterator[str]:
    for path, item in PATHS.items():
        platform = path.split("/")[3] if "/webhook/" in path else "webchat"
        methods = (f"{method.upper()}" for method in item if method != "parameters")
        yield _row(f"webhooks/{platform}", path, methods)


def _admin() -> Iterator[str]:
    key = lambda each: (each.area, each.path)  # noqa: E731
    for (area, path), routes in groupby(sorted(admin_routes(), key=key), key=key):
        yield _row(f"admin/{area}", path, (f"{each.method} {each.role}" for each in routes))


def _row(function: str, path: str, methods: Iterable[str]) -> str:
    return f"| `{function}` | `{path}` | {', '.join(methods)} |"
