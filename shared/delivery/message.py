"""The delivery of one message: its requests, what is made in their place, and what every outcome leads to."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

import msgspec

from shared.credential import Credential
from shared.delivery.account import Account
from shared.delivery.collaborators import Collaborators
from shared.delivery.files import Files, goes_as_links, look_again_in
from shared.delivery.holds import Hold
from shared.delivery.transport import AnswerLost, NotReached
from shared.dialog.history import DeliveryRecord, FilesRecord, delivery_id_of
from shared.errors import NotFound, Wait
from shared.media.library import Resolved, Wanted, way_of
from shared.platforms.base import Delivery, Outcome, PlatformAdapter, Rendered, Request
from shared.platforms.formatting import MEDIA_AS_LINKS, SENT_AS_TEMPLATE, SHARE_DROPPED
from shared.queueing.backoff import backoff_seconds
from shared.queueing.envelopes import OutboundEnvelope

MAX_FAILURES = 20
"""Failed tries of one message before it is given up: an hour or more. Waits a messenger asks for are none."""

LONGEST_BACKOFF_SECONDS = 300
LONGEST_WAIT_SECONDS = 12 * 3600
"""SQS hides a message for no longer than this."""

SECONDS_NEEDED = 10.0
"""Time that one request and its record may take; with less left, the rest goes back to the queue."""

SECONDS_NEEDED_TO_CARRY = 60.0
"""As long as that, where the request carries files."""

HOLD_SECONDS = 5.0
"""How long a bot at its limit waits where the messenger does not say."""

SPREAD_SECONDS = 3.0
"""A bot's dialogs come back from a hold within this time, not all at once."""

AWAITS_FILES = "its files are on their way to the messenger"

_TAKEN = (Outcome.SENT, Outcome.ALREADY_SO)
_REFUSED = (Outcome.MEDIA_FAILED, Outcome.BAD_PAYLOAD)
"""For what is in the request. Words that nobody has heard of may be about its files."""

_UNANSWERED = (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)
"""A gateway had no answer from the messenger, which may have acted all the same."""


