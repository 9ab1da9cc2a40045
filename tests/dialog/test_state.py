from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.dialog.state import dialog_id_of


@given(st.uuids(), st.sampled_from(["telegram", "viber"]), st.text())
def test_a_dialog_id_is_the_version_5_uuid_of_its_parts(bot_id: object, platform: str, chat_id: str) -> None:
    expected = uuid5(uuid5(NAMESPACE_URL, "urn:parley:dialog"), f"{bot_id}/{platform}/{chat_id}")
    assert dialog_id_of(str(bot_id), platform, chat_id) == str(expected)


def test_a_bot_id_means_the_same_in_any_spelling() -> None:
    bot_id = "b07b07b0-0000-4000-8000-00000000000a"
    assert dialog_id_of(bot_id.upper(), "viber", "1") == dialog_id_of(bot_id, "viber", "1")


def test_a_bot_id_that_is_no_uuid_has_no_dialogs() -> None:
    with pytest.raises(ValueError, match="badly formed"):
        dialog_id_of("bot", "telegram", "1")
