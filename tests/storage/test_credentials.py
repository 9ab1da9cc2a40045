from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from botocore.exceptions import ClientError

from shared.credential import Credential
from shared.errors import Conflict, Invalid, NotFound
from shared.storage.bots import Bot, DynamoBots
from shared.storage.credentials import (
    MAX_SECRET_BYTES,
    DynamoCredentials,
    StoredCredential,
    is_connected,
)
from shared.storage.tables import BotPlatformCredential
from tests.conftest import Aws, Call, items_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BOT = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"
OTHER = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"

SETTINGS = {
    "phone_number_id": "106540352242922",
    "access_token": "EAAGm0PX4ZCpsBAKZC-tok3n",
    "app_secret": "0123456789abcdef0123456789abcdef",
    "verify_token": "пароль",
}
SECRETS = {"access_token", "app_secret", "verify_token"}


@pytest.fixture
def times() -> list[datetime]:
    """The times that the clock tells, one after the other."""
    return [NOON + timedelta(minutes=n) for n in range(60)]


@pytest.fixture
def credentials(aws_account: Aws, times: list[datetime]) -> DynamoCredentials:
    for bot_id in (BOT, OTHER):
        DynamoBots().create(Bot(id=bot_id, account_id="a", name="n", created_at=NOON, updated_at=NOON))
    return DynamoCredentials(aws_account.kms, clock=lambda: times.pop(0))


def connect(
    credentials: DynamoCredentials, bot_id: str = BOT, platform: str = "whatsapp", identity: str = "1065"
) -> StoredCredential:
    return credentials.create(bot_id, platform, SETTINGS, SECRETS, is_active=True, identity=identity)


def put(credentials: DynamoCredentials, identity: str = "1065", **fields: Any) -> StoredCredential:
    return credentials.replace(
        BOT, "whatsapp", SETTINGS, SECRETS, is_active=True, identity=identity, **fields
    )


def test_a_credential_shows_its_public_settings_and_hints_of_its_secrets(
    credentials: DynamoCredentials,
) -> None:
    stored = connect(credentials)

    assert str(UUID(stored.id)) == stored.id
    assert (stored.bot_id, stored.platform, stored.is_active) == (BOT, "whatsapp", True)
    assert stored.public == {"phone_number_id": "106540352242922"}
    assert stored.hints == {"access_token": "ok3n", "app_secret": "cdef", "verify_token": ""}
    assert stored.health == {}
    assert stored.created_at == stored.updated_at == NOON
    assert credentials.get(BOT, "whatsapp") == stored


def test_a_revealed_credential_has_all_its_settings(credentials: DynamoCredentials) -> None:
    stored = connect(credentials)

    assert credentials.reveal(BOT, "whatsapp") == Credential(
        stored.id, BOT, "whatsapp", is_active=True, settings=SETTINGS
    )


@pytest.mark.parametrize("bot_id", [OTHER, "", "x" * 3000], ids=["another bot", "empty", "long"])
def test_what_is_not_connected_is_told(credentials: DynamoCredentials, bot_id: str) -> None:
    connect(credentials)

    assert credentials.reveal(bot_id, "whatsapp") is None
    assert credentials.reveal(BOT, "viber") is None
    for act in (credentials.get, credentials.delete):
        with pytest.raises(NotFound, match="credential"):
            act(bot_id, "whatsapp")
    with pytest.raises(NotFound):
        credentials.replace(bot_id, "whatsapp", SETTINGS, SECRETS, is_active=True, identity="2")
    with pytest.raises(NotFound):
        credentials.record_health(OTHER, "whatsapp", {})


@pytest.mark.parametrize("is_active", [True, False])
def test_whether_a_bot_is_connected_is_told_without_its_secrets(
    credentials: DynamoCredentials, aws_calls: list[Call], *, is_active: bool
) -> None:
    credentials.create(BOT, "viber", SETTINGS, SECRETS, is_active=is_active, identity="")
    aws_calls.clear()

    assert is_connected(BOT, "viber") is is_active
    assert is_connected(BOT, "telegram") is False
    assert {call.name for call in aws_calls} == {"dynamodb:GetItem"}
    assert aws_calls[0].params["ProjectionExpression"] == "#0"


