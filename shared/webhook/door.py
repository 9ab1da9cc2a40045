"""A messenger's call, from the raw bytes to the inbound queue."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import msgspec

from shared.credential import Credential
from shared.dialog.events import ConversationStarted
from shared.dialog.ports import InboundQueue, ReceiptQueue
from shared.errors import Invalid, NotFound, UnreadableUpdate
from shared.observability import count, describe, logger
from shared.platforms.base import Parsed, PlatformAdapter, WebhookAnswer
from shared.queueing.envelopes import InboundEnvelope, ReceiptEnvelope
from shared.webhook.body import NotJson, decode
from shared.webhook.gateway import Call, LambdaAnswer, LambdaEvent, at_the_door, read_call, respond
from shared.webhook.intake import seal, seal_receipts, tell
from shared.webhook.proof import Credentials, known, prove
from shared.webhook.unparsed import UnparsedUpdates
from shared.webhook.welcome import Welcome, Welcomer

_TAKEN = WebhookAnswer(200)
_INACTIVE = Parsed(ignored=("inactive",))

Challenge = Callable[[Mapping[str, str], Credential], WebhookAnswer]


def _now() -> datetime:
    return datetime.now(UTC)


def _unread(parsed: Parsed, body: bytes) -> bytes:
    """What of a body could not be read: all of it, where nothing else can be said or written."""
    if parsed.unread is None:
        return body
    try:
        return json.dumps(parsed.unread).encode()
    except RecursionError:
        return body


class Door(msgspec.Struct, frozen=True):
    """One messenger's webhook, its collaborators in hand.

    `challenge` answers a GET by its query (WhatsApp's verification); `welcomer` finds a first message
    for a platform that wants one in the answer (Viber). `receipts` is for those that tell how far a
    message has come.
    """

    adapter: PlatformAdapter
    credentials: Credentials
    inbound: InboundQueue
    unparsed: UnparsedUpdates
    challenge: Challenge | None = None
    welcomer: Welcomer | None = None
    receipts: ReceiptQueue | None = None
    now: Callable[[], datetime] = _now

    def answer(self, event: LambdaEvent) -> LambdaAnswer:
        """Answer API Gateway's event. Never raises."""
        return at_the_door(self._answer, event)

    def _answer(self, event: LambdaEvent) -> LambdaAnswer:
        call = read_call(event)
        credential = known(self.credentials, call.bot_id, self.adapter.platform)
        if call.request.method == "GET":
            return respond(self._challenged(call, credential))
        return respond(self._take_in(call, prove(self.adapter, self.credentials, call, credential)))

    def _challenged(self, call: Call, credential: Credential) -> WebhookAnswer:
        """The platform asks whether this address is ours; a token set a moment ago is read afresh."""
        if self.challenge is None:
            raise NotFound("page")
        answer = self.challenge(call.request.query, credential)
        if answer.status != HTTPStatus.OK:
            fresh = self.credentials.refresh(call.bot_id, self.adapter.platform)
            answer = self.challenge(call.request.query, fresh) if fresh else answer
        return answer

    def _take_in(self, call: Call, credential: Credential) -> WebhookAnswer:
        """An authentic body: whatever is in it, it is taken; what cannot be read is kept."""
        received_at = self.now()
        try:
            parsed = self._parse(call, credential, received_at)
            sealed = seal(parsed.events, call, credential, received_at)
            receipts = seal_receipts(parsed.receipts, call, credential)
        except NotJson:
            raise Invalid("the body is not JSON") from None
        except Exception as error:  # noqa: BLE001 (a parser breaks as it likes, and nothing may be lost)
            self._keep(call, call.request.body, error, received_at)
            return _TAKEN
        if unreadable := (*parsed.unreadable, *sealed.unreadable):
            body = call.request.body if sealed.unreadable else _unread(parsed, call.request.body)
            self._keep(call, body, UnreadableUpdate("; ".join(unreadable)), received_at)
        self._count_ignored(parsed.ignored, call.bot_id)
        self._queue_receipts(receipts)
        return self._queue(parsed, sealed.envelopes, credential)

    def _parse(self, call: Call, credential: Credential, received_at: datetime) -> Parsed:
        payload = decode(call.request.body)
        return self.adapter.parse(payload, credential, received_at) if credential.is_active else _INACTIVE

    def _keep(self, call: Call, body: bytes, error: Exception, received_at: datetime) -> None:
        platform = self.adapter.platform
        key = self.unparsed.keep(platform, call.bot_id, body, received_at)
        about = {"trace_id": call.trace_id, "key": key, **describe(error)}
        logger.error("an update could not be parsed", extra=about)
        count("unparsed_updates", platform=platform, bot_id=call.bot_id)

    def _count_ignored(self, reasons: Iterable[str], bot_id: str) -> None:
        for reason in reasons:
            count("ignored_updates", platform=self.adapter.platform, bot_id=bot_id, reason=reason)

    def _queue_receipts(self, receipts: tuple[ReceiptEnvelope, ...]) -> None:
        if receipts and self.receipts:
            self.receipts.send(receipts)

    def _queue(
        self, parsed: Parsed, envelopes: tuple[InboundEnvelope, ...], credential: Credential
    ) -> WebhookAnswer:
        answer: Mapping[str, Any] | None = parsed.answer
        if parsed.wants_welcome and envelopes:
            answer, opened = self._welcomed(envelopes[0], credential)
            envelopes = (opened, *envelopes[1:])
            if answer is None and parsed.needs_welcome:
                self._count_ignored(("not_welcomed",), opened.bot_id)
                return _TAKEN
        if envelopes:
            self.inbound.send(envelopes)
            tell(envelopes)
        return _TAKEN if answer is None else WebhookAnswer(200, json.dumps(answer, ensure_ascii=False))

    def _welcomed(
        self, opened: InboundEnvelope, credential: Credential
    ) -> tuple[Mapping[str, Any] | None, InboundEnvelope]:
        """The first message, if it can be said here and now; the event goes in with or without it."""
        welcome = self._welcome(opened, credential)
        if welcome is None or not isinstance(opened.event, ConversationStarted):
            return None, opened
        event = msgspec.structs.replace(
            opened.event, welcomed_by=welcome.revision, welcomed_scenario=welcome.scenario_id
        )
        return welcome.answer, msgspec.structs.replace(opened, event=event)

    def _welcome(self, opened: InboundEnvelope, credential: Credential) -> Welcome | None:
        try:
            return self.welcomer.welcome(opened, credential) if self.welcomer else None
        except Exception as error:  # noqa: BLE001 (a courtesy must not cost the event)
            logger.error(
                "a welcome could not be said", extra={"trace_id": opened.trace_id, **describe(error)}
            )
            count("failed_welcomes", platform=opened.platform, bot_id=opened.bot_id)
            return None
