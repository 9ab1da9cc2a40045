"""Giving a messenger a file of the library ahead of the messages that show it: what WhatsApp wants."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.credential import Credential
from shared.delivery.account import Account
from shared.delivery.files import CARRY_SECONDS, REFUSED_FOR
from shared.delivery.message import HOLD_SECONDS, bounded
from shared.delivery.sender import Sender
from shared.delivery.transport import AnswerLost, NotReached
from shared.errors import NotFound, Wait
from shared.media.base import MediaFile, PlatformFileId
from shared.media.leases import lease_of_file
from shared.media.library import (
    RENEWED_BEFORE,
    UPLOAD_DAYS,
    account_of,
    name_of,
    version_for,
    way_of,
)
from shared.observability import logger
from shared.platforms.base import Attachment, Delivery, Outcome, Request, Response
from shared.platforms.whatsapp_media import PART
from shared.queueing.backoff import backoff_seconds
from shared.queueing.envelopes import UploadEnvelope

TRIES = 10
"""How often it is tried where a messenger fails: some minutes. Then the next message asks for it anew."""

SECONDS_NEEDED = 60.0
"""Time that bringing a large file may take."""

_HOLD_ALL = (Outcome.BOT_LIMITED, Outcome.CHAT_LIMITED)


class UploadAdapter(Protocol):
    """How a messenger is given a file; pure."""

    def render(self, attachment: Attachment, credential: Credential) -> Request: ...

    def interpret(self, response: Response) -> Delivery: ...


@dataclass(frozen=True, slots=True)
class Uploads:
    """Brings files to messengers; shared by threads.

    Of the `sender` it has the credentials, the holds, the library, and the transport, which must take files
    along.
    """

    sender: Sender
    adapter: UploadAdapter

    def upload(self, work: UploadEnvelope, attempt: int) -> None:
        """Give the messenger the file, unless it has it, or does not want it.

        Raises `Wait` for another try.
        """
        credential = self.sender.credential_of(work.bot_id, work.platform)
        if credential is None or not credential.is_active or way_of(work.platform) != "uploaded":
            return
        file = self.sender.files.names.find(work.media_id)
        if file is None or not _is_wanted(file, credential, self.sender.now()):
            return
        if self._is_refused(credential):
            return
        with self._leased(file, credential, work.trace_id):
            delivery = self._send(file, credential)
        self._settle(delivery, file, credential, attempt)

    def _is_refused(self, credential: Credential) -> bool:
        """Whether nothing is tried with this credential. Raises `Wait` for a bot that is held."""
        hold = self.sender.account_of(credential).hold()
        if hold and not hold.refused:
            raise Wait(bounded((hold.until - self.sender.now()).total_seconds()), hold.reason)
        if self.sender.seconds_left() < SECONDS_NEEDED:
            raise Wait(0, "no time left in this invocation")
        return hold is not None

    @contextmanager
    def _leased(self, file: MediaFile, credential: Credential, owner: str) -> Iterator[None]:
        """Raises `Wait` while another has it in hand."""
        name = lease_of_file(file.id, credential.platform, account_of(credential))
        if not self.sender.files.leases.take(name, owner, CARRY_SECONDS):
            raise Wait(HOLD_SECONDS, "another is bringing the file")
        try:
            yield
        finally:
            self.sender.files.leases.release(name, owner)

    def _send(self, file: MediaFile, credential: Credential) -> Delivery:
        version = version_for(file, credential.platform)
        attachment = Attachment(PART, file.id, version.storage_path, version.content_type, file.file_name)
        try:
            response = self.sender.transport.send(self.adapter.render(attachment, credential))
        except (NotReached, AnswerLost) as fault:
            return Delivery(Outcome.RETRY, reason=f"no answer: {fault}")
        except NotFound:
            return Delivery(Outcome.MEDIA_FAILED, reason="the file is gone")
        return self.adapter.interpret(response)

    def _settle(self, delivery: Delivery, file: MediaFile, credential: Credential, attempt: int) -> None:
        """What came of it, for messages and for other uploads. Raises `Wait`."""
        account = self.sender.account_of(credential)
        match delivery.outcome:
            case Outcome.SENT:
                self._keep(file, credential, delivery.file_ids[0], timedelta(days=UPLOAD_DAYS))
            case Outcome.RETRY:
                _try_again(delivery, file, attempt)
            case Outcome.CREDENTIAL_BAD:
                _refuse(account, delivery)
            case outcome if outcome in _HOLD_ALL:
                seconds = bounded(delivery.retry_after_seconds or HOLD_SECONDS)
                account.hold_back(seconds, delivery.reason)
                raise Wait(seconds, delivery.reason)
            case _:
                logger.info("file refused", extra={"media_id": file.id, "reason": delivery.reason})
                self._keep(file, credential, "", REFUSED_FOR)

    def _keep(self, file: MediaFile, credential: Credential, file_id: str, good_for: timedelta) -> None:
        known = PlatformFileId(file_id, account_of(credential), self.sender.now() + good_for)
        self.sender.files.names.keep_file_id(file.id, credential.platform, known)


def _is_wanted(file: MediaFile, credential: Credential, now: datetime) -> bool:
    """Whether it is the bot's, and its messenger's name of it is none, or will not last."""
    if file.bot_id != credential.bot_id or file.status != "ready" or file.dialog_id:
        return False
    known = name_of(file, credential.platform, account_of(credential), now)
    if known is None or not known.file_id:
        return known is None
    return known.expires_at is not None and known.expires_at - now < RENEWED_BEFORE


def _try_again(delivery: Delivery, file: MediaFile, attempt: int) -> None:
    """Raises `Wait`, unless it was tried often enough."""
    if attempt < TRIES:
        raise Wait(delivery.retry_after_seconds or backoff_seconds(attempt), delivery.reason)
    logger.warning("file not uploaded", extra={"media_id": file.id, "reason": delivery.reason})


def _refuse(account: Account, delivery: Delivery) -> None:
    """Raises `Wait` where it was a credential of yesterday that was refused."""
    if account.was_replaced():
        raise Wait(1.0, "the credential was replaced")
    account.refuse(delivery.reason or delivery.outcome.value)
