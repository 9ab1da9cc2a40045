"""What a deployment has put into the tasks queue is read by the one that takes its place."""

from __future__ import annotations

import msgspec
import pytest

from shared.dialog.state import Task
from shared.queueing.envelopes import MenuEnvelope, TaskEnvelope, UploadEnvelope, Work, read_work

OF_A_DIALOG = {
    "dialog_id": "d",
    "epoch": "e",
    "bot_id": "b",
    "platform": "telegram",
    "platform_chat_id": "42",
    "trace_id": "t",
}
FETCH = {"number": 7, "kind": "fetch", "request": {"type": "image", "reference": "AgAC"}, "timeout": 100}


@pytest.mark.parametrize(
    ("body", "work"),
    [
        pytest.param(
            {"type": "task.v1", **OF_A_DIALOG, "task": FETCH},
            TaskEnvelope(**OF_A_DIALOG, task=Task(7, "fetch", FETCH["request"], 100)),  # type: ignore[arg-type]
            id="a task from before it told of the person's message",
        ),
        pytest.param(
            {"type": "upload.v1", "bot_id": "b", "platform": "viber", "media_id": "m", "trace_id": "t"},
            UploadEnvelope(bot_id="b", platform="viber", media_id="m", trace_id="t"),
            id="an upload",
        ),
        pytest.param(
            {"type": "menu.v1", "bot_id": "b", "platform": "telegram", "trace_id": "t"},
            MenuEnvelope(bot_id="b", platform="telegram", trace_id="t"),
            id="a menu",
        ),
    ],
)
def test_work_of_an_older_deployment_is_read(body: dict[str, object], work: Work) -> None:
    assert read_work(msgspec.json.encode(body).decode()) == work


def test_work_of_a_newer_deployment_is_read_without_what_it_has_more() -> None:
    body = {"type": "task.v1", **OF_A_DIALOG, "task": {**FETCH, "more": 1}, "more": 1}
    work = read_work(msgspec.json.encode(body).decode())
    assert isinstance(work, TaskEnvelope)
    assert work.task.number == 7
