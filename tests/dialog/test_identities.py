"""A person whom a messenger knows by several identities has one dialog, in whatever order they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count, permutations
from random import Random
from typing import Any

import msgspec
import pytest

from shared.dialog.events import (
    AddressChanged,
    ChatBlocked,
    DeletionRequested,
    HandedOff,
    MessageReceived,
    TimerFired,
)
from shared.dialog.history import HistoryEntry
from shared.dialog.manager import Applied
from shared.dialog.ports import Found
from shared.dialog.replay import Difference, replay
from shared.dialog.state import Dialog, Identities, Remains, dialog_id_of
from shared.errors import ConcurrentTurn, NotAccepted
from shared.queueing.envelopes import DialogDeletionEnvelope, InboundEnvelope
from shared.storage.dialogs import DynamoDialogs
from shared.storage.memory import MemoryDialogs
from tests.dialog.doubles import KeptDeletions
from tests.dialog.test_manager import Parley
from tests.dialog.world import BOT_ID, NOW

NUMBER, SCOPED, NEW_NUMBER, ANOTHER = "4915112345678", "US.1349", "4917098765432", "4916055555555"


def place(identity: str) -> str:
    return dialog_id_of(BOT_ID, "whatsapp", identity)


def keys_of(dialog: Dialog) -> tuple[str, ...]:
    return (dialog.id, *dialog.identities.places)


def envelope(event: Any, chat_id: str, alias: str = "") -> InboundEnvelope:
    return InboundEnvelope(
        dialog_id=place(chat_id),
        bot_id=BOT_ID,
        platform="whatsapp",
        platform_chat_id=chat_id,
        event=event,
        received_at=NOW,
        trace_id="trace",
        alias=alias,
    )


def said(chat_id: str, alias: str = "", *, minute: int = 0, text: str = "") -> InboundEnvelope:
    event_id = text or f"{chat_id}/{alias}/{minute}"
    return envelope(MessageReceived(id=event_id, occurred_at=at(minute), text=event_id), chat_id, alias)


def gone(chat_id: str, to: str, minute: int, alias: str = "") -> InboundEnvelope:
    changed = AddressChanged(id=f"{chat_id}>{to}/{minute}", occurred_at=at(minute), chat_id=to)
    return envelope(changed, chat_id, alias)


def at(minute: int) -> datetime:
    return NOW - timedelta(hours=1) + timedelta(minutes=minute)


@pytest.fixture(autouse=True)
def everybody_replays() -> Iterator[None]:
    """Whoever was joined, has moved or was deleted can be done again from each history alone."""
    Parley.made.clear()
    yield
    for parley in (each for each in Parley.made if isinstance(each.dialogs, MemoryDialogs)):
        for identity in (NUMBER, SCOPED, NEW_NUMBER, "US.7777"):
            assert _difference(parley, place(identity)) is None


def _difference(parley: Parley, dialog_id: str) -> Difference | None:
    dialog = parley.dialogs.load(dialog_id)
    if dialog is None:
        return None
    entries = parley.history.after(dialog.id, dialog.epoch, "", 500)
    return replay(dialog, entries, parley.manager.scenarios.get, parley.sealer.open)


class People(Parley):
    def handle(self, *envelopes: InboundEnvelope) -> list[Applied]:
        return [self.manager.handle(each) for each in envelopes]

    def of(self, identity: str) -> Dialog:
        found = self.dialogs.follow(place(identity)).dialog
        assert found is not None
        return found

    def dialogs_there(self) -> list[Dialog]:
        """Those that go on, and those left for them."""
        found = [self.dialogs.load(place(each)) for each in (NUMBER, SCOPED, NEW_NUMBER)]
        return list({dialog.id: dialog for dialog in found if dialog}.values())

    def entries_of(self, dialog: Dialog) -> list[HistoryEntry]:
        return self.history.after(dialog.id, dialog.epoch, "", 500)

    def answers(self, identity: str) -> int:
        return int(self.of(identity).variables.get("count", 0))


@pytest.fixture(params=[MemoryDialogs, DynamoDialogs], ids=["memory", "dynamodb"])
def people(request: pytest.FixtureRequest) -> People:
    if request.param is DynamoDialogs:
        request.getfixturevalue("aws_account")
    return People(dialogs=request.param())


@pytest.mark.parametrize("order", list(permutations([(NUMBER, ""), (NUMBER, SCOPED), (SCOPED, "")])))
def test_who_is_told_under_both_identities_goes_on_in_one_dialog(order: Any) -> None:
    people = People()
    people.handle(*(said(*each, minute=minute) for minute, each in enumerate(order)))
    people.handle(said(NUMBER, minute=10), said(SCOPED, minute=11), said(NUMBER, SCOPED, minute=12))
    one = people.of(NUMBER)
    assert one == people.of(SCOPED)
    assert set(keys_of(one)) == {place(NUMBER), place(SCOPED)}
    assert one.variables["last"] == f"{NUMBER}/{SCOPED}/12"


def test_the_same_holds_over_each_store(people: People) -> None:
    outcomes = people.handle(said(SCOPED), said(NUMBER, SCOPED, minute=1), said(NUMBER, minute=2))
    assert outcomes == [Applied.TURN] * 3
    assert people.of(NUMBER).id == place(SCOPED)
    assert people.of(NUMBER).turn == 3
    assert people.dialogs.load(place(NUMBER)) == people.of(SCOPED)


def test_what_is_said_goes_where_the_person_was_heard_from_last() -> None:
    people = People()
    people.handle(said(NUMBER, SCOPED), said(SCOPED, minute=1), said(NUMBER, SCOPED, minute=2))
    told = [each for each in people.outbound.envelopes if not each.reemitted]
    assert [each.platform_chat_id for each in told] == [NUMBER, SCOPED, NUMBER]
    assert {each.dialog_id for each in people.outbound.envelopes} == {place(NUMBER)}


def test_an_identity_that_is_known_to_be_theirs_is_not_looked_up_again() -> None:
    people = People()
    people.handle(said(NUMBER, SCOPED), said(NUMBER, SCOPED, minute=1))
    looked_up: list[str] = []

    class Watched(MemoryDialogs):
        def follow(self, dialog_id: str) -> Found:
            looked_up.append(dialog_id)
            return people.dialogs.follow(dialog_id)

        def commit(self, dialog: Dialog, met: int | Remains | None) -> None:
            people.dialogs.commit(dialog, met)

    people.manager = _over(people, Watched())
    people.handle(said(NUMBER, SCOPED, minute=2))
    assert looked_up == [place(NUMBER)]


def _over(people: People, dialogs: Any) -> Any:
    return replace(people.manager, dialogs=dialogs)


def test_of_two_dialogs_the_one_spoken_in_last_goes_on_and_the_other_stays_as_it_was(people: People) -> None:
    people.handle(said(NUMBER), said(SCOPED, minute=5), said(SCOPED, minute=6))
    left = people.of(NUMBER)
    people.handle(said(NUMBER, SCOPED, minute=7), said(NUMBER, minute=8))
    assert people.of(NUMBER).id == place(SCOPED)
    assert people.of(NUMBER).turn == 4
    assert people.dialogs.load(place(NUMBER)) == left
    with pytest.raises(ConcurrentTurn):
        people.dialogs.commit(left, left.turn)


def test_an_event_applied_in_the_dialog_that_was_left_is_not_applied_again_in_the_other() -> None:
    people = People()
    people.handle(said(SCOPED), said(NUMBER, minute=3))
    people.outbound.is_down = True
    with pytest.raises(NotAccepted):
        people.handle(said(SCOPED, minute=1, text="answer"))
    people.outbound.is_down = False
    people.outbound.envelopes.clear()
    people.handle(said(NUMBER, SCOPED, minute=4))
    assert people.of(SCOPED).id == place(NUMBER)
    emitted = [(each.dialog_id, each.reemitted) for each in people.outbound.envelopes]
    assert emitted == [(place(SCOPED), True), (place(NUMBER), False)]
    assert people.handle(said(SCOPED, minute=1, text="answer")) == [Applied.KNOWN]


def test_a_word_that_comes_again_under_the_other_identity_as_well_is_known(people: People) -> None:
    people.handle(said(SCOPED, text="once"), said(NUMBER, minute=3))
    again = msgspec.structs.replace(said(SCOPED, text="once"), **_under(NUMBER, SCOPED))
    assert people.handle(again) == [Applied.KNOWN]
    assert people.of(NUMBER).turn == 1


def _under(identity: str, alias: str) -> dict[str, Any]:
    return {"dialog_id": place(identity), "platform_chat_id": identity, "alias": alias}


def test_what_a_deleted_dialog_knew_is_known_to_who_goes_on_under_another_identity(people: People) -> None:
    word, deleted_at = said(SCOPED, text="once"), NOW + timedelta(minutes=1)
    people.handle(word)
    deleted = DeletionRequested(id="d", occurred_at=deleted_at, epoch=people.of(SCOPED).epoch)
    people.handle(envelope(deleted, SCOPED))
    people.now = NOW + timedelta(minutes=2)
    anew = said(NUMBER, SCOPED, minute=61)
    people.handle(msgspec.structs.replace(anew, received_at=people.now))
    assert people.of(SCOPED).id == place(NUMBER)
    assert people.handle(word, said(SCOPED, minute=60)) == [Applied.KNOWN, Applied.LATE]


def test_what_a_turn_wants_is_done_before_the_next_that_comes_under_another_identity(people: People) -> None:
    """Each identity has a group of the queue, which does not wait for what another is to do once more."""
    people.handle(said(NUMBER, SCOPED))
    people.outbound.is_down = True
    with pytest.raises(NotAccepted):
        people.handle(said(NUMBER, minute=1))
    people.outbound.is_down = False
    people.handle(said(SCOPED, minute=2), said(SCOPED, minute=3))
    assert people.handle(said(NUMBER, minute=1)) == [Applied.KNOWN]
    emitted = [(each.turn, each.reemitted) for each in people.outbound.envelopes]
    assert emitted == [(1, False), (2, True), (3, False), (4, False)]
    entries = people.history.after(place(NUMBER), people.of(NUMBER).epoch, "", 10)
    assert [entry.turn for entry in entries] == [1, 2, 3, 4]


def test_whoever_writes_between_the_reading_and_the_joining_is_not_lost(people: People) -> None:
    """The other identity's group of the queue is worked on at the same moment."""
    people.handle(said(NUMBER))
    stale = people.dialogs.follow(place(SCOPED))
    met = people.of(NUMBER)
    people.handle(said(SCOPED, minute=1))
    with pytest.raises(ConcurrentTurn):
        people.dialogs.join(met, met.turn, [stale])
    people.handle(said(NUMBER, SCOPED, minute=2))
    assert people.of(NUMBER) == people.of(SCOPED)


