"""Where a bot's main system is, what goes to it of a run, and what is read there of a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

Tls = Literal["verify-full", "require"]


class TableName(NamedTuple):
    """A table of a database."""

    schema: str
    name: str


class _Sink(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """The base of all: with its secret in the clear, for memory only, and never printed."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @property
    def where(self) -> tuple[object, ...]:
        """What tells it from others: rows in one take no place in another."""
        fields = ("host", "port", "database", "url", "table", "key")
        return tuple(getattr(self, name, None) for name in fields)


class PostgresSink(_Sink, frozen=True, kw_only=True, omit_defaults=True, tag="postgresql"):
    """A table of a PostgreSQL database, in which `key` names the row of a run.

    `ca_certificate` (PEM) is trusted in the place of the public authorities. With `tls` of "require" nothing
    is held to a certificate at all.
    """

    host: str
    port: int = 5432
    database: str
    user: str
    password: str
    table: str
    key: tuple[str, ...]
    ca_certificate: str = ""
    tls: Tls = "verify-full"


class SupabaseSink(_Sink, frozen=True, kw_only=True, omit_defaults=True, tag="supabase"):
    """A table behind PostgREST, as Supabase has it at `url`."""

    url: str
    service_key: str
    table: str
    key: tuple[str, ...]


class WebhookSink(_Sink, frozen=True, kw_only=True, omit_defaults=True, tag="webhook"):
    """Whoever takes signed requests at `url`."""

    url: str
    signing_secret: str


Sink = PostgresSink | SupabaseSink | WebhookSink

SECRETS: Mapping[str, str] = {
    "postgresql": "password",
    "supabase": "service_key",
    "webhook": "signing_secret",
}
"""The one field of each type of sink that is kept sealed."""


class ContactLookup(msgspec.Struct, frozen=True, kw_only=True):
    """How a person's record is found beside the sink: `match` maps a column to what has to stand in it.

    That is "platform_chat_id", "username" or a variable. `fields` maps the columns that are read to the
    types that `contact.*` has in scenarios.
    """

    table: str
    match: dict[str, str]
    fields: dict[str, str]


class SyncSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All of a bot's sync. `mapping` leads from a variable, or a fact of the run, to a column or field."""

    sink: Sink
    mapping: dict[str, str]
    contact: ContactLookup | None = None


class CurrentSync(NamedTuple):
    """A bot's sync, and which version of it that is."""

    settings: SyncSettings
    version: datetime


def settings_of(public: Mapping[str, Any], secrets: Mapping[str, str]) -> SyncSettings:
    """The settings as they are kept: their public part, and the sink's secret by the name of its field."""
    return msgspec.convert({**public, "sink": {**public["sink"], **secrets}}, SyncSettings)


def table_of(text: str) -> TableName:
    """`schema.table`, where the first dot parts the two; a table alone is one of `public`."""
    schema, _, name = text.partition(".") if "." in text else ("public", "", text)
    return TableName(schema, name)
