"""Puts the OpenAPI 3.1 document together: what FastAPI tells of the routes, and what all of them share."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from typing import Final

from fastapi.openapi.utils import get_openapi

from infra.openapi import webhooks
from infra.openapi.components import RESPONSES, Json, components
from infra.openapi.examples import PARAMETERS, REQUESTS
from infra.openapi.routes import PUBLIC, ROOT, SIGNED_IN, Described, admin_routes
from shared.admin_api.idempotency import REPLAYED
from shared.admin_api.versions import AS_KNOWN

_ABOUT: Final = """\
Bots of your accounts, what they are connected to, what they say, and who talks to them.

Errors are problem documents (RFC 9457). What is not yours does not exist (404). A field or a parameter that
is not known is refused (422). Lists come a page at a time: go on with `next_cursor`. An object's `ETag` goes
into `If-Match` to change just that version, and into `If-None-Match` to read it only if it has changed. A
POST with an `Idempotency-Key` is carried out once in 24 hours."""

_TAGS: Final = {
    "bots": "Bots of an account, and the models, systems and secrets that they work with",
    "platforms": "The messengers that a bot is connected to",
    "scenarios": "What a bot says: scenarios, their immutable revisions, trials",
    "dialogs": "Who talks to a bot, what was said, and what came of it",
    "media": "The files that a bot shows",
    "webhooks": "What messengers and the page of the web chat call",
}
_UUID: Final = {"type": "string", "format": "uuid"}
_PLACES: Final[Json] = {
    "platform": {"type": "string", "enum": ["telegram", "whatsapp", "viber", "webchat"]},
    "file_name": {"type": "string"},
    "key": {"type": "string"},
    "name": {"type": "string", "pattern": "^(?!\\.{1,2}$)[A-Za-z0-9_.-]{1,64}$"},
}
"""What may stand in a path; any other place takes an id."""

_MEANINGS: Final = {
    "limit": "How many at most; a page may hold fewer and still have a next one.",
    "cursor": "The `next_cursor` of the page before, with the same filters.",
    "since": "From this moment on.",
    "until": "Before this moment.",
    "order": "Oldest first (`asc`) or newest first.",
    "message_type": "Of whom; may be named several times.",
    "If-Match": "The `ETag` of the version that is meant; 412 if there is another by now.",
}

_DONE: Final = {
    "200": "As asked",
    "201": "Made",
    "202": "On its way",
    "204": "Gone",
}


def build() -> Json:
    """The whole document."""
    described = list(admin_routes())
    document: Json = get_openapi(
        title="Parley",
        version=_version(),
        description=_ABOUT,
        routes=[each.route for each in described],
        servers=[{"url": "/"}],
        tags=[{"name": name, "description": words} for name, words in _TAGS.items()],
    )
    names, tagged = _operation_ids(described), _paths_of_versions(document)
    for each in described:
        operation = document["paths"][each.path][each.method.lower()]
        _complete(operation, each, names[each.key], is_versioned=each.path in tagged)
    document["paths"] |= webhooks.PATHS
    document["security"] = [{"bearer": []}]
    document["components"] = components(document["components"]["schemas"])
    return document


def _version() -> str:
    project: Json = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def _operation_ids(described: Iterable[Described]) -> dict[str, str]:
    """The functions' names; one that serves two addresses is told apart by what the longer one names."""
    described = sorted(described, key=lambda each: len(each.path))
    seen: Counter[str] = Counter()
    found: dict[str, str] = {}
    for each in described:
        name = each.route.name
        found[each.key] = f"{name}_of_{_places(each.path)[-1]}" if seen[name] else name
        seen[name] += 1
    return found


def _paths_of_versions(document: Json) -> set[str]:
    """The addresses of objects that can be changed: a change of theirs takes `If-Match`."""
    return {
        path
        for path, item in document["paths"].items()
        for operation in item.values()
        if any(parameter["name"] == "If-Match" for parameter in operation.get("parameters", ()))
    }