def test_a_first_word_under_an_identity_that_was_joined_meanwhile_begins_no_dialog(people: People) -> None:
    people.handle(said(NUMBER, SCOPED))
    stray = Dialog(
        id=place(SCOPED),
        bot_id=BOT_ID,
        platform="whatsapp",
        platform_chat_id=SCOPED,
        epoch="0",
        created_at=NOW,
        updated_at=NOW,
        last_interaction_at=NOW,
        turn=1,
    )
    with pytest.raises(ConcurrentTurn):
        people.dialogs.commit(stray, None)


def test_an_update_delivered_again_is_applied_once_whatever_it_has_joined(people: People) -> None:
    people.handle(said(SCOPED), said(NUMBER, SCOPED, minute=1))
    assert people.handle(said(NUMBER, SCOPED, minute=1), said(SCOPED)) == [Applied.KNOWN] * 2
    assert people.of(NUMBER).turn == 2


def test_a_dialog_follows_its_person_to_another_number(people: People) -> None:
    people.handle(said(NUMBER, SCOPED), gone(NUMBER, NEW_NUMBER, 5), said(NEW_NUMBER, minute=6))
    moved = people.of(NEW_NUMBER)
    assert (moved.id, moved.platform_chat_id, moved.turn) == (place(NUMBER), NEW_NUMBER, 3)
    assert people.outbound.envelopes[-1].platform_chat_id == NEW_NUMBER
    assert people.of(SCOPED) == moved


