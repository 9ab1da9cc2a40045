"""After all those conversations: each of them can be done again from its history, to the byte."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from infra.local.running import RunInfo
from shared.dialog.history import HistoryEntry
from shared.dialog.programs import CompiledScenarios
from shared.dialog.replay import replay
from shared.dialog.state import Dialog
from shared.storage.scenarios import unpack
from shared.storage.sealing import KmsSealer

pytestmark = pytest.mark.deployed


class Revisions:
    """The revisions of the deployment."""

    def __init__(self, parley: RunInfo) -> None:
        self._items = items_of(parley, "ScenarioRevision")

    def document(self, scenario_id: str, revision: int) -> dict[str, Any]:
        place = {"S": scenario_id}, {"N": str(revision)}
        (item,) = [each for each in self._items if (each["scenario_id"], each["revision"]) == place]
        return unpack(item["document"]["B"])


def items_of(parley: RunInfo, table: str) -> list[dict[str, Any]]:
    pages = (
        parley.client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=parley.outputs()[f"{table}Table"], ConsistentRead=True)
    )
    return [item for page in pages for item in page["Items"]]


def of_dialog(dialog: Dialog, entries: list[HistoryEntry]) -> list[HistoryEntry]:
    """The dialog's history in order, up to the turn that it was read at."""
    place = dialog.id, dialog.epoch
    mine = [each for each in entries if (each.dialog_id, each.epoch) == place and each.turn <= dialog.turn]
    return sorted(mine, key=lambda entry: entry.key)


def test_every_dialog_of_this_run_replays(parley: RunInfo) -> None:
    dialogs = [
        msgspec.json.decode(each["state"]["S"], type=Dialog) for each in items_of(parley, "BotDialogState")
    ]
    rows = items_of(parley, "BotDialogHistory")
    entries = [msgspec.json.decode(row["payload"]["S"], type=HistoryEntry) for row in rows]
    compiled = CompiledScenarios(Revisions(parley))
    sealer = KmsSealer(lambda: parley.client("kms"), parley.outputs()["HistoryKeyId"])
    found = {}
    for dialog in dialogs:
        found[dialog.id] = replay(dialog, of_dialog(dialog, entries), compiled.get, sealer.open)
    assert dialogs
    assert {dialog_id: str(difference) for dialog_id, difference in found.items() if difference} == {}
