"""Messengers' names of messages lead to what was delivered, for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.storage.names import RECEIPTS_COME_WITHIN, DynamoMessageNames

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.usefixtures("aws_account")
def test_a_name_is_of_one_bot_on_one_messenger() -> None:
    names = DynamoMessageNames()
    names.put("b", "viber", "5098034272017990000", "d:e:1:1")
    assert names.get("b", "viber", "5098034272017990000") == "d:e:1:1"
    for other in (("c", "viber", "5098034272017990000"), ("b", "viber", "5"), ("b", "whatsapp", "5")):
        assert names.get(*other) is None


@pytest.mark.usefixtures("aws_account")
def test_a_name_is_forgotten_also_where_it_still_lies() -> None:
    DynamoMessageNames(lambda: NOON).put("b", "viber", "5", "d:e:1:1")
    just_before = NOON + RECEIPTS_COME_WITHIN - timedelta(seconds=1)
    assert DynamoMessageNames(lambda: just_before).get("b", "viber", "5") == "d:e:1:1"
    assert DynamoMessageNames(lambda: NOON + RECEIPTS_COME_WITHIN).get("b", "viber", "5") is None


@pytest.mark.usefixtures("aws_account")
@pytest.mark.parametrize("name", ["", "x" * 3000, "\x00"], ids=["empty", "endless", "unprintable"])
def test_what_can_be_no_name_is_unknown(name: str) -> None:
    assert DynamoMessageNames().get("b", "viber", name) is None
