"""A bot's main system as the API takes and shows it."""

from __future__ import annotations

import re
import ssl
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from shared.admin_api.fields import ONE_LINE, Draft, View, shaped
from shared.admin_api.hints import masked
from shared.admin_api.problems import pointer
from shared.backend.sync.runs import FACTS
from shared.backend.sync.settings import SECRETS, table_of
from shared.errors import Violation
from shared.storage.bot_settings import StoredSettings

MAX_MAPPED: Final = 200
_MAX_KEY: Final = 16
_MAX_NAME_BYTES: Final = 63
"""Of a name in PostgreSQL."""

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_WORDS: Final = frozenset({"false", "in", "null", "true"})
"""What no name can be behind the dot of `contact.`."""
_SIGNING: Final = re.compile(r"whsec_([A-Za-z0-9+/]+={0,2})", re.ASCII)
_SIGNING_BYTES: Final = range(24, 65)

OF_PERSONS: Final = frozenset({"platform_chat_id", "username"})


def _name(text: str) -> str:
    if len(text.encode()) > _MAX_NAME_BYTES:
        raise ValueError(f"a name has {_MAX_NAME_BYTES} bytes at most")
    return text


def _table(text: str) -> str:
    for part in table_of(text):
        if not part:
            raise ValueError("a table is named schema.table, or by its name alone")
        _name(part)
    return text


def _certificate(pem: str) -> str:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError, TypeError):  # the last of them for what is not ASCII
        raise ValueError("this has to be a certificate in PEM (-----BEGIN CERTIFICATE-----)") from None
    return pem


def _signing_secret(text: str) -> str:
    """One of Standard Webhooks, or one as it is shown."""
    found = _SIGNING.fullmatch(text)
    try:
        is_key = found is not None and len(b64decode(found[1], validate=True)) in _SIGNING_BYTES
    except NotBase64:
        is_key = False
    if not is_key and not text.startswith(masked("")):
        raise ValueError("whsec_ and then the base64 of 24 to 64 bytes")
    return text


def _source(text: str) -> str:
    if text not in FACTS and not _VARIABLE.fullmatch(text):
        raise ValueError(f"this is no name of a variable, and none of {', '.join(sorted(FACTS))}")
    return text


def _field(text: str) -> str:
    if text in _WORDS:
        raise ValueError(f"in scenarios “{text}” is a word of the language")
    return text


def _match_source(text: str) -> str:
    if text not in OF_PERSONS and not _VARIABLE.fullmatch(text):
        raise ValueError("platform_chat_id, username or a variable is needed here")
    return text


Line = Annotated[str, StringConstraints(min_length=1, max_length=1000), ONE_LINE]
Column = Annotated[str, StringConstraints(min_length=1), ONE_LINE, AfterValidator(_name)]
Table = Annotated[str, StringConstraints(min_length=1), ONE_LINE, AfterValidator(_table)]
Key = Annotated[list[Column], Field(min_length=1, max_length=_MAX_KEY)]
Token = Annotated[str, shaped(r"[!-~]{1,2048}|…[!-~]{0,4}", "1 to 2048 visible ASCII characters, no spaces")]
Certificate = Annotated[str, StringConstraints(max_length=100_000), AfterValidator(_certificate)]
Source = Annotated[str, AfterValidator(_source)]
MatchSource = Annotated[str, AfterValidator(_match_source)]
FieldName = Annotated[
    str, shaped(_VARIABLE.pattern, "letters, digits and _, and no digit first"), AfterValidator(_field)
]
FieldType = Literal["string", "integer", "number", "boolean", "date", "list", "map", "any"]


class _SinkSent(Draft):
    """The base of all: `destination` are the fields that say where its secret goes."""

    type: str
    destination: ClassVar[tuple[str, ...]]

    def public(self) -> dict[str, Any]:
        """All but the secret; what is not set is left out."""
        return self.model_dump(exclude={SECRETS[self.type]}, exclude_none=True)

    def secret(self) -> str | None:
        found: str | None = getattr(self, SECRETS[self.type])
        return found

    def goes_where(self, former: Mapping[str, Any]) -> bool:
        """Whether its secret goes where that of the former sink went."""
        mine = self.public()
        return all(mine.get(name) == former.get(name) for name in ("type", *self.destination))