def test_an_operator_reaches_who_has_gone_to_another_number_before_they_write() -> None:
    people = People()
    people.handle(said(NUMBER), gone(NUMBER, NEW_NUMBER, 5))
    assert people.of(NUMBER).platform_chat_id == NEW_NUMBER
    people.handle(envelope(HandedOff(id="h", occurred_at=at(6)), NEW_NUMBER))
    assert people.of(NEW_NUMBER).status == "handed_off"


def test_a_number_that_was_left_is_somebody_else_s(people: People) -> None:
    """Who gets it must not find the dialog, nor the answers, of who had it before."""
    people.handle(said(NUMBER), said(NUMBER, minute=1), gone(NUMBER, NEW_NUMBER, 5))
    people.handle(said(NUMBER, "US.7777", minute=9), said("US.7777", minute=10))
    somebody, person = people.outbound.envelopes[-1].dialog_id, people.of(NEW_NUMBER)
    assert somebody != person.id
    other = people.of("US.7777")
    assert (other.id, other.turn, other.variables.get("count")) == (somebody, 2, 1)
    assert place(NUMBER) not in keys_of(other)
    assert person.platform_chat_id == NEW_NUMBER
    timer = TimerFired(id="t", occurred_at=at(11), epoch=person.epoch, timer=1)
    people.handle(envelope(timer, NUMBER))
    assert people.of(NEW_NUMBER).turn == person.turn + 1