class MessageDelivery(msgspec.Struct):
    """Sends message `n` of a turn; `write` records how far it has come.

    `carries` says that its transport takes files along; without, such a message is handed over to one that
    does. `is_template` says that only its template may be sent, or was tried. With `links_at` it is the one
    request at that place, made again with the addresses of its files.
    """

    collaborators: Collaborators
    envelope: OutboundEnvelope
    n: int
    credential: Credential
    resolved: Resolved
    write: Callable[[int, DeliveryRecord], None]
    carries: bool = False
    is_template: bool = False
    links_at: int | None = None

    def run(self, record: DeliveryRecord, *, is_recorded: bool) -> Delivery:
        """Make the requests that are still missing; the last outcome, with all of it recorded.

        `is_recorded` says that it was begun by an earlier receive. Raises `Wait`.
        """
        rendered = self._rendered()
        record = _degraded(record, *rendered.degradations)
        missing = self._missing(rendered, record)
        if _has_arrived(record, rendered):
            return self._sent(msgspec.structs.replace(record, message_ids=("",)))
        if self.links_at is not None:
            if not missing:
                return self._not_sent(record, Delivery(Outcome.MEDIA_FAILED, reason=record.reason))
            self._files.keep_refusal(self._named_in(rendered.requests[self.links_at]), self.credential)
        hold = self._account.hold() if missing else None
        if hold:
            return self._heed(hold, record, is_recorded=is_recorded)
        if not self.is_template and self.links_at is None:
            missing, record = self._with_files(missing, record)
        while missing:
            self._expect_death(record, missing[0], is_recorded=is_recorded)
            delivery, record = self._send(record, missing[0])
            if delivery.outcome is Outcome.MEDIA_FAILED and not record.in_doubt:
                self._hear_complaint(missing[0], record, delivery.reason)
            if delivery.outcome in _TAKEN:
                missing = missing[1:]
            elif instead := self._instead(delivery.outcome, missing, record):
                missing, record = instead
            else:
                return self._not_sent(record, delivery)
        return self._sent(record)

    @property
    def _files(self) -> Files:
        return self.collaborators.files

    @property
    def _account(self) -> Account:
        return self.collaborators.account_of(self.credential)

    @property
    def _adapter(self) -> PlatformAdapter:
        return self.collaborators.adapter_of(self.envelope.platform)

    @property
    def _delivery_id(self) -> str:
        return delivery_id_of(self.envelope.dialog_id, self.envelope.epoch, self.envelope.turn, self.n)

    @property
    def _address(self) -> tuple[str, Credential, str]:
        return self.envelope.platform_chat_id, self.credential, self._delivery_id

    def _rendered(self) -> Rendered:
        """The message, or its template where nothing else may be said."""
        message = self.resolved.message
        template = self._adapter.render_template(message, *self._address) if self.is_template else None
        if template is None:
            return self._adapter.render(message, *self._address)
        return Rendered(template.requests, (SENT_AS_TEMPLATE,))

    def _missing(self, rendered: Rendered, record: DeliveryRecord) -> tuple[Request, ...]:
        """The requests still to be made: none, if the one to be made again is another one by now."""
        if self.links_at is None:
            return rendered.requests[len(record.message_ids) :]
        is_as_it_was = len(rendered.requests) == len(record.message_ids) + 1
        instead = rendered.requests[self.links_at].instead if is_as_it_was else None
        return (instead,) if instead else ()

    # ── Holds ──────────────────────────────────────────────────────────────────────────────────────

    def _heed(self, hold: Hold, record: DeliveryRecord, *, is_recorded: bool) -> Delivery:
        """Fail by a credential that is refused; else raise `Wait`, with a record that nothing was begun."""
        refused = Delivery(Outcome.CREDENTIAL_BAD, reason=hold.reason)
        if hold.refused and not self._account.was_replaced():
            self.write(self.n, failed(record, hold.reason))
            return refused
        if not is_recorded:
            self.write(self.n, msgspec.structs.replace(record, reason=hold.reason))
        seconds = 0.0 if hold.refused else (hold.until - self.collaborators.now()).total_seconds()
        raise Wait(bounded(max(seconds, 0.0) + random.random() * SPREAD_SECONDS), hold.reason)  # noqa: S311

    # ── Files of the library ───────────────────────────────────────────────────────────────────────────

    def _with_files(
        self, missing: tuple[Request, ...], record: DeliveryRecord
    ) -> tuple[tuple[Request, ...], DeliveryRecord]:
        """The requests as they can be made now. Raises `Wait` for files that the messenger does not have."""
        if missing and goes_as_links(record, self.resolved, self.collaborators.now()):
            said = tuple(request.instead or request for request in missing)
            return said, _degraded(record, *[MEDIA_AS_LINKS] * (said != missing))
        if self._lacks_files(missing):
            self._await_files(record)
        return missing, record

    def _lacks_files(self, missing: tuple[Request, ...]) -> bool:
        if way_of(self.envelope.platform) == "uploaded":
            return bool(missing and self.resolved.missing)
        return not self.carries and any(request.attachments for request in missing)

    def _await_files(self, record: DeliveryRecord) -> None:
        """Ask for them, and record that nothing else is done until they are there. Raises `Wait`.

        What is handed over is recorded first: then nobody else sends it, whatever becomes of this process.
        """
        now = self.collaborators.now()
        known = record.files or FilesRecord(since=now)
        waits = self._files.ask(self.envelope, self.n, self.credential, self.resolved, known)
        if waits != record.files:
            self.write(self.n, msgspec.structs.replace(record, files=waits, reason=AWAITS_FILES))
        if waits.handed_over_at:
            self._files.hand_over(self.envelope, self.n, waits)
        if record.files is None:
            self.collaborators.show_typing(self.envelope, self.credential)
        raise Wait(look_again_in(now - waits.since), AWAITS_FILES)

    def _hear_complaint(self, request: Request, record: DeliveryRecord, reason: str) -> None:
        """A name that the messenger does not know is asked for anew, once: raises `Wait`.

        What it does not want even so is not offered to it for a while.
        """
        carried = {attachment.media_id for attachment in request.attachments}
        named = self._named_in(request)
        if named and not (record.files and record.files.is_asked_anew):
            self._files.forget(named)
            waits = FilesRecord(since=self.collaborators.now(), is_asked_anew=True)
            self.write(self.n, msgspec.structs.replace(record, files=waits, reason=reason))
            raise Wait(look_again_in(timedelta()), reason)
        brought = [each for each in self.resolved.missing if each.file.id in carried]
        self._files.keep_refusal(brought or named, self.credential)

    def _named_in(self, request: Request) -> list[Wanted]:
        """The files that the request shows by the messenger's own names of them."""
        body = msgspec.json.encode(request.json).decode()
        return [each for each in self.resolved.known if each.file_id in body]

    # ── One request ────────────────────────────────────────────────────────────────────────────────

    def _expect_death(self, record: DeliveryRecord, request: Request, *, is_recorded: bool) -> None:
        """Of a message begun before, nobody will know whether its next request has gone out: say so first.

        (Of one without a record that is known anyway.) Raises `Wait` if there is no time for the request,
        with a record that it has not gone out.
        """
        has_time = self.collaborators.seconds_left() >= _seconds_for(request)
        if record.message_ids or is_recorded or not has_time:
            self.write(self.n, msgspec.structs.replace(record, in_doubt=record.in_doubt or has_time))
        if not has_time:
            raise Wait(0, "no time left in this invocation")

    def _send(self, record: DeliveryRecord, request: Request) -> tuple[Delivery, DeliveryRecord]:
        repeated = msgspec.structs.replace(
            record, possibly_doubled=record.possibly_doubled or record.in_doubt, in_doubt=False
        )
        try:
            response = self.collaborators.transport.send(request)
        except NotReached as fault:
            return Delivery(Outcome.RETRY, reason=f"not reached: {fault}"), record
        except NotFound:
            return Delivery(Outcome.MEDIA_FAILED, reason="the file is gone"), record
        except AnswerLost as fault:
            lost = msgspec.structs.replace(repeated, in_doubt=True)
            # A messenger that gets a file before it answers may never be done in time.
            is_too_slow = record.in_doubt and request.instead is not None
            outcome = Outcome.MEDIA_FAILED if is_too_slow else Outcome.RETRY
            return Delivery(outcome, reason=f"answer lost: {fault}"), lost
        delivery = self._adapter.interpret(response)
        if request.may_be_refused and delivery.outcome in _REFUSED:
            delivery = Delivery(Outcome.ALREADY_SO)
        if delivery.outcome is Outcome.CREDENTIAL_BAD and self._account.was_replaced():
            return Delivery(Outcome.RETRY, reason="the credential was replaced"), repeated
        if delivery.outcome in _TAKEN:
            self._files.keep(self.resolved.missing, request.attachments, delivery.file_ids, self.credential)
            ids = (*repeated.message_ids, delivery.message_id)
            return delivery, msgspec.structs.replace(repeated, message_ids=ids)
        return delivery, msgspec.structs.replace(repeated, in_doubt=response.status in _UNANSWERED)

    def _instead(
        self, outcome: Outcome, missing: tuple[Request, ...], record: DeliveryRecord
    ) -> tuple[tuple[Request, ...], DeliveryRecord] | None:
        """What can be said in place of what could not, with its degradation in the record; or None."""
        if outcome in _REFUSED and missing[0].instead:
            return (missing[0].instead, *missing[1:]), _degraded(record, MEDIA_AS_LINKS)
        if outcome is Outcome.APP_TOO_OLD and missing[0].for_old_apps:
            return (missing[0].for_old_apps, *missing[1:]), _degraded(record, SHARE_DROPPED)
        if outcome is Outcome.WINDOW_CLOSED and not self.is_template:
            self.is_template = True
            template = self._adapter.render_template(self.resolved.message, *self._address)
            return (template.requests, _degraded(record, SENT_AS_TEMPLATE)) if template else None
        return None

    # ── What came of it ────────────────────────────────────────────────────────────────────────────

    def _sent(self, record: DeliveryRecord) -> Delivery:
        """Its names are kept first: of what is recorded nobody would do that any more."""
        sent = {"status": "sent", "reason": "", "in_doubt": False, "not_before": None, "files": None}
        try:
            self._keep_names(record)
        finally:  # a lost name costs receipts, a lost record a second message
            self.write(self.n, msgspec.structs.replace(record, **sent))
        return Delivery(Outcome.SENT)

    def _keep_names(self, record: DeliveryRecord) -> None:
        """For receipts that know no others."""
        if self._adapter.capabilities.receipts_by_message_id:
            for message_id in filter(None, record.message_ids):
                self.collaborators.names.put(
                    self.envelope.bot_id, self.envelope.platform, message_id, self._delivery_id
                )

    def _not_sent(self, record: DeliveryRecord, delivery: Delivery) -> Delivery:
        """Record a failure for good, or the wait for another try and raise it."""
        reason = delivery.reason or delivery.outcome.value
        match delivery.outcome:
            case Outcome.CHAT_LIMITED:
                self._wait(*_limited(record, delivery), reason)
            case Outcome.BOT_LIMITED:
                self._hold_back(*_limited(record, delivery, shortest=HOLD_SECONDS), reason)
            case Outcome.RETRY:
                record = msgspec.structs.replace(record, attempts=record.attempts + 1)
                if record.attempts < MAX_FAILURES:
                    self._wait(record, delivery.retry_after_seconds or _backoff(record.attempts), reason)
            case Outcome.RECIPIENT_GONE:
                self.collaborators.findings.gone(self.envelope, reason, self.collaborators.now())
            case Outcome.CREDENTIAL_BAD:
                self._account.refuse(reason)
        self.write(self.n, failed(record, reason))
        return delivery

    def _wait(self, record: DeliveryRecord, seconds: float, reason: str) -> None:
        """Raises `Wait`."""
        self.write(self.n, msgspec.structs.replace(record, reason=reason))
        raise Wait(bounded(seconds), reason)

    def _hold_back(self, record: DeliveryRecord, seconds: float, reason: str) -> None:
        """Let all dialogs of the bot wait. Raises `Wait`."""
        self.write(self.n, msgspec.structs.replace(record, reason=reason))
        self._account.hold_back(bounded(seconds), reason)
        raise Wait(bounded(seconds), reason)


