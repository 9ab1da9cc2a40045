"""What a deployment tells its Lambdas through environment variables.

One struct per kind of Lambda, read once at cold start, so that a missing variable is told by
its name before any message is touched. A field is the variable in lower case; a default makes it
optional. Table names are read by `shared.storage.tables`, the log level by `shared.observability`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Self

import msgspec


class MissingSetting(RuntimeError):
    """A variable the deployment must set is absent or empty; `name` says which."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the environment variable {name} is not set")
        self.name = name


def required(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """The variable's value. Raises `MissingSetting`."""
    value = environ.get(name)
    if not value:
        raise MissingSetting(name)
    return value


class Settings(msgspec.Struct, frozen=True):
    """The base of all: knows how to read itself; every field is a string."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read every field. Raises `MissingSetting` for the first one absent that has no default."""
        values: dict[str, str] = {}
        for field in msgspec.structs.fields(cls):
            name = field.name.upper()
            if field.required:
                values[field.name] = required(name, environ)
            elif environ.get(name):
                values[field.name] = environ[name]
        return cls(**values)


class WebhookSettings(Settings, frozen=True):
    """Where a webhook puts events, receipts if its messenger sends any, and updates it could not read."""

    inbound_queue_url: str
    media_bucket: str
    receipts_queue_url: str = ""


class DialogSettings(Settings, frozen=True):
    """The queues around the dialog worker, what its schedules are made of, and the key of its history.

    Schedules lie in a group, act as a role, and send to `inbound` or, failing that, to a dead-letter queue.
    """

    inbound_queue_url: str
    inbound_dlq_url: str
    outbound_queue_url: str
    delays_queue_url: str
    tasks_queue_url: str
    syncs_queue_url: str
    deletions_queue_url: str
    schedule_group: str
    schedule_role_arn: str
    schedule_target_arn: str
    schedule_dlq_arn: str
    history_key_id: str


class ExportsSettings(Settings, frozen=True):
    """The queues around the worker of exports, and the bucket that keeps the files."""

    exports_queue_url: str
    exports_dlq_url: str
    media_bucket: str


class RelaySettings(Settings, frozen=True):
    """The queues between which the relay passes timers on."""

    delays_queue_url: str
    inbound_queue_url: str


class DeletionSettings(Settings, frozen=True):
    """Where deletions come from and go that cannot be done, and where all those things lie.

    `unparsed_bucket` is the deployment's own, wherever its files are kept.
    """

    deletions_queue_url: str
    deletions_dlq_url: str
    schedule_group: str
    unparsed_bucket: str


class ReceiptsSettings(Settings, frozen=True):
    """Where receipts come from, those go that cannot be put to their message, and what follows from some."""

    inbound_queue_url: str
    outbound_queue_url: str
    receipts_queue_url: str
    receipts_dlq_url: str


class SenderSettings(Settings, frozen=True):
    """The queues around the sender, and the addresses of messengers and of public files."""

    inbound_queue_url: str
    outbound_queue_url: str
    outbound_dlq_url: str
    tasks_queue_url: str
    telegram_api_url: str
    whatsapp_api_url: str
    whatsapp_api_version: str
    viber_api_url: str
    media_url: str = ""


class AdminSettings(Settings, frozen=True):
    """How an admin API knows its callers: HS256 by a secret kept under a name, or the project's JWKS.

    With the tables that every one of them needs, and the project's own table of memberships where the tokens
    carry none: its columns for user, account and role, and what roles are called there.
    """

    bots_table: str
    cache_table: str
    supabase_url: str = ""
    supabase_jwt_secret_name: str = ""
    supabase_service_key_name: str = ""
    memberships_table: str = ""
    memberships_columns: str = "user_id,account_id,role"
    memberships_roles: str = ""


class MessengerSettings(Settings, frozen=True):
    """The messengers' addresses."""

    telegram_api_url: str
    whatsapp_api_url: str
    whatsapp_api_version: str
    viber_api_url: str


class PreviewSettings(MessengerSettings, frozen=True):
    """With the address in front of the public path of a file."""

    media_url: str = ""


class TasksSettings(MessengerSettings, frozen=True):
    """The queues around the worker of what is slow or outside, the key of bots' settings, and whom bots may
    call beside the public. The worker of syncs is told of its own queue under the same name.
    """

    inbound_queue_url: str
    tasks_queue_url: str
    tasks_dlq_url: str
    settings_key_id: str
    private_hosts: str = ""


class ConnectingSettings(MessengerSettings, frozen=True):
    """With this API's own address, where it is not that of API Gateway."""

    public_url: str = ""


class BotsAdminSettings(ConnectingSettings, frozen=True, kw_only=True):
    """With what is behind a bot: its removal, its main system, what it may call, the key of its secrets."""

    deletions_queue_url: str
    syncs_queue_url: str
    settings_key_id: str
    private_hosts: str = ""


class MediaSettings(Settings, frozen=True):
    """Where files are kept: in a bucket of AWS, or of any store that speaks like S3 at its endpoint.

    The credentials of that are "access_key_id:secret" in SSM, under this name. `media_url` is the address
    in front of the public path of a file; empty, it is where the API itself is reached.
    """

    media_bucket: str
    media_endpoint_url: str = ""
    media_region: str = ""
    media_credentials_name: str = ""
    media_url: str = ""