def _complete(operation: Json, each: Described, name: str, *, is_versioned: bool) -> None:
    """All that the routes have in common, and FastAPI therefore does not see in any."""
    reads_versions = is_versioned and each.method == "GET"
    operation |= {"operationId": name, "tags": [each.area], "summary": name.replace("_", " ").capitalize()}
    operation["description"] = _description(operation.get("description", ""), each.role)
    operation["parameters"] = _parameters(operation, each, reads_versions=reads_versions)
    _add_example(operation, name)
    answers = _answers(operation["responses"], each, is_versioned=is_versioned)
    statuses = _problems(operation, each)
    refusals = {str(status): {"$ref": f"#/components/responses/{RESPONSES[status]}"} for status in statuses}
    operation["responses"] = dict(sorted((answers | refusals).items()))
    if each.role == PUBLIC:
        operation["security"] = []


def _description(words: str, role: str) -> str:
    told = {PUBLIC: "Takes no token.", SIGNED_IN: "Takes any good token."}
    return f"{words}\n\n{told.get(role, f'Takes the role `{role}`.')}".strip()


def _places(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


def _parameters(operation: Json, each: Described, *, reads_versions: bool) -> list[Json]:
    given = [_without_null(parameter) for parameter in operation.get("parameters", [])]
    known = {parameter["name"] for parameter in given}
    in_path = [
        {"name": place, "in": "path", "required": True, "schema": _PLACES.get(place, _UUID)}
        for place in _places(each.path)
        if place not in known
    ]
    own = [
        {**_meaning_of(parameter), **parameter, **_example_of(parameter)} for parameter in (*in_path, *given)
    ]
    shared = ["IfNoneMatch"] * reads_versions + ["IdempotencyKey"] * _takes_key(each)
    return own + [{"$ref": f"#/components/parameters/{name}"} for name in shared]


def _without_null(parameter: Json) -> Json:
    """A parameter is there or not; none can be null."""
    schema: Json = dict(parameter["schema"])
    options = [option for option in schema.pop("anyOf", []) if option != {"type": "null"}]
    only = {"anyOf": options} if len(options) > 1 else next(iter(options), {})
    return {**parameter, "schema": {**schema, **only}}


def _meaning_of(parameter: Json) -> Json:
    return {"description": _MEANINGS[parameter["name"]]} if parameter["name"] in _MEANINGS else {}


def _example_of(parameter: Json) -> Json:
    is_known = parameter["in"] == "path" and parameter["name"] in PARAMETERS
    return {"example": PARAMETERS[parameter["name"]]} if is_known else {}


def _takes_key(each: Described) -> bool:
    return each.method == "POST" and each.is_within_an_account


def _add_example(operation: Json, name: str) -> None:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is not None and name in REQUESTS:
        content["examples"] = {"usual": {"value": REQUESTS[name]}}


def _answers(responses: Json, each: Described, *, is_versioned: bool) -> Json:
    """What is answered to who does all right."""
    answers = {status: dict(answer) for status, answer in responses.items() if status < "4"}
    for status, answer in answers.items():
        names = (
            ["Location"] * (status == "201")
            + ["ETag"] * (is_versioned and status == "200")
            + [REPLAYED] * _takes_key(each)
        )
        answer["description"] = _DONE.get(status, answer["description"])
        if names:
            answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    if is_versioned and each.method == "GET":
        answers["304"] = AS_KNOWN[304]
    return answers


def _problems(operation: Json, each: Described) -> set[int]:
    """Every status that the route can refuse with."""
    statuses = {429, 500, 503}
    if each.role != PUBLIC:
        statuses |= {401, 422}
    if _places(each.path) or each.role == SIGNED_IN:
        statuses |= {404}
    if each.role in {"editor", "admin"}:
        statuses |= {403}
    if "requestBody" in operation:
        statuses |= {400, 413}
    if any(parameter.get("name") == "If-Match" for parameter in operation["parameters"]):
        statuses |= {412}
    if each.method != "GET" and each.is_within_an_account:
        statuses |= {409}
    return statuses
