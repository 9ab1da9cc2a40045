"""What is masked in an entry, and that a replay gets it back."""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from typing import Any

import pytest

from shared.dialog.sealing import MASK, masked, opened, sealed
from tests.dialog.doubles import PaperSealer

CONTEXT = {"bot_id": "b", "dialog_id": "d", "kind": "history"}
SECRET = "4510 123456"
EVENT = {"type": "message_received", "id": "7", "occurred_at": "2026-11-22T10:00:00Z", "text": SECRET}
PRESS = {"type": "button_pressed", "id": "7", "occurred_at": "2026-11-22T10:00:00Z", "data": "p:e:1:1:0"}
USAGE = {"model": "gpt-4.1-mini", "prompt_tokens": 12, "completion_tokens": 3, "cached": False}
FINISHED = {"type": "task_finished", "id": "7", "occurred_at": "2026-11-22T10:00:00Z", "task": 1}
RUN = {"run": 1, "status": "completed", "collected_data": {"name": "Анна", "passport": SECRET, "n": 1}}


def _kept(event: dict[str, Any]) -> dict[str, Any]:
    return {name: event[name] for name in ("type", "id", "occurred_at")}


def seal(data: dict[str, Any], **how: Any) -> dict[str, Any]:
    return sealed(data, **how, seal=partial(PaperSealer().seal, context=CONTEXT))


def reopen(data: dict[str, Any]) -> dict[str, Any]:
    return opened(data, partial(PaperSealer().open, context=CONTEXT))


@pytest.mark.parametrize(
    ("data", "is_private", "shown"),
    [
        (
            {"event": {**EVENT, "person": {"first_name": "Анна"}}, "random": 0.5, "notes": [SECRET]},
            True,
            {"event": {**EVENT, "text": MASK}, "random": 0.5},
        ),
        (
            {"event": PRESS, "label": SECRET, "random": 0.5},
            True,
            {"event": {k: v for k, v in PRESS.items() if k != "data"}, "random": 0.5},
        ),
        (
            {"event": EVENT | {"text": "bye"}, "random": 0.5, "ended_runs": [RUN, {**RUN, "run": 2}]},
            False,
            {
                "event": EVENT | {"text": "bye"},
                "random": 0.5,
                "ended_runs": [
                    {**RUN, "run": n, "collected_data": {"name": "Анна", "passport": MASK, "n": 1}}
                    for n in (1, 2)
                ],
            },
        ),
        (
            {"event": EVENT, "random": 0.5, "ended_runs": [RUN]},
            True,
            {
                "event": {**EVENT, "text": MASK},
                "random": 0.5,
                "ended_runs": [{**RUN, "collected_data": {"name": "Анна", "passport": MASK, "n": 1}}],
            },
        ),
        (
            {"event": {**FINISHED, "result": {"values": {"pin": SECRET}, "usage": USAGE}}, "random": 0.5},
            True,
            {"event": {**_kept(FINISHED), "result": {"usage": USAGE}}, "random": 0.5},
        ),
        (
            {"event": {**FINISHED, "result": {"status": 200, "body": SECRET}}, "random": 0.5},
            True,
            {"event": _kept(FINISHED), "random": 0.5},
        ),
    ],
    ids=["words", "a press", "runs that ended", "both", "an answer of a model", "an answer of another"],
)
def test_secrets_are_masked_and_come_back(
    data: dict[str, Any], shown: dict[str, Any], *, is_private: bool
) -> None:
    before = deepcopy(data)
    kept = seal(data, is_private=is_private, sensitive={"passport", "pin"})

    assert SECRET not in str(kept)
    assert reopen(kept) == before
    assert data == before
    assert kept.pop("sealed")
    assert kept == shown


@pytest.mark.parametrize("runs", [[], [{"run": 1, "status": "abandoned", "collected_data": {"name": "A"}}]])
def test_where_nothing_is_secret_nothing_is_sealed(runs: list[Any]) -> None:
    data = {"event": EVENT, "random": 0.5} | ({"ended_runs": runs} if runs else {})
    assert seal(data, is_private=False, sensitive={"passport"}) == data
    assert reopen(data) == data


def test_an_answer_that_reads_like_the_mask_stays_what_it_is() -> None:
    kept = seal({"event": EVENT | {"text": MASK}, "random": 0.5}, is_private=True, sensitive=())
    assert reopen(kept)["event"]["text"] == MASK


def test_variables_are_shown_without_their_secrets() -> None:
    assert masked({"a": 1, "b": [SECRET]}, ("b", "c")) == {"a": 1, "b": MASK}
