"""One contract, held by the settings in memory and by those in DynamoDB; and that nothing kept is legible."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shared.errors import Conflict, NotFound
from shared.storage import bot_settings
from shared.storage.batches import ItemsOfBots
from shared.storage.bot_settings import LLM, VALUE, DynamoBotSettings, name_of_secret, secret_name_of
from shared.storage.memory import MemoryBotSettings
from shared.storage.sealing import KmsSealer
from shared.storage.tables import BotSettings
from tests.conftest import ENVIRONMENT, Aws, Call, items_of
from tests.storage.pages import pages_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BOT = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"
OTHER = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
KEY = "sk-proj-0123456789-of-a-test"
PUBLIC = {"provider": "openai", "model": "gpt-4.1-mini", "max_tokens_per_day": 1000, "base_url": None}

Settings = MemoryBotSettings | DynamoBotSettings


@pytest.fixture
def times() -> list[datetime]:
    """The times that the clock tells, one after the other."""
    return [NOON + timedelta(minutes=n) for n in range(60)]


@pytest.fixture
def kept(aws_account: Aws, times: list[datetime]) -> DynamoBotSettings:
    sealer = KmsSealer(lambda: aws_account.kms, ENVIRONMENT["SETTINGS_KEY_ID"])
    return DynamoBotSettings(sealer, lambda: times.pop(0))


@pytest.fixture(params=["memory", "dynamodb"])
def settings(request: pytest.FixtureRequest, times: list[datetime]) -> Settings:
    if request.param == "memory":
        return MemoryBotSettings(lambda: times.pop(0))
    return request.getfixturevalue("kept")  # type: ignore[no-any-return]


def put(settings: Settings, **more: Any) -> bot_settings.StoredSettings:
    return settings.put(BOT, LLM, PUBLIC, {"api_key": KEY}, **more)


class TestContract:
    def test_settings_show_all_but_their_secrets(self, settings: Settings) -> None:
        stored = put(settings, health={"status": "checking"})

        assert (stored.bot_id, stored.name, stored.public) == (BOT, LLM, PUBLIC)
        assert stored.hints == {"api_key": "test"}
        assert stored.health == {"status": "checking"}
        assert stored.created_at == stored.updated_at == NOON
        assert settings.get(BOT, LLM) == settings.find(BOT, LLM) == stored

    def test_revealed_settings_have_all(self, settings: Settings) -> None:
        put(settings)

        revealed = settings.reveal(BOT, LLM)

        assert revealed is not None
        assert (revealed.public, revealed.secrets, revealed.updated_at) == (PUBLIC, {"api_key": KEY}, NOON)

    @pytest.mark.parametrize("place", [(OTHER, LLM), (BOT, "sync"), ("", LLM), (BOT, "x" * 2000)])
    def test_what_is_not_there_is_told(self, settings: Settings, place: tuple[str, str]) -> None:
        put(settings)

        assert settings.find(*place) is None
        assert settings.reveal(*place) is None
        assert settings.record_health(*place, {}, met=NOON) is False
        for act in (settings.get, settings.delete, partial(settings.put, public={}, secrets=None)):
            with pytest.raises(NotFound, match="settings"):
                act(*place)

    def test_a_change_keeps_the_day_of_making_and_the_secrets_that_it_does_not_bring(
        self, settings: Settings
    ) -> None:
        put(settings, health={"status": "ok"})

        changed = settings.put(BOT, LLM, {"model": "another"}, None)

        assert (changed.public, changed.hints) == ({"model": "another"}, {"api_key": "test"})
        assert (changed.created_at, changed.updated_at) == (NOON, NOON + timedelta(minutes=1))
        assert changed.health == {}, "of other settings"
        revealed = settings.reveal(BOT, LLM)
        assert revealed is not None
        assert revealed.secrets == {"api_key": KEY}

    def test_new_secrets_replace_all_old_ones(self, settings: Settings) -> None:
        put(settings)

        settings.put(BOT, LLM, {}, {"token": "short"})

        assert settings.get(BOT, LLM).hints == {"token": ""}
        revealed = settings.reveal(BOT, LLM)
        assert revealed is not None
        assert revealed.secrets == {"token": "short"}

    def test_who_has_met_another_version_changes_nothing(self, settings: Settings) -> None:
        first = put(settings)
        second = put(settings, met=first.updated_at)

        for act in (partial(put, settings), partial(settings.delete, BOT, LLM)):
            with pytest.raises(Conflict, match="somebody else"):
                act(met=first.updated_at)
        with pytest.raises(Conflict):
            settings.put(BOT, "sync", {}, {}, met=NOON)
        assert settings.get(BOT, LLM) == second

    def test_health_is_of_the_version_that_was_looked_at(self, settings: Settings) -> None:
        first = put(settings)
        assert settings.record_health(BOT, LLM, {"status": "ok"}, met=first.updated_at)
        assert settings.get(BOT, LLM).health == {"status": "ok"}

        second = put(settings)
        assert not settings.record_health(BOT, LLM, {"status": "failed"}, met=first.updated_at)
        assert settings.get(BOT, LLM) == second

    def test_what_is_deleted_is_gone(self, settings: Settings) -> None:
        stored = put(settings)
        settings.delete(BOT, LLM, met=stored.updated_at)

        assert settings.reveal(BOT, LLM) is None
        assert put(settings).created_at == NOON + timedelta(minutes=1)

    @pytest.mark.parametrize("limit", [1, 2, 3])
    def test_secrets_are_listed_by_name_and_nothing_else_is(self, settings: Settings, limit: int) -> None:
        put(settings)
        for name in ("b", "A", "c.1"):
            settings.put(BOT, name_of_secret(name), {}, {VALUE: f"value of {name}"})
        settings.put(OTHER, name_of_secret("foreign"), {}, {VALUE: "value"})

        pages = pages_of(lambda start: settings.secrets(BOT, limit, start))

        assert [secret_name_of(item.name) for page in pages for item in page] == ["A", "b", "c.1"]
        assert {len(page) for page in pages[:-1]} <= {limit}
        assert pages[-1]


class TestKept:
    def test_nothing_kept_and_no_repr_holds_a_secret(self, kept: DynamoBotSettings) -> None:
        stored = put(kept)

        shown = f"{items_of('SETTINGS_TABLE')} {stored!r} {kept.reveal(BOT, LLM)!r} {kept!r} {vars(kept)!r}"
        assert KEY not in shown
        assert KEY[:-4] not in shown

    @pytest.mark.parametrize("place", [(OTHER, LLM), (BOT, "sync")], ids=["bot", "name"])
    def test_a_ciphertext_copied_elsewhere_does_not_decrypt(
        self, kept: DynamoBotSettings, place: tuple[str, str]
    ) -> None:
        put(kept)
        item = BotSettings.get(BOT, LLM)
        item.bot_id, item.name = place
        item.save()

        with pytest.raises(ClientError, match="InvalidCiphertext"):
            kept.reveal(*place)

    def test_a_secret_as_long_as_may_be_comes_back(self, kept: DynamoBotSettings) -> None:
        value = "ключ\n" * 455 + "k"
        assert len(value.encode()) == 4096

        kept.put(BOT, name_of_secret("long"), {}, {VALUE: value})

        revealed = kept.reveal(BOT, name_of_secret("long"))
        assert revealed is not None
        assert revealed.secrets == {VALUE: value}

    def test_keeping_secrets_takes_no_right_to_read_them(
        self, kept: DynamoBotSettings, aws_calls: list[Call]
    ) -> None:
        put(kept)
        kept.put(BOT, LLM, {}, None)
        kept.get(BOT, LLM)
        kept.secrets(BOT, 10)

        assert [call.name for call in aws_calls if call.service == "kms"] == ["kms:Encrypt"]

    def test_of_two_changes_at_once_one_is_refused(
        self, kept: DynamoBotSettings, aws_account: Aws, aws_calls: list[Call]
    ) -> None:
        """The other one comes in between reading and writing."""
        put(kept)
        overtaken = iter([True])

        def overtake(**_: Any) -> None:
            if next(overtaken, False):
                kept.put(BOT, LLM, {"model": "the other's"}, None)

        events = aws_account.dynamodb.meta.events
        events.register("before-call.dynamodb.PutItem", overtake)
        try:
            with pytest.raises(Conflict):
                kept.put(BOT, LLM, {}, None)
        finally:
            events.unregister("before-call.dynamodb.PutItem", overtake)

        assert kept.get(BOT, LLM).public == {"model": "the other's"}

    def test_all_of_a_bot_is_removed_and_nothing_of_another(self, kept: DynamoBotSettings) -> None:
        put(kept)
        for number in range(30):
            kept.put(BOT, name_of_secret(str(number)), {}, {VALUE: "value"})
        kept.put(OTHER, LLM, {}, {})

        assert len(list(ItemsOfBots(BotSettings).remove_of_bot(BOT))) == 2

        assert [item["bot_id"]["S"] for item in items_of("SETTINGS_TABLE")] == [OTHER]
