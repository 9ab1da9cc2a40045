"""Bots with something of every kind, in an AWS in memory, and what of it is still there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

from shared import aws
from shared.connecting.base import Call
from shared.connecting.registrar import Registrar
from shared.deletion.bots import BotRemoval
from shared.deletion.connections import Connections
from shared.deletion.deadline import Deadline
from shared.deletion.dialogs import DialogRemoval
from shared.deletion.files import Files
from shared.deletion.folders import Folders
from shared.deletion.performing import Remover
from shared.dialog.history import DeliveryRecord, HistoryEntry, ReceiptRecord
from shared.dialog.state import Dialog, dialog_id_of
from shared.llm.usage import Usage
from shared.media.base import MediaFile, Variant, paths_of
from shared.media.store import S3Store
from shared.platforms import MessengerAddresses
from shared.platforms.base import Response
from shared.queueing.producer import SqsDeletions
from shared.queueing.timers import SetSchedules
from shared.storage.batches import ItemsOfBots
from shared.storage.bot_settings import LLM, DynamoBotSettings, name_of_secret
from shared.storage.bots import Bot, DynamoBots
from shared.storage.credentials import DynamoCredentials
from shared.storage.dialogs import DynamoDialogs
from shared.storage.history import DynamoHistory
from shared.storage.media import DynamoMedia
from shared.storage.scenarios import DynamoScenarios, Scenario
from shared.storage.sealing import KmsSealer
from shared.storage.tables import TABLES, BotSettings, BotUsage, SyncRefusal
from shared.storage.task_results import DynamoTaskResults
from shared.storage.usage import DynamoUsage
from tests.conftest import ENVIRONMENT, Aws, items_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
GROUP = ENVIRONMENT["SCHEDULE_GROUP"]
ENDLESS = Deadline(lambda: 900.0)


@dataclass
class Messenger:
    """Does as asked, or answers nothing."""

    is_down: bool = False
    calls: list[str] = field(default_factory=list)

    def __call__(self, call: Call) -> Response:
        self.calls.append(call.url.rpartition("/")[2])
        return Response(502, b"") if self.is_down else Response(200, b'{"ok": true, "result": true}')


@dataclass
class Account:
    """Everything that a deletion has to do with; `now` is its clock."""

    aws: Aws
    messenger: Messenger = field(default_factory=Messenger)
    now: datetime = NOON

    def __post_init__(self) -> None:
        self.bots, self.scenarios = DynamoBots(lambda: NOON), DynamoScenarios()
        self.dialogs, self.history, self.media = DynamoDialogs(), DynamoHistory(), DynamoMedia(lambda: NOON)
        self.credentials = DynamoCredentials(self.aws.kms)
        self.task_results = DynamoTaskResults(lambda: NOON)
        self.store = S3Store(lambda: self.aws.s3, self.aws.bucket)
        self.scheduler = aws.client("scheduler")
        self.queue = SqsDeletions(self.aws.sqs, self.aws.deletions)
        self.remover = self._remover()

    def _remover(self) -> Remover:
        files = Files(self.media, self.store)
        schedules = SetSchedules(self.scheduler, GROUP)
        registrar = Registrar(MessengerAddresses(), self.credentials, self.messenger)
        of_dialog = DialogRemoval(self.history, files, schedules, self.task_results)
        of_bot = BotRemoval(
            bots=self.bots,
            connections=Connections(self.credentials, registrar, lambda: self.now),
            dialogs=self.dialogs,
            of_dialog=of_dialog,
            files=files,
            belongings=(
                self.scenarios,
                *map(ItemsOfBots, (BotSettings, BotUsage, SyncRefusal)),
                Folders(self.store, self.store),
            ),
        )
        return Remover(of_bot, of_dialog, self.queue)

    def refuse(self, bot_id: str, dialog: str) -> None:
        """A run of a dialog, named with its epoch, that the main system did not take."""
        kept: dict[str, Any] = {"refusal": "{}", "sealed": "s", "expires_at": timedelta(days=90)}
        SyncRefusal(bot_id, str(uuid4()), dialog=dialog, **kept).save()

    @property
    def receipt(self) -> ReceiptRecord:
        return ReceiptRecord("read", NOON)

    @property
    def clients(self) -> tuple[Any, ...]:
        return self.aws.dynamodb, self.aws.s3, self.aws.kms, self.aws.sqs, self.scheduler

    # --- what there is ------------------------------------------------------------------------------

    def bot(self, dialogs: int = 2) -> str:
        """A bot with a connection, a scenario of two revisions, one deleted before, files and dialogs."""
        bot_id = str(uuid4())
        self.bots.create(Bot(id=bot_id, account_id="a", name="b", created_at=NOON, updated_at=NOON))
        settings = {"bot_token": f"{uuid4().int % 10**9}:a"}
        self.credentials.create(bot_id, "telegram", settings, settings, is_active=True, identity=bot_id)
        for is_deleted in (False, True):
            self._scenario(bot_id, is_deleted=is_deleted)
        self._settings(bot_id)
        self.file(bot_id, variants={"viber": Variant(f"media/{bot_id}/small.jpg", "image/jpeg", 1)})
        for folder in ("unparsed/telegram", "exports", "received"):
            self.store.put(f"{folder}/{bot_id}/left.json", BytesIO(b"{}"), "application/json")
        for number in range(dialogs):
            self.dialog(bot_id, str(number))
        return bot_id

    def _settings(self, bot_id: str) -> None:
        """With what came of them."""
        settings = DynamoBotSettings(KmsSealer(lambda: self.aws.kms, ENVIRONMENT["SETTINGS_KEY_ID"]))
        for name in (LLM, name_of_secret("crm_token")):
            settings.put(bot_id, name, {}, {"value": "a secret"})
        DynamoUsage(lambda: NOON).add(bot_id, Usage(calls=1))
        self.refuse(bot_id, "d:e")

    def _scenario(self, bot_id: str, *, is_deleted: bool) -> None:
        head = Scenario(id=str(uuid4()), bot_id=bot_id, name="s", created_at=NOON, updated_at=NOON)
        self.scenarios.create(head, {"steps": []})
        self.scenarios.add_revision(head.id, {"steps": []}, "s", "", "")
        if is_deleted:
            self.scenarios.delete(head.id)

    def dialog(self, bot_id: str, chat: str, epoch: str = "e1") -> Dialog:
        """One with a history in two epochs, a file and a schedule."""
        dialog = self.bare_dialog(bot_id, chat, epoch, serial=2)
        for told_in in (epoch, "e0"):
            self.tell(dialog.id, told_in)
        self.file(bot_id, dialog.id)
        self.schedule(f"{dialog.id}-{epoch}-2")
        return dialog

    def bare_dialog(self, bot_id: str, chat: str, epoch: str = "e1", serial: int = 0) -> Dialog:
        """The item alone."""
        dialog = Dialog(
            id=dialog_id_of(bot_id, "telegram", chat),
            bot_id=bot_id,
            platform="telegram",
            platform_chat_id=chat,
            epoch=epoch,
            created_at=NOON,
            updated_at=NOON,
            last_interaction_at=NOON,
            turn=1,
            serial=serial,
        )
        self.dialogs.commit(dialog, None)
        return dialog

    def tell(self, dialog_id: str, epoch: str, turn: int = 1) -> None:
        """Something said, and an answer."""
        for n in (0, 1):
            delivery = DeliveryRecord("sent") if n else None
            author: Any = "bot" if n else "user"
            self.history.record(
                HistoryEntry(
                    dialog_id=dialog_id,
                    epoch=epoch,
                    turn=turn,
                    n=n,
                    message_type=author,
                    message_data={"text": "words"},
                    timestamp=NOON,
                    created_at=NOON,
                    delivery=delivery,
                )
            )

    def file(self, bot_id: str, dialog_id: str = "", at: datetime = NOON, **fields: Any) -> MediaFile:
        media_id = str(uuid4())
        folder = f"received/{bot_id}/{dialog_id}" if dialog_id else "media"
        file = MediaFile(
            id=media_id,
            bot_id=bot_id,
            dialog_id=dialog_id,
            file_type="image",
            file_name="a.jpg",
            created_at=at,
            updated_at=at,
            status="ready",
            storage_path=f"{folder}/{media_id}/a.jpg",
            **fields,
        )
        self.media.create(file)
        for path in paths_of(file):
            self.store.put(path, BytesIO(b"bytes"), "image/jpeg")
        return file

    def schedule(self, name: str) -> None:
        due = NOON + timedelta(days=1)
        self.scheduler.create_schedule(
            Name=name,
            GroupName=GROUP,
            ScheduleExpression=f"at({due:%Y-%m-%dT%H:%M:%S})",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": ENVIRONMENT["SCHEDULE_TARGET_ARN"], "RoleArn": ENVIRONMENT["SCHEDULE_ROLE_ARN"]},
        )

    # --- what is left -------------------------------------------------------------------------------

    def left(self) -> dict[str, int]:
        """How many items, objects and schedules there are; kinds of which there are none are left out."""
        counts = {table.Meta.variable: len(items_of(table.Meta.variable)) for table in TABLES}
        counts["objects"] = len(self.paths)
        counts["schedules"] = len(self.schedules)
        return {kind: count for kind, count in counts.items() if count}

    @property
    def paths(self) -> list[str]:
        listed = self.aws.s3.list_objects_v2(Bucket=self.aws.bucket).get("Contents", [])
        return [each["Key"] for each in listed]

    @property
    def schedules(self) -> list[str]:
        return [each["Name"] for each in self.scheduler.list_schedules(GroupName=GROUP)["Schedules"]]

    def asked(self) -> list[str]:
        """The bodies that lie in the deletions queue, delayed ones too; taken out."""
        queue = _moto_queue(self.aws.deletions)
        bodies = [message.body for message in queue]
        queue.clear()
        return bodies


def _moto_queue(url: str) -> list[Any]:
    from moto.backends import get_backend  # noqa: PLC0415 - of what a real client cannot see: the delayed

    backend = get_backend("sqs")["123456789012"]["eu-central-1"]
    found: list[Any] = backend.queues[url.rsplit("/", 1)[1]]._messages
    return found


def steps_until(count: int) -> Deadline:
    """A deadline that is over after so many looks at the clock."""
    left = iter([900.0] * count)
    return Deadline(lambda: next(left, 0.0))
