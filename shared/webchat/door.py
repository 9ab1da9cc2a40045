"""The web chat's calls: what a person does, and the list of what was said."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec

from shared.credential import Credential
from shared.dialog.history import HistoryEntry
from shared.dialog.ports import HistoryRepository, InboundQueue, StateRepository
from shared.dialog.state import Dialog, dialog_id_of
from shared.errors import Invalid, TooLarge, Unauthenticated
from shared.observability import count
from shared.platforms.base import WebhookAnswer
from shared.platforms.webchat import (
    PLATFORM,
    ChatCall,
    WebchatAdapter,
    chat_of,
    chat_token,
    language_of,
    new_chat_id,
)
from shared.webchat.listing import PATIENCE, Place, fitting, is_at_work, items_of, open_ask, told
from shared.webchat.origins import admit
from shared.webhook.body import NotJson, decode
from shared.webhook.gateway import Call, LambdaAnswer, LambdaEvent, at_the_door, read_call, respond
from shared.webhook.intake import MAX_EVENT_BYTES, seal, tell
from shared.webhook.proof import Credentials, known, prove

PAGE_SIZE = 200
"""Entries read at once; more than one turn can have."""

_PREFLIGHT = {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-max-age": "600",
}


def _now() -> datetime:
    return datetime.now(UTC)


class ChatDoor(msgspec.Struct, frozen=True):
    """`/api/webhook/webchat/{bot_id}`, its collaborators in hand."""

    adapter: WebchatAdapter
    credentials: Credentials
    inbound: InboundQueue
    dialogs: StateRepository
    history: HistoryRepository
    now: Callable[[], datetime] = _now

    def answer(self, event: LambdaEvent) -> LambdaAnswer:
        """Answer API Gateway's event. Never raises."""
        return at_the_door(self._answer, event)

    def _answer(self, event: LambdaEvent) -> LambdaAnswer:
        call = read_call(event)
        credential = known(self.credentials, call.bot_id, PLATFORM)
        origin = admit(call.request, call.host, credential)
        answer = at_the_door(lambda _: respond(self._act(call, credential)), event)
        return answer | {"headers": answer["headers"] | _headers(origin)}

    def _act(self, call: Call, credential: Credential) -> WebhookAnswer:
        if call.request.method == "OPTIONS":
            return WebhookAnswer(204)
        proved = prove(self.adapter, self.credentials, call, credential)
        chat_id = chat_of(call.request, proved)
        if call.request.method == "GET":
            return self._list(call, _required(chat_id))
        return self._take_in(call, proved, chat_id or new_chat_id())

    def _take_in(self, call: Call, credential: Credential, chat_id: str) -> WebhookAnswer:
        """Queue what the person did; the answer proves the chat from now on."""
        received_at = self.now()
        act = ChatCall(chat_id, uuid4().hex, language_of(call.request), _json(call))
        parsed = self.adapter.parse(act, credential, received_at)
        if credential.is_active:
            envelopes, too_large = seal(parsed.events, call, credential, received_at)
            if too_large:
                raise TooLarge(MAX_EVENT_BYTES)
            self.inbound.send(envelopes)
            tell(envelopes)
        else:
            count("ignored_updates", platform=PLATFORM, bot_id=call.bot_id, reason="inactive")
        return _json_answer(
            {
                "chat_id": chat_id,
                "chat_token": chat_token(credential, chat_id),
                "accepted": credential.is_active,
            }
        )

    def _list(self, call: Call, chat_id: str) -> WebhookAnswer:
        """What was said after `after`; `typing` while more is on its way."""
        given = call.request.query.get("after")
        after = Place.read(given) if given else None
        dialog = self.dialogs.load(dialog_id_of(call.bot_id, PLATFORM, chat_id))
        if dialog is None:
            return _json_answer({"items": [], "typing": False, "open_ask": None})
        return _json_answer(self._listed(dialog, after))

    def _listed(self, dialog: Dialog, after: Place | None) -> dict[str, Any]:
        """A place in an epoch that is over (the dialog was deleted) means: from the beginning."""
        if after is not None and after.epoch != dialog.epoch:
            after = None
        entries = self.history.after(
            dialog.id, dialog.epoch, after.before_its_turn if after else "", PAGE_SIZE
        )
        shown = told(entries, self.now())
        new = [entry for entry in shown.entries if after is None or entry.key > after.key]
        every_item = list(items_of(new))
        items = list(fitting(every_item))
        if new and not items and len(entries) == PAGE_SIZE:
            return self._listed(dialog, Place.read(new[-1].key))
        return {
            "items": items,
            "typing": len(items) < len(every_item)
            or shown.is_typing(self.now())
            or self._is_ahead(dialog, entries)
            or is_at_work(dialog, self.now()),
            "open_ask": open_ask(dialog),
        }

    def _is_ahead(self, dialog: Dialog, entries: list[HistoryEntry]) -> bool:
        """Whether a turn was committed that the history, read a moment later, did not have yet."""
        recorded = entries[-1].turn if entries else 0
        return recorded < dialog.turn and self.now() - dialog.updated_at < PATIENCE


def _required(chat_id: str | None) -> str:
    if chat_id is None:
        raise Unauthenticated("a chat token is needed")
    return chat_id


def _json(call: Call) -> Any:
    try:
        return decode(call.request.body)
    except (NotJson, RecursionError, ValueError):
        raise Invalid("the body is not JSON") from None


def _json_answer(body: Mapping[str, Any]) -> WebhookAnswer:
    return WebhookAnswer(200, json.dumps(body, ensure_ascii=False))


def _headers(origin: str | None) -> dict[str, str]:
    headers = {"cache-control": "no-store", "vary": "Origin"}
    return headers | _PREFLIGHT | {"access-control-allow-origin": origin} if origin else headers
