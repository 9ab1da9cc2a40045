"""The buttons that a person has been shown, and which of them is meant by what a test or a user names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from shared.dialog import presses
from shared.dialog.messages import Button, Message
from shared.dialog.state import Ask, Choice, Dialog
from shared.scenario.compiler import value_key
from shared.scenario.inputs import as_typed, choice_typed
from shared.simulation.errors import Senseless


@dataclass(frozen=True, slots=True)
class Shown:
    """A button under a message; `choice` is what it stands for, None for one that only finishes a choice."""

    button: Button
    choice: Choice | None


class Board:
    """Everything that was shown, by its question, the newest last."""

    def __init__(self) -> None:
        self._asks: dict[tuple[int, int], dict[int, Shown]] = {}
        self._by_data: dict[str, Shown] = {}
        self._others: dict[str, Button] = {}

    def show(self, messages: Iterable[Message], dialog: Dialog) -> None:
        """Take up what a turn has shown; `dialog` is the turn's."""
        asks = {(dialog.run, ask.number): ask for ask in _asks_of(dialog)}
        for key in asks:
            self._asks.setdefault(key, {})
        for button in (button for message in messages for button in message.buttons):
            if press := presses.read(button.data):
                key = press.run, press.ask
                shown = Shown(button, _choice_of(asks.get(key), press))
                self._asks.setdefault(key, {})[press.choice] = self._by_data[button.data] = shown
            else:
                self._others[button.text] = button

    def value_of(self, button: Button) -> Any:
        """The value of a choice that was shown, None for any other button."""
        found = self._by_data.get(button.data)
        return found.choice.value if found and found.choice else None

    def is_of_author(self, button: Button) -> bool:
        """Whether it is a choice or a link of the scenario; the others are the bot's own."""
        found = self._by_data.get(button.data)
        return bool(button.url or (found and found.choice))

    def pressed(self, named: str | int | bool, ask: int | None = None) -> Button:  # noqa: FBT001 (a value of JSON)
        """The button that is meant: the newest with this value, or else this label, or as one would type it.

        With `ask` it belongs to the newest question (0), or to the last one with buttons before that (-1,
        and so on) or one still older. Raises `Senseless`.
        """
        groups = self._groups(ask)
        shown = [each for group in groups for each in group]
        for is_meant in (_has_value, _has_label):
            if found := next((each for each in shown if is_meant(each, named)), None):
                return found.button
        if found := _typed(named, groups[0] if groups else []):
            return found.button
        raise Senseless(self._why_not(named, shown))

    def _groups(self, ask: int | None) -> list[list[Shown]]:
        """The buttons of each question that may be meant, the newest question first."""
        groups = [[group[place] for place in sorted(group)] for group in reversed(self._asks.values())]
        if not ask:
            return groups if ask is None else groups[:1]
        return [group for group in groups[1:] if group][-ask - 1 :]

    def _why_not(self, named: Any, shown: Iterable[Shown]) -> str:
        other = self._others.get(str(named))
        if other and other.share:
            return f"“{named}” shares a {other.share} from the messenger: say contact or location instead"
        if other:
            return f"“{named}” is a link; nothing comes back from it"
        labels = list(dict.fromkeys(each.button.text for each in shown))
        there = ", ".join(f"“{label}”" for label in labels[:20]) or "none"
        return f"no button “{named}” is shown; there is {there}"


def _asks_of(dialog: Dialog) -> Iterator[Ask]:
    """Every question that is shown, open or yet to be opened."""
    holders = (dialog, dialog.pending, dialog.handoff, *dialog.calls, dialog.detour)
    return (holder.ask for holder in holders if holder and holder.ask)


def _choice_of(ask: Ask | None, press: presses.Press) -> Choice | None:
    return ask.choices[press.choice] if ask and press.choice < len(ask.choices) else None


def _has_value(shown: Shown, named: Any) -> bool:
    return shown.choice is not None and value_key(shown.choice.value) == value_key(named)


def _has_label(shown: Shown, named: Any) -> bool:
    return bool(shown.button.text == named)


def _typed(named: Any, shown: Iterable[Shown]) -> Shown | None:
    """What the person would have taken by typing it: a label in small letters, a position."""
    choices = [(each, each.choice) for each in shown if each.choice]
    place = choice_typed(as_typed(named), [choice for _, choice in choices])
    return None if place is None else choices[place][0]