class PostgresSent(_SinkSent):
    """A table of a PostgreSQL database. `key` are the columns that tell its rows apart."""

    destination = ("host", "port", "tls", "ca_certificate")

    type: Literal["postgresql"]
    host: Annotated[Line, StringConstraints(max_length=255)]
    port: Annotated[int, Field(ge=1, le=65_535)] = 5432
    database: Column
    user: Column
    password: Line | None = None
    table: Table
    key: Key
    ca_certificate: Certificate | None = None
    tls: Literal["verify-full", "require"] = "verify-full"


class SupabaseSent(_SinkSent):
    """A table behind PostgREST, as Supabase has it: `url` is the project's."""

    destination = ("url",)

    type: Literal["supabase"]
    url: Line
    service_key: Token | None = None
    table: Table
    key: Key


class WebhookSent(_SinkSent):
    """Whoever takes signed requests. `signing_secret` is made, and shown once, where none is sent."""

    destination = ()

    type: Literal["webhook"]
    url: Line
    signing_secret: Annotated[str, AfterValidator(_signing_secret)] | None = None


class ContactSent(Draft):
    """A person's record: `match` maps columns to what has to stand in them, `fields` those that are read to
    their types.
    """

    table: Table
    match: Annotated[dict[Column, MatchSource], Field(min_length=1, max_length=8)]
    fields: Annotated[dict[FieldName, FieldType], Field(min_length=1, max_length=100)]


class SyncChange(Draft):
    """All of a bot's sync. `mapping` leads from variables, and facts of the run, to columns or fields."""

    server_fields = frozenset({"bot_id", "health", "created_at", "updated_at"})

    sink: Annotated[PostgresSent | SupabaseSent | WebhookSent, Field(discriminator="type")]
    mapping: Annotated[dict[Source, Column], Field(min_length=1, max_length=MAX_MAPPED)]
    contact: ContactSent | None = None

    def violations(self) -> Iterator[Violation]:
        """What the parts do to one another."""
        targets = [*self.mapping.values()]
        for source, target in self.mapping.items():
            if targets.count(target) > 1:
                yield Violation(pointer(["mapping", source]), "Another source leads to the same name.")
        if isinstance(self.sink, WebhookSent):
            if self.contact is not None:
                yield Violation("/contact", "A webhook cannot be asked for a person's record.")
        else:
            for place, column in enumerate(self.sink.key):
                if column not in targets:
                    yield Violation(pointer(["sink", "key", place]), "The mapping does not lead there.")

    def public(self) -> dict[str, Any]:
        """All but the sink's secret."""
        contact = {} if self.contact is None else {"contact": self.contact.model_dump()}
        return {"sink": self.sink.public(), "mapping": self.mapping, **contact}

    def contact_fields(self) -> dict[str, str]:
        return {} if self.contact is None else {**self.contact.fields}


class SyncView(View):
    """A bot's sync. Of its sink's secret only the last characters are shown.

    `health` is what was found when it was last looked at, or what a run has met on its way.
    """

    bot_id: UUID
    sink: dict[str, Any]
    mapping: dict[str, str]
    contact: dict[str, Any] | None = None
    health: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class RefusalView(View):
    """A run that the main system did not take, and why. It is kept for 90 days."""

    id: str
    bot_id: UUID
    dialog_id: UUID
    platform: str
    run: int
    status: str
    reasons: tuple[str, ...]
    refused_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class RedriveView(View):
    """All that was refused until then is tried once more; what is refused again stays in the list."""

    bot_id: UUID
    asked_at: datetime
    trace_id: str


def sync_view_of(stored: StoredSettings) -> SyncView:
    sink = stored.public["sink"]
    secret = SECRETS[sink["type"]]
    return SyncView(
        bot_id=UUID(stored.bot_id),
        sink={**sink, secret: masked(stored.hints[secret])},
        mapping=stored.public["mapping"],
        contact=stored.public.get("contact"),
        health=stored.health,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )
