from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from shared.credential import Credential
from shared.dialog import presses
from shared.dialog.events import ConversationStarted, MessageReceived
from shared.dialog.manager import DialogManager, Outside
from shared.dialog.messages import Message
from shared.dialog.programs import ActiveScenarios, CompiledScenarios
from shared.dialog.state import Dialog
from shared.media.base import MediaFile
from shared.media.library import Library
from shared.platforms.viber import ViberAdapter
from shared.queueing.envelopes import OutboundEnvelope
from shared.storage.bots import Bot
from shared.storage.memory import MemoryBots, MemoryDialogs, MemoryHistory, MemoryMedia, MemoryScenarios
from shared.storage.scenarios import Scenario
from shared.webhook.door import Door
from shared.webhook.unparsed import UnparsedUpdates
from shared.webhook.welcome import Welcomer
from tests.dialog.doubles import KeptDeletions, KeptTasks, KeptTimers, PaperSealer
from tests.dialog.test_manager import ENDLESS
from tests.webhook.doubles import BOT_ID, Bucket, Queue, Vault, body_of, gateway_event

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TOKEN = "viber-token"
SCENARIO_ID = str(uuid4())
DOCUMENT: dict[str, Any] = {
    "version": "1.0",
    "steps": [
        {
            "id": "welcome",
            "message": {"text": "Hello, {{ user.first_name }}! Tea or coffee?"},
            "buttons": [{"text": "Tea", "value": "tea"}, {"text": "Coffee", "value": "coffee"}],
            "expected_input": {"type": "button", "variable": "drink"},
        }
    ],
}
CHAT = "01234567890A/+b="


class Outbound:
    def __init__(self) -> None:
        self.sent: list[OutboundEnvelope] = []

    def send(self, envelope: OutboundEnvelope) -> None:
        self.sent.append(envelope)


class Cafe:
    """A Viber bot behind its webhook, and the dialog worker that comes after it."""

    def __init__(self) -> None:
        self.vault, self.queue, self.bucket, self.outbound = Vault(), Queue(), Bucket(), Outbound()
        self.vault.keep("viber", auth_token=TOKEN, sender_name="Café")
        self.dialogs, self.bots, self.scenarios = MemoryDialogs(), MemoryBots(), MemoryScenarios()
        self.files = MemoryMedia()
        self.bots.create(Bot(id=BOT_ID, account_id="a", name="Café", created_at=NOW, updated_at=NOW))
        self.scenarios.create(
            Scenario(id=SCENARIO_ID, bot_id=BOT_ID, name="s", created_at=NOW, updated_at=NOW), DOCUMENT
        )
        self.bots.change(BOT_ID, active_scenario_id=SCENARIO_ID, active_revision=1)
        adapter = ViberAdapter()
        self.door = Door(
            adapter=adapter,
            credentials=self.vault.cache(),
            inbound=self.queue,
            unparsed=UnparsedUpdates(lambda: self.bucket, "media"),  # type: ignore[arg-type,return-value]
            welcomer=Welcomer(self.dialogs, self.bots, self.scenarios, adapter.welcome, self._with_files),
            now=lambda: NOW,
        )

    def _with_files(self, message: Message, credential: Credential) -> Message:
        library = Library(self.files, "https://cdn.example.com/{}".format, lambda: NOW)
        return library.filled(message, credential, ViberAdapter.capabilities)

    def opens(self, token: int = 1, *, subscribed: bool = False, link: str = "") -> dict[str, Any]:
        """Anna opens the chat."""
        callback = {
            "event": "conversation_started",
            "timestamp": int((NOW + timedelta(seconds=token)).timestamp() * 1000),
            "message_token": 4912661846655238000 + token,
            "type": "open",
            "user": {"id": CHAT, "name": "Anna", "language": "en", "country": "DE", "api_version": 10},
            "subscribed": subscribed,
            **({"context": link} if link else {}),
        }
        body = json.dumps(callback)
        digest = hmac.new(TOKEN.encode(), body.encode(), hashlib.sha256).hexdigest()
        return self.door.answer(gateway_event(body, headers={"x-viber-content-signature": digest}))

    def opens_anew(self, token: int) -> tuple[str, Dialog]:
        """As somebody new: what is answered, and the dialog that the worker opens."""
        text = body_of(self.opens(token))["text"]
        dialog_id = self.queue.envelopes[-1].dialog_id
        self.works()
        return text, self.dialogs._dialogs.pop(dialog_id)

    def person_says(self, text: str) -> None:
        """In the chat that was opened, a minute later."""
        said = MessageReceived(id="said", occurred_at=NOW + timedelta(minutes=1), text=text)
        self.queue.send([msgspec.structs.replace(self.queue.envelopes[-1], event=said)])

    def works(self) -> None:
        """The dialog worker takes up what is in the queue."""
        manager = DialogManager(
            self.dialogs,
            MemoryHistory(),
            ActiveScenarios(self.bots),
            CompiledScenarios(self.scenarios),
            self.outbound,
            KeptTimers(),
            KeptTasks(),
            KeptDeletions(),
            PaperSealer(),
            Outside(now=lambda: NOW, random=lambda: 0.5),
        )
        while self.queue.envelopes:
            manager.handle(self.queue.envelopes.pop(0))

    def says(self) -> list[str]:
        """What goes out beside the welcome."""
        messages = [message for envelope in self.outbound.sent for message in envelope.messages]
        return [message.text for message in messages if not message.is_said]

    def event(self) -> ConversationStarted:
        event = self.queue.envelopes[-1].event
        assert isinstance(event, ConversationStarted)
        return event


