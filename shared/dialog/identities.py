"""One dialog for a person whom a messenger knows by several identities (WhatsApp: a number and an id).

A dialog lies under the id that its person's first identity makes. Under the id of each further one lies an
alias that leads to it, made in the same transaction as the turn that has heard of both. So whoever comes
under a second identity is found by one read more, and everybody else by the one read that there was.

Events under two identities are in two groups of the inbound queue and may be applied at the same time, in
either order; nobody knows a better one. The lock of the dialog they meet in keeps them apart, and whoever
loses loads anew. Where both identities have had a dialog before they were told together, the one that was
spoken in last goes on; the other stays as it is, for its history, and can never be committed to again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from shared.dialog.events import (
    FROM_PERSON,
    AddressChanged,
    DeletionRequested,
    GivenBack,
    HandedOff,
    OperatorWrote,
    RunRequested,
)
from shared.dialog.ports import Found, StateRepository
from shared.dialog.state import RECENT_EVENTS, Dialog, Identities, Remains, dialog_id_of
from shared.queueing.envelopes import InboundEnvelope

_OF_ACCOUNT = (RunRequested, DeletionRequested, HandedOff, OperatorWrote, GivenBack)
_TO_A_CHAT = (*FROM_PERSON, AddressChanged, *_OF_ACCOUNT)
"""What is meant for whoever is behind an identity now. All else is meant for one dialog, by its id."""


_MOST_OWNERS = 100
"""Of one number, one after another."""


class Met(msgspec.Struct, frozen=True, gc=False):
    """Where an event found its dialog, and what has to lead there once it is applied.

    `places` are ids that do, or will; `others` are what lies under those that do not yet.
    """

    id: str
    dialog: Dialog | None
    remains: Remains | None = None
    places: tuple[str, ...] = ()
    others: tuple[Found, ...] = ()

    @property
    def found(self) -> tuple[Found, ...]:
        """All that the person has: what goes on, or will, and what is left for it."""
        return (Found(self.id, self.dialog, self.remains), *self.others)

    @property
    def dialogs(self) -> list[Dialog]:
        here = [self.dialog] if self.dialog else []
        return here + [other.dialog for other in self.others if other.dialog]

    @property
    def predecessor(self) -> Remains | None:
        """What is left of the dialog of theirs that was deleted last."""
        deleted = [found.remains for found in self.found if found.remains]
        return max(deleted, key=lambda remains: remains.deleted_at, default=None)

    def knows(self, event: str) -> bool:
        """Whether an event of this hash was applied, whichever identity it came under."""
        if event in _events_of(self):
            return True
        return bool(self.others) and any(event in _events_of(other) for other in self.others)

    def named(self, dialog: Dialog) -> Dialog:
        """The dialog, knowing all that leads to it."""
        known = dialog.identities
        if not self.others and set(self.places).issubset(known.places):
            return dialog
        taken_along = tuple(event for other in self.others for event in _events_of(other))
        left = {each: at for was in self.dialogs for each, at in was.identities.left.items()}
        left.pop(dialog.platform_chat_id, None)
        identities = Identities(
            places=_each_once([*known.places, *self.places], but=dialog.id),
            left={**left, **known.left},
            events=(*known.events, *taken_along)[-RECENT_EVENTS:],
        )
        named: Dialog = msgspec.structs.replace(dialog, identities=identities)
        return named


def meet(dialogs: StateRepository, envelope: InboundEnvelope) -> Met:
    """Find the dialog of whoever the envelope is from, or for; by one read, unless there is more to know."""
    place, found = _owned(envelope.platform_chat_id, envelope.dialog_id, dialogs, envelope)
    met = Met(*found, () if found.id == place else (place,))
    for identity, place in _other_places(envelope).items():
        if place not in _known(met):
            met = _met_with(met, *_owned(identity, place, dialogs, envelope, met.id), envelope)
    return met


def addressed(dialog: Dialog, envelope: InboundEnvelope) -> Dialog:
    """The dialog at the address where the person was heard from last, or has gone."""
    event, chat_id = envelope.event, envelope.platform_chat_id
    if isinstance(event, AddressChanged):
        left = {**dialog.identities.left, chat_id: event.occurred_at}
        return _at(event.chat_id, dialog, left, event.occurred_at)
    if not isinstance(event, FROM_PERSON) or chat_id == dialog.platform_chat_id:
        return dialog
    is_news = event.occurred_at >= dialog.last_interaction_at
    return _at(chat_id, dialog, dialog.identities.left, event.occurred_at) if is_news else dialog


def _owned(
    identity: str, place: str, dialogs: StateRepository, envelope: InboundEnvelope, own: str = ""
) -> tuple[str, Found]:
    """Where the identity leads for who has it now, and what lies there; whose dialog is `own` may come back.

    A number that its person has left is given to somebody else, whose dialog is another one. It lies under an
    id that nobody could have but by this way, one for every time that it was left.
    """
    found = dialogs.follow(place)
    for _ in range(_MOST_OWNERS):
        if found.dialog is None or found.id == own or not _is_somebody_else(found.dialog, identity, envelope):
            break
        left_at = found.dialog.identities.left[identity]
        place = dialog_id_of(envelope.bot_id, envelope.platform, f"{identity}#{left_at.timestamp()}")
        found = dialogs.follow(place)
    return place, found


def _is_somebody_else(dialog: Dialog, identity: str, envelope: InboundEnvelope) -> bool:
    """Whether its person has left the identity, and nothing told with it is theirs still."""
    if not _has_left(dialog, identity, envelope) or not isinstance(envelope.event, _TO_A_CHAT):
        return False
    others = _other_places(envelope).items()
    theirs = [place for each, place in others if not _has_left(dialog, each, envelope)]
    return not any(place in (dialog.id, *dialog.identities.places) for place in theirs)


def _has_left(dialog: Dialog, identity: str, envelope: InboundEnvelope) -> bool:
    left_at = dialog.identities.left.get(identity)
    return left_at is not None and envelope.event.occurred_at > left_at


def _other_places(envelope: InboundEnvelope) -> dict[str, str]:
    """The other identities in the envelope, and the ids that they make."""
    event = envelope.event
    gone_to = event.chat_id if isinstance(event, AddressChanged) else ""
    if not (gone_to or envelope.alias):
        return {}
    told = dict.fromkeys((gone_to, envelope.alias))
    return {
        identity: dialog_id_of(envelope.bot_id, envelope.platform, identity)
        for identity in told
        if identity and identity != envelope.platform_chat_id
    }


def _known(met: Met) -> set[str]:
    return {met.id, *met.places, *(met.dialog.identities.places if met.dialog else ())}


def _met_with(met: Met, place: str, other: Found, envelope: InboundEnvelope) -> Met:
    """Who was met, with what lies at one more place of theirs: a dialog, an alias, or nothing yet."""
    if other.id == met.id:
        there_too: Met = msgspec.structs.replace(met, places=(*met.places, place))
        return there_too
    here = Found(met.id, met.dialog, met.remains)
    goes_on, left = (other, here) if _is_continued_in(other, here, envelope) else (here, other)
    taken_over = left.dialog.identities.places if left.dialog else ()
    places = _each_once([*met.places, place, left.id, *taken_over], but=goes_on.id)
    return Met(*goes_on, places, (*met.others, left))


def _is_continued_in(other: Found, here: Found, envelope: InboundEnvelope) -> bool:
    """Of two dialogs the one spoken in last; but who goes to a new number takes theirs along."""
    if other.dialog is None or here.dialog is None:
        return other.dialog is not None
    is_later = here.dialog.last_interaction_at < other.dialog.last_interaction_at
    return is_later and not isinstance(envelope.event, AddressChanged)


def _events_of(found: Found | Met) -> tuple[str, ...]:
    if found.dialog:
        return found.dialog.identities.events + found.dialog.recent_events
    return found.remains.recent_events if found.remains else ()


def _each_once(places: Iterable[str], *, but: str) -> tuple[str, ...]:
    return tuple(place for place in dict.fromkeys(places) if place != but)


def _at(chat_id: str, dialog: Dialog, left: Mapping[str, datetime], at: datetime) -> Dialog:
    """Where the person is heard from is theirs again, unless they are known to have left it since."""
    if chat_id in left and at <= left[chat_id]:
        return dialog
    others = {each: left_at for each, left_at in left.items() if each != chat_id}
    identities = msgspec.structs.replace(dialog.identities, left=others)
    there: Dialog = msgspec.structs.replace(dialog, platform_chat_id=chat_id, identities=identities)
    return there