def _has_arrived(record: DeliveryRecord, rendered: Rendered) -> bool:
    """The answer to the one request was lost, and a receipt says what it would have said."""
    is_one = len(rendered.requests) == 1
    return is_one and record.in_doubt and record.receipt is not None and record.receipt.status != "failed"


def failed(record: DeliveryRecord, reason: str) -> DeliveryRecord:
    return msgspec.structs.replace(record, status="failed", reason=reason, files=None)


def _seconds_for(request: Request) -> float:
    return SECONDS_NEEDED_TO_CARRY if request.attachments else SECONDS_NEEDED


def bounded(seconds: float) -> float:
    """A wait that the queue can keep."""
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)


def _degraded(record: DeliveryRecord, *what: str) -> DeliveryRecord:
    """Each is told once, also of those that an earlier receive has met."""
    told = dict.fromkeys((*record.degradations, *what))
    return msgspec.structs.replace(record, degradations=tuple(told))


def _limited(
    record: DeliveryRecord, delivery: Delivery, *, shortest: float = 0.0
) -> tuple[DeliveryRecord, float]:
    """The record and the wait of what met a limit: as long as its messenger asks, else longer each time."""
    if delivery.retry_after_seconds:
        return record, delivery.retry_after_seconds
    record = msgspec.structs.replace(record, limits=record.limits + 1)
    return record, max(_backoff(record.limits), shortest)


def _backoff(failures: int) -> float:
    return backoff_seconds(failures, longest=LONGEST_BACKOFF_SECONDS)
