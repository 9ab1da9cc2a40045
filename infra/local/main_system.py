"""The demo's main system: what an account has beside its bots. Orders to look up, and a list of its staff."""

import hmac
import html
import json
import secrets
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from infra.local.keeping import kept_port, kept_secret
from infra.local.ports import reserve
from infra.local.serving import Server

ORDERS: Mapping[str, Mapping[str, Any]] = {
    "GG-1041": {"status": "delivered", "dishes": ["Onion soup"], "at": "18:10"},
    "GG-1042": {"status": "on_the_way", "dishes": ["Borscht", "Pelmeni"], "courier": "Karim", "at": "19:40"},
    "GG-1043": {"status": "cooking", "dishes": ["Plum cake"]},
}

TRIAL = "sync.test"
"""The type of a message whose values are made up."""

Answer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Access:
    """Where the main system is, and what it wants to see before it lets somebody in."""

    url: str
    orders_token: str = field(repr=False)
    signing_secret: str = field(repr=False)


class Book:
    """What the main system has been told, kept in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        self.staff: dict[str, dict[str, Any]] = kept.get("staff", {})
        self.complaints: list[dict[str, Any]] = kept.get("complaints", [])

    def enter(self, row: Mapping[str, Any]) -> None:
        """One row a person; what is told of a run half-way, and comes late, changes nothing of its end."""
        number = str(row["number"])
        before = self.staff.get(number, {})
        is_late = before.get("run") == row["run"] and row["status"] == "running"
        if not is_late:
            self.staff[number] = dict(row)
            self._save()

    def complain(self, number: str, complaint: Mapping[str, Any]) -> None:
        self.complaints.append({"order": number, **complaint})
        self._save()

    def _save(self) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps({"staff": self.staff, "complaints": self.complaints}), encoding="utf-8")
        new.replace(self._file)


class MainSystem:
    """Lets a bot look orders up by its token, and takes signed rows of staff."""

    def __init__(self, book: Book, access: Access) -> None:
        self._book = book
        self._authorization = f"Bearer {access.orders_token}"
        self._webhook = Webhook(access.signing_secret)

    @property
    def app(self) -> Starlette:
        routes = [
            Route("/", self._page),
            Route("/orders/{number}", self._for_bots(self._order)),
            Route("/orders/{number}/complaints", self._for_bots(self._complain), methods=["POST"]),
            Route("/staff", self._enter, methods=["POST"]),
        ]
        return Starlette(routes=routes)

    def _for_bots(self, answer: Answer) -> Answer:
        async def guarded(request: Request) -> Response:
            shown = request.headers.get("authorization", "").encode()
            if not hmac.compare_digest(shown, self._authorization.encode()):
                return JSONResponse({"error": "the token is not the one that opens this"}, 401)
            return await answer(request)

        return guarded

    async def _order(self, request: Request) -> Response:
        order = ORDERS.get(request.path_params["number"])
        return JSONResponse(order) if order else JSONResponse({"error": "there is no such order"}, 404)

    async def _complain(self, request: Request) -> Response:
        number = request.path_params["number"]
        if number not in ORDERS:
            return JSONResponse({"error": "there is no such order"}, 404)
        self._book.complain(number, await request.json())
        return JSONResponse({"order": number}, 201)

    async def _enter(self, request: Request) -> Response:
        try:
            told = self._webhook.verify(await request.body(), dict(request.headers))
        except WebhookVerificationError as error:
            return JSONResponse({"error": str(error)}, 401)
        fields = told["data"]["fields"]
        is_of_somebody = fields.get("number") is not None  # else it was broken off early
        if told["type"] != TRIAL and is_of_somebody:
            self._book.enter(fields)
        return Response(status_code=204)

    async def _page(self, _request: Request) -> Response:
        tables = _table("Staff", list(self._book.staff.values())) + _table(
            "Complaints", self._book.complaints
        )
        return HTMLResponse(_PAGE.replace("TABLES", tables))


class RunningMainSystem:
    """The main system on a port of its own; what it knows is kept in a folder."""

    def __init__(self, folder: Path, above: int) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        port = kept_port(folder / "port", above)
        self._book = Book(folder / "book.json")
        self._server = Server("main system", reserve(port))
        self.access = Access(
            url=f"http://127.0.0.1:{port}",
            orders_token=kept_secret(folder / "orders-token", lambda: secrets.token_urlsafe(32)),
            signing_secret=kept_secret(folder / "signing-secret", _signing_secret),
        )

    def start(self) -> None:
        self._server.start(MainSystem(self._book, self.access).app)

    def stop(self) -> None:
        self._server.stop()


def _signing_secret() -> str:
    return f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Main system of the demo</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
  table { border-collapse: collapse; display: block; overflow-x: auto }
  th, td { border: 1px solid #aaa; padding: .3rem .6rem; text-align: left }
</style>
<h1>Main system of the demo</h1>
TABLES
</html>
"""


def _table(title: str, rows: list[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    lines = "".join(f"<tr>{_cells(row, columns)}</tr>" for row in rows)
    body = f"<table><tr>{head}</tr>{lines}</table>" if rows else "<p>Nothing yet.</p>"
    return f"<h2>{html.escape(title)}</h2>{body}"


def _cells(row: Mapping[str, Any], columns: list[str]) -> str:
    shown = ("" if row.get(name) is None else str(row[name]) for name in columns)
    return "".join(f"<td>{html.escape(each)}</td>" for each in shown)
