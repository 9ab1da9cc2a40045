"""Bringing files of libraries to messengers, ahead of messages or along with one: the collaborators."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from functions.workers.tasks.collaborators import Collaborators
from shared import aws
from shared.delivery.files import Files
from shared.delivery.reports import Reports
from shared.delivery.sender import Sender
from shared.delivery.uploading import Uploads
from shared.media.library import Library
from shared.media.links import addresses_below
from shared.platforms.whatsapp_media import WhatsAppUploads
from shared.queueing.envelopes import FirstSendEnvelope, UploadEnvelope
from shared.queueing.producer import SqsInbound, SqsTasks
from shared.settings import MediaSettings
from shared.storage.history import DynamoHistory
from shared.storage.holds import DynamoHolds
from shared.storage.leases import DynamoLeases
from shared.storage.media import DynamoMedia
from shared.storage.names import DynamoMessageNames
from shared.tasks.performing import Attempt, Job


def upload_job(collaborators: Collaborators) -> Job:
    """The row for `upload`."""
    sender, settings = _sender(collaborators), collaborators.settings
    uploads = WhatsAppUploads(settings.whatsapp_api_url, settings.whatsapp_api_version)

    def upload(work: UploadEnvelope, attempt: Attempt) -> None:
        Uploads(_within(sender, attempt), uploads).upload(work, attempt.number)

    return Job(upload)


def first_send_job(collaborators: Collaborators) -> Job:
    """The row for `first_send`."""
    sender, fence = _sender(collaborators), collaborators.fence

    def first_send(work: FirstSendEnvelope, attempt: Attempt) -> None:
        if fence.is_gone(work.turn, is_repeat=True):
            return
        _within(sender, attempt).carry(work)

    def hand_back(work: FirstSendEnvelope, _reason: str) -> None:
        sender.hand_back(work)

    return Job(first_send, hand_back)


def _within(sender: Sender, attempt: Attempt) -> Sender:
    return replace(sender, seconds_left=attempt.seconds_left)


def _sender(collaborators: Collaborators) -> Sender:
    """As the sender has it, but for the transport."""
    settings, credentials = collaborators.settings, collaborators.credentials
    now, sqs, files = partial(datetime.now, UTC), aws.client("sqs"), DynamoMedia()
    library = Library(files, addresses_below(MediaSettings.from_environment().media_url), now)
    return Sender(
        history=DynamoHistory(),
        credential_of=credentials.get,
        fresh_credential_of=credentials.refresh,
        adapter_of=collaborators.adapter_of,
        transport=collaborators.transport,
        now=now,
        seconds_left=lambda: 0.0,
        holds=DynamoHolds(),
        names=DynamoMessageNames(),
        findings=Reports(SqsInbound(sqs, settings.inbound_queue_url), collaborators.stored_credentials),
        files=Files(library, files, SqsTasks(sqs, settings.tasks_queue_url), DynamoLeases(), now),
    )