class TestSecrets:
    def test_nothing_kept_holds_a_secret_or_an_identity(
        self, credentials: DynamoCredentials, aws_account: Aws
    ) -> None:
        connect(credentials, identity=SETTINGS["access_token"])

        kept = repr(items_of("CREDENTIALS_TABLE"))
        for name in SECRETS:
            assert SETTINGS[name] not in kept
            assert json.dumps(SETTINGS[name])[1:-1] not in kept
        assert len(items_of("CREDENTIALS_TABLE")) == 2

    def test_no_repr_holds_a_secret_or_a_part_of_it(self, credentials: DynamoCredentials) -> None:
        stored = connect(credentials)
        revealed = credentials.reveal(BOT, "whatsapp")

        shown = f"{stored!r} {revealed!r} {credentials!r} {vars(credentials)!r}"
        for name in SECRETS:
            assert SETTINGS[name] not in shown
            assert SETTINGS[name][-4:] not in shown

    @pytest.mark.parametrize(
        ("bot_id", "platform"), [(OTHER, "whatsapp"), (BOT, "viber")], ids=["bot", "platform"]
    )
    def test_a_ciphertext_copied_elsewhere_does_not_decrypt(
        self, credentials: DynamoCredentials, bot_id: str, platform: str
    ) -> None:
        connect(credentials)
        item = BotPlatformCredential.get(BOT, "whatsapp")
        item.bot_id, item.platform = bot_id, platform
        item.save()

        with pytest.raises(ClientError, match="InvalidCiphertext"):
            credentials.reveal(bot_id, platform)

    def test_secrets_too_long_for_the_key_are_refused(
        self, credentials: DynamoCredentials, aws_account: Aws, aws_calls: list[Call]
    ) -> None:
        settings = {"access_token": "x" * MAX_SECRET_BYTES}

        with pytest.raises(Invalid) as caught:
            credentials.create(BOT, "whatsapp", settings, SECRETS, is_active=True, identity="1")

        assert [violation.code for violation in caught.value.violations] == ["too_long"]
        assert "xxxx" not in str(caught.value.violations)
        assert not aws_calls


class TestActivity:
    @pytest.mark.parametrize(
        ("credential_is", "bot_is", "both_are"),
        [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
    )
    def test_a_credential_is_active_if_its_bot_is(
        self, credentials: DynamoCredentials, *, credential_is: bool, bot_is: bool, both_are: bool
    ) -> None:
        credentials.create(BOT, "viber", SETTINGS, SECRETS, is_active=credential_is, identity="")
        DynamoBots().change(BOT, is_active=bot_is)

        revealed = credentials.reveal(BOT, "viber")

        assert revealed is not None
        assert revealed.is_active is both_are

    def test_that_of_a_bot_that_is_gone_is_only_revealed_to_who_asks_for_it(
        self, credentials: DynamoCredentials
    ) -> None:
        stored = connect(credentials)
        DynamoBots().delete(BOT)

        assert credentials.reveal(BOT, "whatsapp") is None
        left = credentials.reveal_of_any(BOT, "whatsapp")
        assert left is not None
        assert (left.id, left.settings) == (stored.id, SETTINGS)


class TestIdentity:
    def test_a_bot_has_a_platform_once(self, credentials: DynamoCredentials) -> None:
        stored = connect(credentials)

        for identity in ("1065", "2000", ""):
            with pytest.raises(Conflict, match="connected to this platform already"):
                connect(credentials, identity=identity)

        assert credentials.of_bot(BOT) == [stored]

    def test_two_bots_cannot_have_one_identity(self, credentials: DynamoCredentials) -> None:
        connect(credentials)

        with pytest.raises(Conflict, match="another bot"):
            connect(credentials, bot_id=OTHER)

        assert credentials.of_bot(OTHER) == []

    def test_of_bots_that_claim_an_identity_at_once_one_gets_it(self, credentials: DynamoCredentials) -> None:
        def claim(bot_id: str) -> bool:
            return succeeds(lambda: connect(credentials, bot_id=bot_id))

        with ThreadPoolExecutor(8) as pool:
            claimed = list(pool.map(claim, [str(uuid4()) for _ in range(8)]))

        assert claimed.count(True) == 1

    def test_equal_identities_of_two_platforms_do_not_meet(self, credentials: DynamoCredentials) -> None:
        connect(credentials, platform="whatsapp")
        connect(credentials, platform="viber", bot_id=OTHER)

        assert credentials.reveal(OTHER, "viber")

    def test_without_an_identity_nothing_is_claimed(
        self, credentials: DynamoCredentials, aws_account: Aws
    ) -> None:
        connect(credentials, identity="")
        connect(credentials, bot_id=OTHER, identity="")

        assert len(items_of("CREDENTIALS_TABLE")) == 2

    def test_a_deleted_ones_identity_is_free(self, credentials: DynamoCredentials, aws_account: Aws) -> None:
        connect(credentials)
        credentials.delete(BOT, "whatsapp")

        assert items_of("CREDENTIALS_TABLE") == []
        assert credentials.reveal(BOT, "whatsapp") is None
        connect(credentials, bot_id=OTHER)

    def test_a_replaced_ones_identity_is_free_and_the_new_one_taken(
        self, credentials: DynamoCredentials
    ) -> None:
        connect(credentials, identity="old")
        put(credentials, identity="new")

        connect(credentials, bot_id=OTHER, platform="whatsapp", identity="old")
        with pytest.raises(Conflict, match="another bot"):
            connect(credentials, bot_id=str(uuid4()), identity="new")

    def test_an_identity_that_another_has_cannot_be_moved_to(
        self, credentials: DynamoCredentials, aws_account: Aws
    ) -> None:
        connect(credentials, bot_id=OTHER, identity="theirs")
        mine = connect(credentials, identity="mine")

        with pytest.raises(Conflict, match="another bot"):
            put(credentials, identity="theirs")

        assert credentials.get(BOT, "whatsapp") == mine
        assert len(items_of("CREDENTIALS_TABLE")) == 4

    def test_an_identity_can_be_given_up_and_taken_anew(
        self, credentials: DynamoCredentials, aws_account: Aws
    ) -> None:
        connect(credentials, identity="one")
        put(credentials, identity="")
        after = len(items_of("CREDENTIALS_TABLE"))
        put(credentials, identity="one")

        assert (after, len(items_of("CREDENTIALS_TABLE"))) == (1, 2)


class TestReplacing:
    def test_new_settings_take_the_place_of_all_old_ones(self, credentials: DynamoCredentials) -> None:
        before = connect(credentials)
        credentials.record_health(BOT, "whatsapp", {"status": "ok"})

        after = credentials.replace(
            BOT,
            "whatsapp",
            {"phone_number_id": "2", "app_secret": "another secret"},
            SECRETS,
            is_active=False,
            identity="1065",
        )

        assert after == StoredCredential(
            id=before.id,
            bot_id=BOT,
            platform="whatsapp",
            is_active=False,
            public={"phone_number_id": "2"},
            hints={"app_secret": "cret"},
            health={"status": "ok"},
            created_at=NOON,
            updated_at=NOON + timedelta(minutes=1),
        )
        assert credentials.get(BOT, "whatsapp") == after
        revealed = credentials.reveal(BOT, "whatsapp")
        assert revealed is not None
        assert revealed.settings == {"phone_number_id": "2", "app_secret": "another secret"}

    def test_what_was_changed_meanwhile_is_not_replaced(self, credentials: DynamoCredentials) -> None:
        seen = connect(credentials)
        theirs = put(credentials, met=seen.updated_at)

        with pytest.raises(Conflict, match="changed by somebody else"):
            put(credentials, met=seen.updated_at)

        assert credentials.get(BOT, "whatsapp") == theirs

    def test_of_replacements_at_once_none_is_half_done(
        self, credentials: DynamoCredentials, aws_account: Aws
    ) -> None:
        connect(credentials, identity="0")

        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(lambda n: succeeds(lambda: put(credentials, identity=str(n))), range(1, 5)))

        assert any(done)
        markers = [item for item in items_of("CREDENTIALS_TABLE") if item["platform"] == {"S": "#"}]
        assert [item["bot_id"]["S"] for item in markers] == [
            BotPlatformCredential.get(BOT, "whatsapp").marker
        ]

    def test_health_is_kept_and_changes_nothing_else(self, credentials: DynamoCredentials) -> None:
        before = connect(credentials)

        credentials.record_health(BOT, "whatsapp", {"status": "bad", "checked": [1]})

        after = credentials.get(BOT, "whatsapp")
        assert after.health == {"status": "bad", "checked": [1]}
        assert after.updated_at == before.updated_at
        assert credentials.reveal(BOT, "whatsapp")


