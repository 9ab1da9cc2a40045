"""The repositories over dictionaries: for tests, the simulator and benchmarks.

They keep to what the ones over DynamoDB promise (one contract test holds both), and are safe between
threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import Any, TypeVar

import msgspec

from shared.dialog.history import RANKS, HistoryEntry, ReceiptRecord, entry_key
from shared.dialog.ports import ActiveScenario, Found
from shared.dialog.results import RunResult, Sought
from shared.dialog.state import Call, Dialog, Remains
from shared.errors import ConcurrentTurn, Conflict, NoSuchBot, NotFound
from shared.llm.answers import KnownAnswer
from shared.llm.usage import Usage
from shared.media.base import FileType, MediaFile, MediaStatus, PlatformFileId
from shared.pages import Page, Position
from shared.results.exports import Export
from shared.storage.bot_settings import RevealedSettings, StoredSettings, is_secret, require_met
from shared.storage.bots import CHANGEABLE, Bot, pointer_of
from shared.storage.clock import Clock, utc_now
from shared.storage.credentials import hint_of
from shared.storage.dialogs import ALL_HOURS, Hours, hour_of
from shared.storage.history import span_after
from shared.storage.media import expiry_of, require_changeable
from shared.storage.results import page_of_results, run_end_of, span_of
from shared.storage.scenarios import Revision, RevisionSummary, Scenario, pack, unpack
from shared.tasks.results import TaskResult

T = TypeVar("T")


class MemoryDialogs:
    """Dialogs in memory. What is given and got is copied, fast: only maps can change in place."""

    def __init__(self) -> None:
        self._dialogs: dict[str, Dialog] = {}
        self._remains: dict[str, Remains] = {}
        self._aliases: dict[str, str] = {}
        self._lock = Lock()

    def load(self, dialog_id: str) -> Dialog | None:
        stored = self._dialogs.get(dialog_id)
        return self.follow(dialog_id).dialog if stored is None else _copy_of(stored)

    def follow(self, dialog_id: str) -> Found:
        while dialog_id in self._aliases:
            dialog_id = self._aliases[dialog_id]
        stored = self._dialogs.get(dialog_id)
        return Found(dialog_id, _copy_of(stored) if stored else None, self._remains.get(dialog_id))

    def find(self, dialog_id: str) -> Dialog | Remains | None:
        found = self.follow(dialog_id)
        return found.dialog or found.remains

    def commit(self, dialog: Dialog, met: int | Remains | None) -> None:
        self.join(dialog, met, ())

    def join(self, dialog: Dialog, met: int | Remains | None, others: Sequence[Found]) -> None:
        kept = _copy_of(dialog)
        with self._lock:
            self._require(dialog.id, (met, dialog.epoch) if isinstance(met, int) else met)
            for other in others:
                self._require(other.id, _place(other.dialog) or other.remains)
            for other in others:
                self._remains.pop(other.id, None)
                self._aliases[other.id] = dialog.id
            self._remains.pop(dialog.id, None)
            self._dialogs[dialog.id] = kept

    def delete(self, dialog: Dialog, remains: Remains) -> None:
        with self._lock:
            self._require(dialog.id, (dialog.turn, dialog.epoch))
            if any(place not in self._aliases for place in dialog.identities.places):
                raise ConcurrentTurn(dialog.id)
            for place in (dialog.id, *dialog.identities.places):
                self._dialogs.pop(place, None)
                self._aliases.pop(place, None)
                self._remains[place] = remains

    def _require(self, dialog_id: str, met: tuple[int, str] | Remains | None) -> None:
        stored = _place(self._dialogs.get(dialog_id)) or self._remains.get(dialog_id)
        if dialog_id in self._aliases or met != stored:
            raise ConcurrentTurn(dialog_id)

    def of_bot(
        self,
        bot_id: str,
        platform: str | None,
        limit: int,
        start: Position | None = None,
        hours: Hours = ALL_HOURS,
    ) -> Page[Dialog]:
        first, last = hours
        dialogs = [d for d in list(self._dialogs.values()) if d.bot_id == bot_id]
        within = [d for d in dialogs if first <= hour_of(d.last_interaction_at) <= last]
        matching = [d for d in within if platform in {None, d.platform}]
        page = _page(matching, lambda d: (hour_of(d.last_interaction_at), d.id), limit, start)
        return Page([_copy_of(d) for d in page.items], page.next)


class MemoryHistory:
    """History in memory; nothing expires."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, HistoryEntry]] = {}
        self._lock = Lock()

    def record(self, entry: HistoryEntry) -> None:
        with self._lock:
            entries = self._entries.setdefault(entry.dialog_id, {})
            key = entry.key
            entries[key] = _with_receipt(entry, _receipt_of(entries.get(key)))

    def receive(self, dialog_id: str, key: str, receipt: ReceiptRecord) -> bool:
        with self._lock:
            entry = self._entries.get(dialog_id, {}).get(key)
            if entry is None:
                return False
            former = _receipt_of(entry)
            if former is None or RANKS[former.status] < RANKS[receipt.status]:
                self._entries[dialog_id][key] = _with_receipt(entry, receipt)
            return True

    def find(self, dialog_id: str, key: str) -> HistoryEntry | None:
        return self._entries.get(dialog_id, {}).get(key)

    def of_turn(self, dialog_id: str, epoch: str, turn: int) -> list[HistoryEntry]:
        return self._between(dialog_id, entry_key(epoch, turn, 0), entry_key(epoch, turn, 9999))

    def after(
        self, dialog_id: str, epoch: str, key: str, limit: int, *, newest_first: bool = False
    ) -> list[HistoryEntry]:
        found = self._between(dialog_id, *span_after(epoch, key, newest_first=newest_first))
        ordered = reversed(found) if newest_first else found
        return [entry for entry in ordered if entry.key != key][:limit]

    def of_bot(
        self, bot_id: str, sought: Sought, limit: int, start: Position | None = None
    ) -> Page[RunResult]:
        """The results of the bot's runs, as `DynamoResults` lists them."""
        first, last = span_of(sought, start)
        kept = [entry for entries in list(self._entries.values()) for entry in list(entries.values())]
        ended = [entry for entry in kept if entry.chat and entry.chat.bot_id == bot_id]
        within = [entry for entry in ended if first <= run_end_of(entry) <= last]
        return page_of_results(sorted(within, key=run_end_of, reverse=True), sought, limit, start)

    def _between(self, dialog_id: str, first: str, last: str) -> list[HistoryEntry]:
        entries = list(self._entries.get(dialog_id, {}).items())
        return [entry for key, entry in sorted(entries, key=lambda pair: pair[0]) if first <= key <= last]


def _receipt_of(entry: HistoryEntry | None) -> ReceiptRecord | None:
    return entry.delivery.receipt if entry and entry.delivery else None


def _with_receipt(entry: HistoryEntry, receipt: ReceiptRecord | None) -> HistoryEntry:
    if entry.delivery is None:
        return entry
    return msgspec.structs.replace(entry, delivery=msgspec.structs.replace(entry.delivery, receipt=receipt))


class MemoryMedia:
    """Records of files in memory."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._files: dict[str, MediaFile] = {}
        self._clock = clock
        self._lock = Lock()

    def create(self, file: MediaFile) -> bool:
        with self._lock:
            return self._files.setdefault(file.id, file) is file

    def find(self, media_id: str) -> MediaFile | None:
        file = self._files.get(media_id)
        return file if file and self._is_current(file) else None

    def change(self, media_id: str, *, met: MediaStatus | None = None, **fields: Any) -> MediaFile:
        require_changeable(fields)
        with self._lock:
            file = self._files.get(media_id)
            if file is None:
                raise NotFound("media")
            if met not in {None, file.status}:
                raise Conflict("the file has come further meanwhile")
            changed = msgspec.structs.replace(file, **fields, updated_at=self._clock())
            self._files[media_id] = changed
            return changed

    def keep_file_id(self, media_id: str, platform: str, known: PlatformFileId) -> None:
        with self._lock:
            if file := self._files.get(media_id):
                self._set_file_ids(file, {**file.platform_file_ids, platform: known})

    def forget_file_id(self, media_id: str, platform: str, file_id: str) -> None:
        with self._lock:
            file = self._files.get(media_id)
            known = file.platform_file_ids.get(platform) if file else None
            if file and known and known.file_id == file_id:
                rest = {name: each for name, each in file.platform_file_ids.items() if name != platform}
                self._set_file_ids(file, rest)

    def of_bot(
        self,
        bot_id: str,
        limit: int,
        start: Position | None = None,
        *,
        file_type: FileType | None = None,
        status: MediaStatus | None = None,
    ) -> Page[MediaFile]:
        files = [f for f in list(self._files.values()) if f.bot_id == bot_id and not f.dialog_id]
        chosen = [f for f in files if file_type in {None, f.file_type} and status in {None, f.status}]
        return self._page_of(chosen, limit, start)

    def of_dialog(self, dialog_id: str, limit: int, start: Position | None = None) -> Page[MediaFile]:
        files = [file for file in list(self._files.values()) if file.dialog_id == dialog_id]
        return self._page_of(files, limit, start)

    def delete(self, media_id: str) -> None:
        with self._lock:
            self._files.pop(media_id, None)

    def _page_of(self, files: list[MediaFile], limit: int, start: Position | None) -> Page[MediaFile]:
        current = [file for file in files if self._is_current(file)]
        return _page(current, lambda file: (file.created_at.isoformat(), file.id), limit, start)

    def _is_current(self, file: MediaFile) -> bool:
        expires_at = expiry_of(file.status, file.created_at)
        return expires_at is None or expires_at > self._clock()

    def _set_file_ids(self, file: MediaFile, known: dict[str, PlatformFileId]) -> None:
        self._files[file.id] = msgspec.structs.replace(file, platform_file_ids=known)


class MemoryBots:
    """Bots in memory."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._bots: dict[str, Bot] = {}
        self._deleted: dict[str, datetime] = {}
        self._clock = clock
        self._lock = Lock()

    def create(self, bot: Bot) -> None:
        with self._lock:
            if bot.id in self._bots or bot.id in self._deleted:
                raise Conflict("a bot with this id exists already")
            self._bots[bot.id] = bot

    def get(self, bot_id: str) -> Bot:
        if bot_id not in self._bots:
            raise NoSuchBot
        return self._bots[bot_id]

    def change(self, bot_id: str, *, met: datetime | None = None, **fields: Any) -> Bot:
        unknown = fields.keys() - CHANGEABLE
        if unknown:
            raise TypeError(f"a bot's {', '.join(sorted(unknown))} cannot be changed")
        with self._lock:
            bot = self.get(bot_id)
            if met not in {None, bot.updated_at}:
                raise Conflict("the bot was changed by somebody else")
            self._bots[bot_id] = replace(bot, **fields, updated_at=self._clock())
            return self._bots[bot_id]

    def delete(self, bot_id: str, *, met: datetime | None = None) -> None:
        with self._lock:
            if met not in {None, self.get(bot_id).updated_at}:
                raise Conflict("the bot was changed by somebody else")
            del self._bots[bot_id]
            self._deleted[bot_id] = self._clock()

    def deleted_at(self, bot_id: str) -> datetime | None:
        return self._deleted.get(bot_id)

    def of_account(self, account_id: str, limit: int, start: Position | None = None) -> Page[Bot]:
        bots = [bot for bot in list(self._bots.values()) if bot.account_id == account_id]
        return _page(bots, lambda bot: (bot.created_at.isoformat(), bot.id), limit, start)

    def active_scenario(self, bot_id: str) -> ActiveScenario | None:
        return pointer_of(self.get(bot_id))

    def is_active(self, bot_id: str) -> bool | None:
        bot = self._bots.get(bot_id)
        return None if bot is None else bot.is_active


