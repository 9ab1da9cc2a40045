"""A stored dialog made anew from its history, and compared with what was said and saved."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from infra.scenario.errors import Unreadable
from infra.stack import outputs_of
from shared import aws
from shared.dialog.history import HistoryEntry
from shared.dialog.ports import HistoryRepository, StateRepository
from shared.dialog.programs import CompiledScenarios
from shared.dialog.replay import Difference, OpenSealed, ProgramOf, replay
from shared.storage.dialogs import DynamoDialogs
from shared.storage.history import DynamoHistory
from shared.storage.scenarios import DynamoScenarios
from shared.storage.sealing import KmsSealer

STACK = "parley"
RUN_INFO = Path(".local/run.json")
"""Where the embedded run says how to get at its AWS."""

TABLES: Mapping[str, str] = {
    "BotDialogStateTable": "DIALOGS_TABLE",
    "BotDialogHistoryTable": "HISTORY_TABLE",
    "ScenarioRevisionTable": "REVISIONS_TABLE",
    "BotScenarioTable": "SCENARIOS_TABLE",
}
"""What the stack tells, and the variable in which the repositories look for it."""

PAGE = 500


def of_stack(dialog_id: str, stack: str | None, *, unseal: bool) -> Difference | None:
    """Replay a dialog of a deployed stack, or else of the embedded run. Raises `Unreadable`.

    With `unseal`, what sensitive variables received is decrypted for it, which the key has to allow.
    """
    os.environ |= {} if stack else _embedded(RUN_INFO)
    outputs = outputs_of(stack or STACK)
    os.environ |= {variable: outputs[output] for output, variable in TABLES.items()}
    sealer = KmsSealer(lambda: aws.client("kms"), outputs["HistoryKeyId"])
    program_of = CompiledScenarios(DynamoScenarios()).get
    return replayed(dialog_id, DynamoDialogs(), DynamoHistory(), program_of, sealer.open if unseal else None)


def replayed(
    dialog_id: str,
    dialogs: StateRepository,
    history: HistoryRepository,
    program_of: ProgramOf,
    open_sealed: OpenSealed | None = None,
) -> Difference | None:
    """The first difference between a dialog and its replay. Raises `Unreadable` if there is no dialog."""
    dialog = dialogs.load(dialog_id)
    if dialog is None:
        raise Unreadable(f"there is no dialog {dialog_id}")
    entries = _entries(history, dialog_id, dialog.epoch)
    return replay(dialog, entries, program_of, open_sealed)


def _entries(history: HistoryRepository, dialog_id: str, epoch: str) -> Iterator[HistoryEntry]:
    """The whole history, page by page."""
    key = ""
    while page := history.after(dialog_id, epoch, key, PAGE):
        yield from page
        key = page[-1].key


def _embedded(run_info: Path) -> dict[str, str]:
    """The environment in which boto3 talks to the embedded run. Raises `Unreadable` if none is running."""
    try:
        told = msgspec.json.decode(run_info.read_bytes())
    except OSError:
        raise Unreadable(f"no Parley runs here ({run_info} is missing); name a stack by --stack") from None
    return {
        "AWS_ENDPOINT_URL": told["aws_endpoint_url"],
        "AWS_DEFAULT_REGION": told["region"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