@pytest.fixture
def cafe() -> Cafe:
    return Cafe()


def test_whoever_opens_the_chat_is_answered_with_the_first_message(cafe: Cafe) -> None:
    answer = body_of(cafe.opens())
    assert answer["text"] == "Hello, Anna! Tea or coffee?"
    assert "receiver" not in answer
    assert [button["Text"] for button in answer["keyboard"]["Buttons"]] == ["Tea", "Coffee"]


def test_a_welcome_does_not_wait_for_what_is_known_of_the_person(cafe: Cafe) -> None:
    steps = [{**DOCUMENT["steps"][0], "message": {"text": "Hello, {{ contact.name }}!"}}]
    cafe.scenarios.add_revision(SCENARIO_ID, {**DOCUMENT, "steps": steps}, "s", "", "1")
    cafe.bots.change(BOT_ID, active_revision=2, contact_fields={"name": "string"})
    answer = body_of(cafe.opens())
    dialog_id = cafe.queue.envelopes[-1].dialog_id
    cafe.works()
    dialog = cafe.dialogs.load(dialog_id)
    assert dialog is not None
    assert (answer["text"], cafe.says()) == ("Hello, !", [])
    assert (dialog.status, dialog.contact_task) == ("active", 1)
    buttons = [button["ActionBody"] for button in answer["keyboard"]["Buttons"]]
    assert [presses.read(data) for data in buttons] == [
        presses.Press(dialog.epoch, 1, 1, place) for place in (0, 1)
    ]


def test_a_file_of_the_library_is_in_the_welcome(cafe: Cafe) -> None:
    media_id = str(uuid4())
    cafe.files.create(
        MediaFile(
            id=media_id,
            bot_id=BOT_ID,
            file_type="image",
            file_name="cup.png",
            content_type="image/png",
            size=1000,
            status="ready",
            storage_path="media/1/key/cup.png",
            created_at=NOW,
            updated_at=NOW,
        )
    )
    said = {"text": "Hello!", "media": [{"media_id": media_id}]}
    document = {"version": "1.0", "steps": [{"id": "welcome", "message": said, "end": True}]}
    cafe.scenarios.add_revision(SCENARIO_ID, document, "s", "", "")
    cafe.bots.change(BOT_ID, active_revision=2)
    answer = body_of(cafe.opens())
    assert (answer["type"], answer["media"]) == ("picture", "https://cdn.example.com/media/1/key/cup.png")
    assert answer["text"] == "Hello!"


def test_the_event_says_what_was_said_and_the_worker_does_not_say_it_again(cafe: Cafe) -> None:
    cafe.opens()
    assert (cafe.event().welcomed_by, cafe.event().welcomed_scenario) == (1, SCENARIO_ID)
    cafe.works()
    assert cafe.says() == []
    assert [message.text for message in cafe.outbound.sent[0].messages] == ["Hello, Anna! Tea or coffee?"]


def test_the_buttons_of_the_welcome_are_those_of_the_dialog(cafe: Cafe) -> None:
    answer = body_of(cafe.opens())
    dialog_id = cafe.queue.envelopes[0].dialog_id
    cafe.works()
    dialog = cafe.dialogs.load(dialog_id)
    assert dialog is not None
    assert dialog.ask is not None
    expected = presses.write(dialog.epoch, dialog.run, dialog.ask.number, 0)
    assert answer["keyboard"]["Buttons"][0]["ActionBody"] == expected


def test_whoever_has_only_looked_in_is_welcomed_again_by_the_same_question(cafe: Cafe) -> None:
    first = cafe.opens(1)["body"]
    cafe.works()
    assert cafe.opens(2)["body"] == first
    assert cafe.event().welcomed_by == 1
    dialog_id = cafe.queue.envelopes[-1].dialog_id
    cafe.works()
    dialog = cafe.dialogs.load(dialog_id)
    assert dialog is not None
    assert (dialog.turn, dialog.run, cafe.says()) == (2, 1, [])