class MemoryScenarios:
    """Scenarios in memory."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._heads: dict[str, Scenario] = {}
        self._revisions: dict[str, list[tuple[bytes, datetime]]] = {}
        self._clock = clock
        self._lock = Lock()

    def create(self, scenario: Scenario, document: dict[str, Any]) -> None:
        packed = pack(document)
        with self._lock:
            if scenario.id in self._heads:
                raise Conflict("a scenario with this id exists already")
            self._heads[scenario.id] = scenario
            self._revisions[scenario.id] = [(packed, scenario.created_at)]

    def add_revision(
        self,
        scenario_id: str,
        document: dict[str, Any],
        name: str,
        description: str,
        version: str,
        met: int | None = None,
    ) -> Scenario:
        packed, now = pack(document), self._clock()
        with self._lock:
            head = self.get(scenario_id)
            if met not in {None, head.latest_revision}:
                raise Conflict("the scenario was changed by somebody else")
            following = replace(
                head,
                name=name,
                description=description,
                version=version,
                latest_revision=head.latest_revision + 1,
                updated_at=now,
            )
            self._heads[scenario_id] = following
            self._revisions[scenario_id].append((packed, now))
            return following

    def get(self, scenario_id: str) -> Scenario:
        if scenario_id not in self._heads:
            raise NotFound("scenario")
        return self._heads[scenario_id]

    def of_bot(self, bot_id: str, limit: int, start: Position | None = None) -> Page[Scenario]:
        heads = [head for head in list(self._heads.values()) if head.bot_id == bot_id]
        return _page(heads, lambda head: (head.created_at.isoformat(), head.id), limit, start)

    def revision(self, scenario_id: str, n: int) -> Revision:
        written = self._revisions.get(scenario_id, [])
        if not 1 <= n <= len(written):
            raise NotFound("revision")
        packed, created_at = written[n - 1]
        return Revision(scenario_id, n, unpack(packed), created_at)

    def revisions(self, scenario_id: str, limit: int, start: Position | None = None) -> Page[RevisionSummary]:
        written = list(enumerate(self._revisions.get(scenario_id, []), 1))
        summaries = [RevisionSummary(scenario_id, n, created_at) for n, (_, created_at) in written]
        return _page(summaries, lambda summary: (summary.revision,), limit, start)

    def document(self, scenario_id: str, revision: int) -> dict[str, Any]:
        return self.revision(scenario_id, revision).document


class MemoryBotSettings:
    """Settings in memory, their secrets in the clear."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._stored: dict[tuple[str, str], tuple[StoredSettings, dict[str, str]]] = {}
        self._clock = clock
        self._lock = Lock()

    def put(
        self,
        bot_id: str,
        name: str,
        public: Mapping[str, Any],
        secrets: Mapping[str, str] | None,
        *,
        health: Mapping[str, Any] | None = None,
        met: datetime | None = None,
    ) -> StoredSettings:
        with self._lock:
            former, kept = self._stored.get((bot_id, name), (None, None))
            require_met(former.updated_at if former else None, met)
            given = kept if secrets is None else dict(secrets)
            if given is None:
                raise NotFound("settings")
            now = self._clock()
            stored = StoredSettings(
                bot_id=bot_id,
                name=name,
                public=_copy_of_json(dict(public)),
                hints={each: hint_of(value) for each, value in given.items()},
                health=_copy_of_json(dict(health or {})),
                created_at=former.created_at if former else now,
                updated_at=now,
            )
            self._stored[bot_id, name] = stored, given
            return stored

    def get(self, bot_id: str, name: str) -> StoredSettings:
        found = self.find(bot_id, name)
        if found is None:
            raise NotFound("settings")
        return found

    def find(self, bot_id: str, name: str) -> StoredSettings | None:
        return self._stored.get((bot_id, name), (None,))[0]

    def secrets(self, bot_id: str, limit: int, start: Position | None = None) -> Page[StoredSettings]:
        after = (start or {}).get("after", "")
        stored = [each for each, _ in list(self._stored.values()) if each.bot_id == bot_id]
        rest = sorted((each for each in stored if is_secret(each.name)), key=lambda each: each.name)
        items = [each for each in rest if each.name > after]
        more = len(items) > limit
        return Page(items[:limit], {"after": items[limit - 1].name} if more else None)

    def reveal(self, bot_id: str, name: str) -> RevealedSettings | None:
        stored, secrets = self._stored.get((bot_id, name), (None, {}))
        if stored is None:
            return None
        return RevealedSettings(_copy_of_json(stored.public), dict(secrets), stored.updated_at)

    def record_health(self, bot_id: str, name: str, health: Mapping[str, Any], *, met: datetime) -> bool:
        with self._lock:
            stored, secrets = self._stored.get((bot_id, name), (None, {}))
            if stored is None or stored.updated_at != met:
                return False
            self._stored[bot_id, name] = replace(stored, health=_copy_of_json(dict(health))), secrets
            return True

    def delete(self, bot_id: str, name: str, *, met: datetime | None = None) -> None:
        with self._lock:
            require_met(self.get(bot_id, name).updated_at, met)
            del self._stored[bot_id, name]