def test_a_number_stays_left_whichever_dialog_of_its_former_owner_goes_on(people: People) -> None:
    people.handle(said(NUMBER), gone(NUMBER, NEW_NUMBER, 5), said(NUMBER, minute=6), said(SCOPED, minute=7))
    somebody = people.outbound.envelopes[-2].dialog_id
    people.handle(said(NEW_NUMBER, SCOPED, minute=8))
    assert people.of(NEW_NUMBER).id == place(SCOPED)
    people.handle(said(NUMBER, minute=9))
    assert people.of(SCOPED).turn == 2
    assert people.outbound.envelopes[-1].dialog_id == somebody
    assert somebody not in keys_of(people.of(SCOPED))


FORMER_OWNER: dict[str, list[InboundEnvelope]] = {
    "under the number": [said(NEW_NUMBER, "US.7777"), gone(NEW_NUMBER, ANOTHER, 2)],
    "under an id of their own": [said("US.7777"), said(NEW_NUMBER, "US.7777"), gone(NEW_NUMBER, ANOTHER, 2)],
}


@pytest.mark.parametrize("former", FORMER_OWNER.values(), ids=FORMER_OWNER)
@pytest.mark.parametrize("heir", [gone(NUMBER, NEW_NUMBER, 5), gone(SCOPED, "US.1350", 5, NEW_NUMBER)])
def test_who_goes_to_a_number_that_was_left_meets_nobody_s_dialog_there(
    people: People, former: list[InboundEnvelope], heir: InboundEnvelope
) -> None:
    """Who had it before has taken theirs along, and goes on in it alone."""
    people.handle(*former)
    before = people.of(ANOTHER)
    people.handle(said(NUMBER, SCOPED, minute=3), heir, said(NEW_NUMBER, minute=6), said(ANOTHER, minute=7))
    person, other = people.of(NUMBER), people.of(ANOTHER)
    assert (other.id, other.turn, other.platform_chat_id) == (before.id, before.turn + 1, ANOTHER)
    assert people.of("US.7777") == other
    assert (person.turn, person.platform_chat_id) == (3, NEW_NUMBER)
    people.handle(said(NEW_NUMBER, heir.alias, minute=8))
    assert people.of(NUMBER).turn == 4