@pytest.mark.parametrize("how", ["has answered", "comes by a link", "meets another scenario"])
def test_whoever_comes_back_is_not_welcomed_again(cafe: Cafe, how: str) -> None:
    cafe.opens(1)
    if how == "has answered":
        cafe.person_says("Tea")
    cafe.works()
    if how == "meets another scenario":
        cafe.scenarios.add_revision(SCENARIO_ID, DOCUMENT, "s", "", "1")
        cafe.bots.change(BOT_ID, active_revision=2)
    assert cafe.opens(2, subscribed=True, link="cook" if how == "comes by a link" else "")["body"] == ""
    assert cafe.event().welcomed_by is None


def test_chance_falls_alike_in_the_welcome_and_in_the_dialog(cafe: Cafe) -> None:
    drawn = {"before": {"luck": "random"}, "message": {"text": "{{ luck }}"}}
    cafe.scenarios.add_revision(
        SCENARIO_ID, {"version": "1.0", "steps": [{**DOCUMENT["steps"][0], **drawn}]}, "s", "", "1.1"
    )
    cafe.bots.change(BOT_ID, active_revision=2)
    numbers = [cafe.opens_anew(token) for token in range(8)]
    assert len({text for text, _ in numbers}) == 8
    for text, dialog in numbers:
        assert float(text) == pytest.approx(dialog.variables["luck"])
        assert 0 <= dialog.variables["luck"] < 1


@pytest.mark.parametrize("link", ["", "cook"])
def test_an_answer_that_was_lost_is_given_again(cafe: Cafe, link: str) -> None:
    lost = cafe.opens(link=link)["body"]
    cafe.works()
    assert cafe.opens(link=link)["body"] == lost
    cafe.works()
    assert ({envelope.turn for envelope in cafe.outbound.sent}, cafe.says()) == ({1}, [])


def test_once_the_person_has_answered_nothing_is_welcomed_again(cafe: Cafe) -> None:
    cafe.opens(link="cook")
    cafe.person_says("Tea")
    cafe.works()
    assert cafe.opens(link="cook")["body"] == ""


def test_a_bot_with_nothing_to_say_says_nothing_and_keeps_the_event(cafe: Cafe) -> None:
    cafe.bots.change(BOT_ID, active_scenario_id=None, active_revision=None)
    answer = cafe.opens(subscribed=True)
    assert (answer["statusCode"], answer["body"]) == (200, "")
    assert cafe.event().welcomed_by is None


SLOW: dict[str, Any] = {
    "version": "1.0",
    "steps": [{"id": "think", "wait": "2s", "next_step": "welcome"}, *DOCUMENT["steps"]],
}


def test_whoever_can_be_told_nothing_yet_opens_the_dialog_by_their_first_word(
    cafe: Cafe, capsys: pytest.CaptureFixture[str]
) -> None:
    cafe.scenarios.add_revision(SCENARIO_ID, SLOW, "s", "", "1.1")
    cafe.bots.change(BOT_ID, active_revision=2)
    answer = cafe.opens()
    assert (answer["statusCode"], answer["body"], cafe.queue.envelopes) == (200, "", [])
    assert '"reason":"not_welcomed"' in capsys.readouterr().out


@pytest.mark.parametrize("how", [{"subscribed": True}, {"link": "cook"}], ids=["subscribed", "by a link"])
def test_whoever_can_be_told_something_or_brings_it_begins_by_opening(
    cafe: Cafe, how: dict[str, Any]
) -> None:
    cafe.scenarios.add_revision(SCENARIO_ID, SLOW, "s", "", "1.1")
    cafe.bots.change(BOT_ID, active_revision=2)
    assert cafe.opens(**how)["body"] == ""
    assert cafe.event().payload == how.get("link", "")


def test_a_welcome_that_breaks_does_not_cost_the_event(
    cafe: Cafe, capsys: pytest.CaptureFixture[str]
) -> None:
    cafe.bots.change(BOT_ID, active_revision=99)
    answer = cafe.opens(subscribed=True)
    assert (answer["statusCode"], answer["body"]) == (200, "")
    assert cafe.event().welcomed_by is None
    assert "failed_welcomes" in capsys.readouterr().out


def test_a_scenario_that_takes_too_long_does_not_cost_the_event(cafe: Cafe) -> None:
    cafe.scenarios.add_revision(SCENARIO_ID, ENDLESS, "s", "", "1.1")
    cafe.bots.change(BOT_ID, active_revision=2)
    answer = cafe.opens(subscribed=True)
    assert (answer["statusCode"], answer["body"]) == (200, "")
    assert cafe.event().welcomed_by is None


def test_what_the_queue_did_not_take_is_not_welcomed_either(cafe: Cafe) -> None:
    cafe.queue.refuses = True
    assert cafe.opens()["statusCode"] == 503