class MemoryUsage:
    """Counters in memory; none expires."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._counted: dict[tuple[str, date], Usage] = {}
        self._clock = clock
        self._lock = Lock()

    def add(self, bot_id: str, used: Usage) -> Usage:
        today = self._clock().astimezone(UTC).date()
        with self._lock:
            self._counted[bot_id, today] = self.of_day(bot_id, today) + used
            return self._counted[bot_id, today]

    def of_day(self, bot_id: str, day: date) -> Usage:
        return self._counted.get((bot_id, day), Usage())

    def days(self, bot_id: str, since: date, until: date) -> dict[date, Usage]:
        kept = sorted(self._counted.items())
        return {day: used for (of, day), used in kept if of == bot_id and since <= day <= until}


class MemoryLeases:
    """Leases in memory."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._leases: dict[str, tuple[str, datetime]] = {}
        self._lock = Lock()

    def take(self, name: str, owner: str, seconds: float) -> bool:
        now = self._clock()
        with self._lock:
            holder, expires_at = self._leases.get(name, (owner, now))
            if holder != owner and expires_at > now:
                return False
            self._leases[name] = owner, now + timedelta(seconds=seconds)
            return True

    def release(self, name: str, owner: str) -> None:
        with self._lock:
            if self._leases.get(name, ("",))[0] == owner:
                del self._leases[name]