@pytest.mark.parametrize(("at_chat", "status"), [(NUMBER, "active"), (NEW_NUMBER, "blocked")])
def test_who_cannot_be_reached_where_they_have_left_is_not_taken_for_gone(at_chat: str, status: str) -> None:
    people = People()
    people.handle(said(NUMBER), gone(NUMBER, NEW_NUMBER, 5))
    unreachable = envelope(ChatBlocked(id="gone/1", occurred_at=at(6)), at_chat)
    people.handle(msgspec.structs.replace(unreachable, dialog_id=people.of(NEW_NUMBER).id))
    assert people.of(NEW_NUMBER).status == status


def test_who_comes_back_to_their_number_has_their_dialog_still() -> None:
    people = People()
    people.handle(said(NUMBER), gone(NUMBER, NEW_NUMBER, 5), gone(NEW_NUMBER, NUMBER, 8))
    people.handle(said(NUMBER, minute=9))
    assert (people.of(NUMBER).turn, people.of(NUMBER).platform_chat_id) == (4, NUMBER)


def test_a_change_told_again_after_the_way_back_moves_nobody() -> None:
    people = People()
    first = gone(NUMBER, NEW_NUMBER, 5)
    people.handle(said(NUMBER), first, gone(NEW_NUMBER, NUMBER, 8))
    people.handle(*(said(NUMBER, minute=9, text=f"{n}") for n in range(70)), first)
    assert people.of(NUMBER).platform_chat_id == NUMBER


def test_who_is_known_by_their_own_id_alone_is_followed_to_another_number() -> None:
    people = People()
    people.handle(said(SCOPED), gone(NUMBER, NEW_NUMBER, 5, SCOPED))
    assert people.of(NEW_NUMBER).platform_chat_id == NEW_NUMBER
    assert people.of(SCOPED) == people.of(NEW_NUMBER)


def test_a_change_of_somebody_unknown_is_nothing_to_keep() -> None:
    people = People()
    assert people.handle(gone(NUMBER, NEW_NUMBER, 5)) == [Applied.NO_DIALOG]
    assert people.dialogs.follow(place(NEW_NUMBER)) == Found(place(NEW_NUMBER))


@pytest.mark.parametrize("said_at", [lambda: said(NUMBER, minute=1), lambda: said(NUMBER, SCOPED, minute=9)])
def test_what_was_written_before_the_change_or_with_their_own_id_is_theirs(
    said_at: Callable[[], InboundEnvelope],
) -> None:
    people = People()
    people.handle(said(NUMBER, SCOPED), gone(NUMBER, NEW_NUMBER, 5), said_at())
    assert people.of(NEW_NUMBER).turn == 3


def test_who_is_back_at_a_number_they_had_left_is_known_by_their_own_id(people: People) -> None:
    """Whoever had it in the meantime is somebody else."""
    people.handle(said(SCOPED), said(NUMBER, SCOPED, minute=1), gone(NUMBER, NEW_NUMBER, 5))
    people.handle(said(NUMBER, "US.7777", minute=7))
    people.handle(said(NUMBER, SCOPED, minute=9), said(NUMBER, minute=10))
    person, somebody = people.of(SCOPED), people.of("US.7777")
    assert (person.turn, person.platform_chat_id) == (5, NUMBER)
    assert (somebody.turn, somebody.id != person.id) == (1, True)


def test_who_deletes_a_dialog_deletes_all_that_the_person_had(people: People) -> None:
    people.handle(said(NUMBER), said(SCOPED, minute=5), said(NUMBER, SCOPED, minute=6))
    left, alive = people.dialogs.load(place(NUMBER)), people.of(SCOPED)
    assert left is not None
    deleted = DeletionRequested(id="d", occurred_at=at(7), epoch=alive.epoch)
    assert people.handle(envelope(deleted, NUMBER)) == [Applied.DELETED]
    assert [people.dialogs.load(place(each)) for each in (NUMBER, SCOPED)] == [None, None]
    assert {(each.dialog_id, each.epoch) for each in people.deletions.dialogs} == {
        (place(NUMBER), left.epoch),
        (place(SCOPED), alive.epoch),
    }
    people.now = NOW + timedelta(hours=1)
    again = msgspec.structs.replace(said(NUMBER, SCOPED, minute=100), received_at=people.now)
    assert people.handle(again) == [Applied.TURN]
    assert people.of(NUMBER) == people.of(SCOPED)
    assert people.of(NUMBER).turn == 1


