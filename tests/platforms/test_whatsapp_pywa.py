"""Our samples of what WhatsApp posts, read by pywa: nobody here wrote it, and it reads them as we do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pywa import errors, handlers
from pywa.client import WhatsApp
from pywa.types.callback import CallbackButton, CallbackSelection
from pywa.types.message import Message
from pywa.types.message_status import MessageStatus

from shared.dialog.events import ButtonPressed
from shared.platforms.base import AddressedEvent, Parsed, Receipt
from shared.platforms.whatsapp import WhatsAppAdapter
from shared.platforms.whatsapp_answers import meaning_of
from tests.platforms.cases import RECEIVED_AT, credential, payload, payload_names

KINDS = (
    handlers.MessageHandler,
    handlers.EditedMessageHandler,
    handlers.DeletedMessageHandler,
    handlers.OutgoingMessageHandler,
    handlers.CallbackButtonHandler,
    handlers.CallbackSelectionHandler,
    handlers.FlowCompletionHandler,
    handlers.CallPermissionUpdateHandler,
    handlers.MessageStatusHandler,
    handlers.GroupMessageStatusesHandler,
    handlers.PhoneNumberChangeHandler,
    handlers.IdentityChangeHandler,
    handlers.TemplateStatusUpdateHandler,
)

NO_SCOPED_ID = "it knows only people whose contact has a business-scoped id"
SECONDS = "it takes seconds only"
UNREAD = {
    "errors": "it has no type for errors alone",
    "other_object": "it is not WhatsApp's",
    "other_field": "the sample leaves out most of what belongs to another field",
    "one_without_words": "one message of it is broken on purpose",
    "unheard_of": "it refuses kinds unheard of",
    "status_deleted": "it refuses kinds unheard of",
    "template_button_without_payload": "it knows no button without one",
    "text_before_scoped_ids": NO_SCOPED_ID,
    "text_without_contacts": NO_SCOPED_ID,
    "status_before_scoped_ids": NO_SCOPED_ID,
    "text_in_milliseconds": SECONDS,
    "status_in_milliseconds": SECONDS,
}
"""What pywa does not read, and why."""


class Reader:
    """pywa, with a handler for whatever it makes of an update, of which it reads the first thing only."""

    def __init__(self) -> None:
        self._found: list[Any] = []
        self._client = WhatsApp(
            "106540352242922", "token", filter_updates=False, skip_duplicate_updates=False
        )
        for kind in KINDS:
            self._client.add_handlers(kind(lambda _, read: self._found.append(read)))

    def read(self, update: Any) -> Any:
        self._found.clear()
        assert self._client.webhook_update_handler(json.dumps(update).encode()) == ("ok", 200)
        (read,) = self._found
        return read


@pytest.fixture(scope="module")
def pywa() -> Reader:
    return Reader()


def read_by_us(update: Any) -> Parsed:
    number: str = update["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"]
    return WhatsAppAdapter().parse(update, credential("whatsapp", phone_number_id=number), RECEIVED_AT)


def one_by_one(update: Any) -> Iterator[Any]:
    """An update of its own for each thing in it, with the contact that it is from."""
    for entry in update["entry"]:
        for change in entry["changes"]:
            for kind in ("messages", "statuses", "message_echoes"):
                for thing in change["value"].get(kind, ()):
                    value = {**change["value"], "contacts": contacts_of(change["value"], thing)}
                    value = {key: value[key] for key in ("messaging_product", "metadata", "contacts")}
                    changed = {**change, "value": {**value, kind: [thing]}}
                    yield {**update, "entry": [{**entry, "changes": [changed]}]}


def contacts_of(value: Any, thing: Any) -> list[Any]:
    contacts: list[Any] = value.get("contacts", [])
    own = [contact for contact in contacts if thing.get("from", "nobody") in contact.values()]
    return own or contacts


SAMPLES = [
    pytest.param(update, id=f"{name}-{n}")
    for name in payload_names("whatsapp")
    if name not in UNREAD
    for n, update in enumerate(one_by_one(payload("whatsapp", name)))
]


@pytest.mark.parametrize("update", SAMPLES)
def test_every_sample_says_the_same_to_pywa(pywa: Reader, update: Any) -> None:
    theirs, ours = pywa.read(update), read_by_us(update)
    for addressed in ours.events:
        assert_same_person(addressed, theirs)
        assert_same_words(addressed.event, theirs)
    for receipt in ours.receipts:
        assert_same_receipt(receipt, theirs)


def assert_same_person(addressed: AddressedEvent, theirs: Any) -> None:
    assert (addressed.event.id, addressed.event.occurred_at) == (theirs.id, theirs.timestamp)
    identities = {addressed.chat_id, addressed.alias} - {""}
    assert identities == {theirs.from_user.wa_id, theirs.from_user.bsuid} - {None}


def assert_same_words(event: Any, theirs: Any) -> None:
    if isinstance(event, ButtonPressed):
        assert isinstance(theirs, (CallbackButton, CallbackSelection))
        assert event.data == theirs.data
    elif isinstance(theirs, CallbackButton):
        assert event.text == theirs.title
    elif isinstance(theirs, Message):
        order = theirs.order.text if theirs.order else None
        assert event.text == (theirs.text or theirs.caption or order or "")
        assert (event.place is None) is (theirs.location is None)
        assert (event.contact is None) is (theirs.contacts is None)
        media = None if theirs.sticker else theirs.media
        assert (event.file.reference if event.file else None) == (media.id if media else None)


def assert_same_receipt(receipt: Receipt, theirs: Any) -> None:
    assert isinstance(theirs, MessageStatus)
    assert (receipt.message_id, receipt.delivery_id) == (theirs.id, theirs.tracker or "")
    assert (receipt.at, theirs.status.value) in [(theirs.timestamp, receipt.status), (receipt.at, "played")]
    assert receipt.chat_id in (theirs.from_user.wa_id, theirs.from_user.bsuid)
    assert (theirs.error is not None) is (receipt.status == "failed")
    assert theirs.error is None or receipt.reason.startswith(str(theirs.error.code))


ABOUT_SENDING = (
    errors.AuthorizationError,
    errors.IntegrityError,
    errors.SendMessageError,
    errors.ThrottlingError,
)
CODES: list[int] = [
    code for kind in ABOUT_SENDING for each in kind.__subclasses__() for code in vars(each)["__error_codes__"]
]


@pytest.mark.parametrize("code", CODES)
def test_every_failure_of_a_message_that_pywa_knows_has_an_outcome(code: int) -> None:
    assert meaning_of({"code": code})[0] is not None


def test_what_pywa_does_not_read_is_among_the_samples() -> None:
    assert set(UNREAD) <= set(payload_names("whatsapp"))