class MemoryExports:
    """Records of exports in memory; none expires."""

    def __init__(self) -> None:
        self._exports: dict[str, Export] = {}
        self._lock = Lock()

    def create(self, export: Export) -> None:
        self._exports[export.id] = export

    def find(self, export_id: str) -> Export | None:
        return self._exports.get(export_id)

    def save(self, export: Export, met: Export) -> bool:
        with self._lock:
            is_unmoved = self._exports.get(export.id) == met
            if is_unmoved:
                self._exports[export.id] = export
            return is_unmoved


class MemoryModelAnswers:
    """Answers of models in memory."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._answers: dict[str, tuple[KnownAnswer, datetime]] = {}

    def find(self, name: str) -> KnownAnswer | None:
        answer, expires_at = self._answers.get(name, (None, self._clock()))
        return answer if expires_at > self._clock() else None

    def keep(self, name: str, answer: KnownAnswer, seconds: int) -> None:
        self._answers[name] = answer, self._clock() + timedelta(seconds=seconds)


class MemoryTaskResults:
    """Results of tasks in memory; none expires."""

    def __init__(self) -> None:
        self._results: dict[str, TaskResult] = {}

    def find(self, task_id: str) -> TaskResult | None:
        return self._results.get(task_id)

    def keep(self, task_id: str, result: TaskResult) -> TaskResult:
        return self._results.setdefault(task_id, result)


def _copy_of(dialog: Dialog) -> Dialog:
    copied: Dialog = msgspec.structs.replace(dialog)
    copied.variables = _copy_of_json(dialog.variables)
    copied.kept = _copy_of_json(dialog.kept) if dialog.kept else {}
    copied.called = dict(dialog.called) if dialog.called else {}
    if dialog.calls:
        copied.calls = tuple(map(_copy_of_call, dialog.calls))
    if dialog.detour and dialog.detour.calls:
        calls = tuple(map(_copy_of_call, dialog.detour.calls))
        copied.detour = msgspec.structs.replace(dialog.detour, calls=calls)
    return copied


def _copy_of_call(call: Call) -> Call:
    return msgspec.structs.replace(call, variables=_copy_of_json(call.variables))


_ATOMS = frozenset({str, int, float, bool, type(None)})


def _copy_of_json(value: Any) -> Any:
    if isinstance(value, dict):
        if _ATOMS.issuperset(map(type, value.values())):
            return value.copy()
        return {key: _copy_of_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_copy_of_json(inner) for inner in value]
    return value


def _place(stored: Dialog | None) -> tuple[int, str] | None:
    return None if stored is None else (stored.turn, stored.epoch)


def _page(
    items: Sequence[T], rank: Callable[[T], tuple[Any, ...]], limit: int, start: Position | None
) -> Page[T]:
    """The items of highest rank below the position, which is a rank itself."""
    ordered = sorted(items, key=rank, reverse=True)
    rest = [item for item in ordered if start is None or rank(item) < tuple(start["below"])]
    more = len(rest) > limit
    return Page(rest[:limit], {"below": list(rank(rest[limit - 1]))} if more else None)