class Fallible(KeptDeletions):
    """Takes so many, and then is out of reach."""

    def __init__(self, takes: int) -> None:
        super().__init__()
        self.takes = takes

    def send_dialog(self, envelope: DialogDeletionEnvelope) -> None:
        if len(self.dialogs) == self.takes:
            raise NotAccepted("deletions", [])
        super().send_dialog(envelope)


@pytest.mark.parametrize("takes", [0, 1])
def test_whoever_was_deleted_under_another_identity_is_removed_wherever_that_broke_off(
    people: People, takes: int
) -> None:
    people.handle(said(NUMBER), said(SCOPED, minute=5), said(SCOPED, NUMBER, minute=6))
    left, alive = people.dialogs.load(place(NUMBER)), people.of(SCOPED)
    assert left is not None
    asked = envelope(DeletionRequested(id="d", occurred_at=at(7), epoch=alive.epoch), NUMBER)
    broken = replace(people.manager, deletions=Fallible(takes))
    with pytest.raises(NotAccepted):
        broken.handle(asked)
    people.handle(said(SCOPED, minute=8), asked)
    assert {each.dialog_id for each in people.deletions.dialogs} == {left.id, alive.id}
    assert [people.dialogs.load(place(each)) for each in (NUMBER, SCOPED)] == [None, None]


def test_a_deletion_that_is_refused_leaves_all_that_leads_to_the_dialog(people: People) -> None:
    people.handle(said(NUMBER, SCOPED))
    stale = people.of(NUMBER)
    people.handle(said(SCOPED, minute=1))
    with pytest.raises(ConcurrentTurn):
        people.dialogs.delete(stale, Remains(stale.epoch, at(2), ()))
    assert people.of(SCOPED) == people.of(NUMBER)


def test_a_deletion_writes_over_nobody_who_has_begun_anew(people: People) -> None:
    people.handle(said(NUMBER))
    deleted = people.of(NUMBER)
    people.handle(said(SCOPED, minute=1))
    known = msgspec.structs.replace(deleted, identities=Identities((place(SCOPED),)))
    with pytest.raises(ConcurrentTurn):
        people.dialogs.delete(known, Remains(deleted.epoch, at(2), ()))
    assert people.answers(SCOPED) == 0


def test_a_dialog_that_is_continued_elsewhere_is_deleted_with_that(people: People) -> None:
    """It is the same person's; whoever deletes one of the two means what that person has said."""
    people.handle(said(NUMBER), said(SCOPED, minute=5), said(SCOPED, NUMBER, minute=6))
    left = people.dialogs.load(place(NUMBER))
    assert left is not None
    deleted = DeletionRequested(id="d", occurred_at=at(7), epoch=left.epoch)
    assert people.handle(envelope(deleted, NUMBER)) == [Applied.DELETED]
    assert [people.dialogs.load(place(each)) for each in (NUMBER, SCOPED)] == [None, None]
    assert len(people.deletions.dialogs) == 2


class Killed(BaseException):
    """The process is gone: no `except Exception` sees it."""


class Mortal:
    """A collaborator; the process ends at the call of that number, before it is made or once it is."""

    def __init__(self, inner: Any, numbers: Iterator[int], place: int, *, after: bool) -> None:
        self._inner, self._numbers, self._place, self._after = inner, numbers, place, after

    def __getattr__(self, name: str) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            is_last = next(self._numbers) == self._place
            if is_last and not self._after:
                raise Killed
            answer = getattr(self._inner, name)(*given, **named)
            if is_last:
                raise Killed
            return answer

        return call