def succeeds(act: Callable[[], object]) -> bool:
    try:
        act()
    except Conflict:
        return False
    return True


def test_a_bots_credentials_are_its_own(credentials: DynamoCredentials) -> None:
    viber, whatsapp = connect(credentials, platform="viber"), connect(credentials, platform="whatsapp")
    connect(credentials, bot_id=OTHER, platform="telegram")

    assert credentials.of_bot(BOT) == [viber, whatsapp]


class TestCalls:
    """Which calls to AWS are made, and with which rights they can do."""

    def test_an_unchanged_credential_is_decrypted_once(
        self, credentials: DynamoCredentials, aws_calls: list[Call]
    ) -> None:
        connect(credentials)
        aws_calls.clear()

        for _ in range(3):
            credentials.reveal(BOT, "whatsapp")

        assert [call.name for call in aws_calls if call.service == "kms"] == ["kms:Decrypt"]
        reads = [call for call in aws_calls if call.service == "dynamodb"]
        assert [call.operation for call in reads] == ["GetItem", "GetItem"] * 3
        assert all(call.params["ConsistentRead"] for call in reads)

    def test_a_changed_one_is_decrypted_again(self, credentials: DynamoCredentials) -> None:
        connect(credentials)
        credentials.reveal(BOT, "whatsapp")
        credentials.replace(
            BOT, "whatsapp", {"app_secret": "another secret"}, SECRETS, is_active=True, identity="1065"
        )

        revealed = credentials.reveal(BOT, "whatsapp")

        assert revealed is not None
        assert revealed.settings == {"app_secret": "another secret"}

    def test_keeping_credentials_needs_no_more_rights_than_the_template_gives(
        self, credentials: DynamoCredentials, aws_calls: list[Call]
    ) -> None:
        connect(credentials)
        put(credentials, identity="new")
        credentials.record_health(BOT, "whatsapp", {})
        credentials.of_bot(BOT)
        credentials.delete(BOT, "whatsapp")

        writes = {
            kind
            for call in aws_calls
            if call.operation == "TransactWriteItems"
            for write in call.params["TransactItems"]
            for kind in write
        }
        assert writes <= {"Put", "Delete", "Update", "ConditionCheck"}
        assert {call.name for call in aws_calls} == {
            "kms:Encrypt",
            "dynamodb:TransactWriteItems",
            "dynamodb:GetItem",
            "dynamodb:UpdateItem",
            "dynamodb:Query",
        }
