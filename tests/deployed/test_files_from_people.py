"""What people send lies in the bucket a moment later, by each messenger's way of handing it over."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.running import RunInfo
from tests.deployed.admin import Admin, eventually
from tests.deployed.conftest import Messengers
from tests.standins.server import Update

pytestmark = pytest.mark.deployed

PICTURE = b"\xff\xd8\xff\xe0" + bytes(200_000)
CHATS = {"telegram": "700000099", "whatsapp": "491700000099", "viber": "0123456789+/99="}


def photo(messengers: Messengers, platform: str, webhook: str) -> tuple[Any, Update]:
    """Somebody, and a photo of theirs."""
    if platform == "telegram":
        ivan = messengers.telegram.person(webhook, chat_id=int(CHATS[platform]))
        size = {"file_id": messengers.telegram.receive("photo", PICTURE), "file_unique_id": "u"}
        return ivan, ivan.sent(photo=[{**size, "width": 40, "height": 30, "file_size": len(PICTURE)}])
    if platform == "whatsapp":
        anna = messengers.whatsapp.person(webhook, number=CHATS[platform])
        media_id = messengers.whatsapp.receive(PICTURE, "image/jpeg")
        return anna, anna.message("image", image={"id": media_id, "mime_type": "image/jpeg", "sha256": "x"})
    olga = messengers.viber.person(webhook, CHATS[platform])
    address = messengers.viber.receive(PICTURE, "1.jpg")
    return olga, olga.sent({"type": "picture", "media": address, "file_name": "1.jpg"})


@pytest.mark.parametrize("platform", CHATS)
def test_a_photo_is_stored_and_its_history_names_it(
    parley: RunInfo, admin: Admin, bot_id: str, webhook: dict[str, str], messengers: Messengers, platform: str
) -> None:
    person, update = photo(messengers, platform, webhook[platform])
    assert person.post(update).status == 200

    def named() -> tuple[str, str] | None:
        dialog = admin.dialog_of(bot_id, platform, CHATS[platform])
        entries = admin.history(dialog["id"]) if dialog else []
        files = [entry["message_data"].get("event", {}).get("file") for entry in entries]
        return next(((dialog["id"], file["media_id"]) for file in files if dialog and file), None)

    dialog_id, media_id = eventually(named)
    table, dynamodb = parley.outputs()["BotMediaFileTable"], parley.client("dynamodb")

    def record() -> Any:
        item = dynamodb.get_item(TableName=table, Key={"id": {"S": media_id}}).get("Item", {})
        return item if item.get("status", {}).get("S") in ("ready", "failed") else None

    found = eventually(record)
    assert (found["status"]["S"], found.get("reason", {}).get("S", "")) == ("ready", "")
    path = found["storage_path"]["S"]
    assert path.startswith(f"received/{bot_id}/{dialog_id}/{media_id}/")
    stored = parley.client("s3").get_object(Bucket=parley.outputs()["MediaBucketName"], Key=path)
    assert stored["Body"].read() == PICTURE