def mortal(people: People, place: int, *, after: bool) -> Any:
    numbers = count()
    names = ("dialogs", "history", "outbound", "deletions")
    replaced: dict[str, Any] = {
        name: Mortal(getattr(people.manager, name), numbers, place, after=after) for name in names
    }
    return replace(people.manager, **replaced)


MOMENTS = {
    "a first word": ([], said(NUMBER, SCOPED)),
    "a joining": ([said(SCOPED), said(NUMBER, minute=1)], said(NUMBER, SCOPED, minute=2)),
    "a joining the other way": ([said(NUMBER), said(SCOPED, minute=1)], said(NUMBER, SCOPED, minute=2)),
    "a word in one": ([said(NUMBER, SCOPED)], said(NUMBER, minute=2)),
    "a word under the alias": ([said(NUMBER, SCOPED)], said(SCOPED, minute=2)),
    "a change of number": ([said(NUMBER, SCOPED)], gone(NUMBER, NEW_NUMBER, 2)),
}


@pytest.mark.parametrize("after", [False, True], ids=["before a call", "after it"])
@pytest.mark.parametrize(("before", "event"), MOMENTS.values(), ids=MOMENTS)
def test_a_worker_killed_anywhere_loses_nothing_of_a_person_with_two_identities(
    before: list[InboundEnvelope], event: InboundEnvelope, *, after: bool
) -> None:
    """Even if a word under the other identity is applied before the event comes again."""
    other = NUMBER if event.platform_chat_id == SCOPED else SCOPED
    following = [said(other, minute=3), event, said(SCOPED, minute=4)]
    for place_killed in range(10):
        people = People()
        people.handle(*before)
        with suppress(Killed):
            mortal(people, place_killed, after=after).handle(event)
        people.handle(*following)
        entries = [entry for dialog in people.dialogs_there() for entry in people.entries_of(dialog)]
        applied = sorted(entry.message_data["event"]["id"] for entry in entries if entry.n == 0)
        assert applied == sorted(each.event.id for each in (*before, *following))
        said_in = {(each.dialog_id, each.turn) for each in people.outbound.envelopes}
        assert said_in == {(entry.dialog_id, entry.turn) for entry in entries if entry.messages}


# ── Many people, few numbers ─────────────────────────────────────────────────────────────────────────


@dataclass
class Somebody:
    """`told` is the last id that was told with a number: by it alone they can be known since."""

    name: str
    number: str
    moves: int = 0
    told: str = ""
    dialog_id: str = ""

    @property
    def scoped(self) -> str:
        return f"US.{self.name}x{self.moves}"

    def word(self, random: Random, minute: int) -> InboundEnvelope:
        if self.told and random.random() < 0.25:
            return said(self.told, minute=minute)
        alias = random.choice(("", self.scoped))
        self.told = alias or self.told
        return said(self.number, alias, minute=minute)

    def move(self, number: str, random: Random, minute: int) -> InboundEnvelope:
        former, self.number = self.number, number
        self.moves += 1
        self.told = random.choice(("", self.scoped)) if self.dialog_id else ""
        return gone(former, number, minute, self.told)


@pytest.mark.parametrize("seed", range(40))
def test_whoever_moves_wherever_everybody_keeps_their_own_dialog(seed: int) -> None:
    random, people, free, everybody = Random(seed), People(), ["492", "491", "490"], list[Somebody]()
    for minute in range(1, 30):
        chance = random.random()
        if free and (chance < 0.2 or not everybody):
            everybody.append(Somebody(str(len(everybody)), free.pop(random.randrange(len(free)))))
        elif free and chance < 0.5:
            person = random.choice(everybody)
            free.append(person.number)
            people.handle(person.move(free.pop(random.randrange(len(free) - 1)), random, minute))
        elif everybody:
            person = random.choice(everybody)
            people.handle(person.word(random, minute))
            dialog_id = people.outbound.envelopes[-1].dialog_id
            assert person.dialog_id in ("", dialog_id)
            person.dialog_id = dialog_id
    known = [person.dialog_id for person in everybody if person.dialog_id]
    assert len(set(known)) == len(known)
