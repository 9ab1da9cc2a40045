"""The engine: one event in, one turn out. Pure, synchronous, total.

Time and randomness come in with the event, so a dialog can be replayed, and a simulator or a
scenario's tests run this very code. Nothing here knows a queue, a table or a messenger.

Terms: a *run* is one pass from the start to an end; a question reached anew is an *ask*, numbered in
its run; buttons name the ask they were shown with, which makes older ones *stale*.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from shared.dialog import presses
from shared.dialog.events import ButtonPressed, ConversationStarted, Event, MessageReceived, Person
from shared.dialog.messages import Button, Message
from shared.dialog.state import Ask, Choice, Dialog
from shared.scenario.caps import MAX_COLLECTED_BYTES, MAX_TURN_BYTES, MAX_TURN_MESSAGES, MAX_TURN_STEPS
from shared.scenario.compiler import (
    CompiledButton,
    CompiledCondition,
    CompiledInput,
    CompiledScenario,
    CompiledStep,
    value_key,
)
from shared.scenario.expressions import Expression, Undecided
from shared.scenario.inputs import as_typed, choice_typed, extract, is_text
from shared.scenario.texts import Text, printed
from shared.scenario.words import DEFAULT_LANGUAGE

MANY_CHARACTERS = 10_000
MANY_CHOICES = 10
"""A turn that says or offers no more than this is never too large to be saved."""

MAX_LABEL = 1000
"""Characters of a button's label; messengers show far fewer."""
NO_WORDS = "—"

MAX_NOTES = 50
MAX_NOTE = 500
"""Characters of one note."""

_START = re.compile(r"\s*/start(?:@\w+)?(?:\s+(.*))?\Z", re.DOTALL | re.IGNORECASE)


class Moment(msgspec.Struct, frozen=True):
    """The outside, as the event met it: the time, and one random number from 0 up to 1."""

    now: datetime
    random: float


class Turn(msgspec.Struct, frozen=True):
    """What one event did to a dialog.

    `notes` are an author's mistakes met on the way, for the history. `ended_runs` tells of the runs
    that this turn closed: the number of each, how it ended (`completed`, `abandoned`, `broken_off`),
    and what it had collected. `label` is the words of the choice that was taken, or "".
    """

    dialog: Dialog
    messages: tuple[Message, ...]
    notes: tuple[str, ...] = ()
    ended_runs: tuple[dict[str, Any], ...] = ()
    label: str = ""


def has_open_run(dialog: Dialog) -> bool:
    """Whether the dialog is in the middle of a run, and so bound to the revision that began it."""
    return dialog.run > 0 and dialog.status != "completed"


def starts_over(event: Event) -> ConversationStarted | None:
    """The event as a request to begin anew, if it is one; `/start` is a command on every platform."""
    if isinstance(event, ConversationStarted):
        return event
    if isinstance(event, MessageReceived) and (command := _START.match(event.text)):
        return ConversationStarted(
            id=event.id, occurred_at=event.occurred_at, person=event.person, payload=command[1] or ""
        )
    return None


class ScenarioProcessor:
    """Applies events to dialogs by one compiled scenario; holds no state of its own."""

    def __init__(self, scenario: CompiledScenario) -> None:
        self.scenario = scenario

    def advance(self, dialog: Dialog, event: Event, moment: Moment) -> Turn:
        """Apply the event. The given dialog is left as it is; the turn holds its successor."""
        turn = _Turn(self.scenario, _working_copy(dialog, event), moment, event)
        turn.apply()
        return Turn(turn.dialog, tuple(turn.messages), turn.kept_notes(), tuple(turn.ended_runs), turn.label)


def _working_copy(dialog: Dialog, event: Event) -> Dialog:
    copy: Dialog = msgspec.structs.replace(dialog, variables=dict(dialog.variables))
    if event.person is not None:
        copy.person = event.person
    return copy


@dataclass(slots=True)
class _Turn:
    scenario: CompiledScenario
    dialog: Dialog
    moment: Moment
    event: Event
    messages: list[Message] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ended_runs: list[dict[str, Any]] = field(default_factory=list)
    label: str = ""
    input_text: str = ""
    input_value: Any = None
    steps_passed: int = 0
    characters: int = 0
    spoken: tuple[Any, tuple[str, ...]] = (None, ())

    # --- events ---------------------------------------------------------------------------------

    def apply(self) -> None:
        event = self.event
        if start := starts_over(event):
            self._start(start)
        elif isinstance(event, ButtonPressed):
            self._press(event.data)
        elif isinstance(event, MessageReceived):
            self._receive(event)
        if self._is_too_large():
            self._say_less()

    def kept_notes(self) -> tuple[str, ...]:
        return tuple(note[:MAX_NOTE] for note in dict.fromkeys(self.notes))[:MAX_NOTES] if self.notes else ()

    def _receive(self, event: MessageReceived) -> None:
        if not self.dialog.run:
            self._open(event)
        elif self.dialog.status == "completed":
            self._after_end()
        else:
            self._answer(event)

    def _start(self, event: ConversationStarted) -> None:
        opens_only = event.only_opens or event.welcomed_by is not None
        if opens_only and self.dialog.run:
            return
        self._begin(event.payload)
        if event.welcomed_by is not None:
            self.messages = self.messages[1:]

    def _open(self, event: MessageReceived) -> None:
        """The first word of somebody new: it opens the dialog, and answers only where asked to."""
        self._begin()
        if self.scenario.answers_first and self.dialog.ask:
            self._answer(event)

    def _press(self, data: str) -> None:
        dialog = self.dialog
        press = presses.read(data)
        if press and dialog.ask and self._is_open(press):
            if self._choose(dialog.ask, press.choice):
                dialog.accepted = data
        elif data and data == dialog.accepted:
            return
        elif not dialog.run:
            self._begin()
        elif dialog.status == "completed":
            self._after_end()
        else:
            self._say_words("stale_button")
            self._show_again()

    def _is_open(self, press: presses.Press) -> bool:
        """Whether the press answers the open question."""
        ask = self.dialog.ask
        if ask is None or press.choice >= len(ask.choices):
            return False
        return (press.epoch, press.run, press.ask) == (self.dialog.epoch, self.dialog.run, ask.number)

    def _after_end(self) -> None:
        match self.scenario.after_end:
            case "ignore":
                return
            case "restart":
                self._begin()
            case "tell":
                self._say_words("ended")
            case step_id:
                self._begin(at=step_id)

    # --- runs -----------------------------------------------------------------------------------

    def _begin(self, payload: str = "", at: str | None = None) -> None:
        if has_open_run(self.dialog):
            self._close("abandoned")
        dialog = self.dialog
        dialog.run += 1
        dialog.status = "active"
        dialog.asks = 0
        dialog.ask = None
        dialog.accepted = ""
        dialog.used_conditions = ()
        dialog.variables = dict(self.scenario.initial)
        if payload := extract(payload):
            self._put("start_payload", payload)
        self._walk(at or self.scenario.start)

    def _close(self, how: str) -> None:
        run = {"run": self.dialog.run, "status": how, "collected_data": self.dialog.variables}
        self.ended_runs.append(run)
        self.dialog.status = "completed"
        self.dialog.ask = None

    # --- steps ----------------------------------------------------------------------------------

    def _walk(self, step_id: str | None) -> None:
        """Pass steps until one waits for the person or the run ends."""
        while step_id is not None:
            step = self.scenario.steps.get(step_id)
            if step is None:
                self._break_off(f"there is no step “{step_id}”")
                return
            if not self._has_room_for(step):
                self._break_off(
                    f"more than {MAX_TURN_STEPS} steps or {MAX_TURN_MESSAGES} messages in one turn"
                )
                return
            self.steps_passed += 1
            self.dialog.current_step = step.id
            step_id = self._pass(step)
        if self.dialog.ask is None and self.dialog.status != "completed":
            self._close("completed")

    def _has_room_for(self, step: CompiledStep) -> bool:
        says = len(step.messages) or bool(step.buttons)
        return self.steps_passed < MAX_TURN_STEPS and len(self.messages) + says <= MAX_TURN_MESSAGES

    def _break_off(self, note: str) -> None:
        """An author's mistake that leaves nowhere to go: say so, end the run; the dialog can begin anew."""
        self.notes.append(note)
        del self.messages[MAX_TURN_MESSAGES - 1 :]
        self._say_words("action_failed")
        if self.dialog.status != "completed":
            self._close("broken_off")

    def _is_too_large(self) -> bool:
        """Whether the turn and its dialog cannot be saved; measured only where they might be."""
        choices = self.dialog.ask.choices if self.dialog.ask else ()
        if len(choices) <= MANY_CHOICES and self._characters(choices) <= MANY_CHARACTERS:
            return False
        # The outbox still is the one of the turn before, which this turn's will take the place of.
        saved = msgspec.structs.replace(self.dialog, outbox=None), self.messages, self.ended_runs
        return len(msgspec.json.encode(saved)) > MAX_TURN_BYTES

    def _characters(self, choices: Iterable[Choice]) -> int:
        """What the turn says, with its links, and with the words of the choices in every language."""
        links = [b.text + b.url for message in self.messages for b in message.buttons if b.url]
        labels = [label for choice in choices for label in choice.labels]
        return self.characters + sum(map(len, links)) + sum(map(len, labels))

    def _say_less(self) -> None:
        self.messages.clear()
        self._break_off(f"the turn takes more than {MAX_TURN_BYTES // 1024} KB")

    def _pass(self, step: CompiledStep) -> str | None:
        """Carry a step out up to its question. Where it leads, or None if it waits or the run is over."""
        self._assign(step.before)
        if step.input is None:
            self._say_step(step, self._links(step))
            return self._next_after(step)
        if step.input.skip_if_set and step.input.variable in self.dialog.variables:
            return self._next_after(step)
        choices = self._choices(step)
        if not choices and step.input.type == "button":
            return self._when_empty(step)
        self.dialog.asks += 1
        self.dialog.ask = Ask(self.dialog.asks, step.id, choices)
        self._say_step(step, self._buttons(step, self.dialog.ask))
        return None

    def _when_empty(self, step: CompiledStep) -> str | None:
        """A question of which no choice is left."""
        if step.when_empty is None:
            self._break_off(f"step “{step.id}” has no choice left and no when_empty")
        return step.when_empty

    def _next_after(self, step: CompiledStep, pressed: Choice | None = None) -> str | None:
        """Where a step leads, in the language's order; closes the run where it leads nowhere."""
        self._assign(step.set)
        if step.end:
            self._close("completed")
            return None
        if pressed and pressed.next_step:
            return pressed.next_step
        decided, target = self._first_decided(step.conditions)
        if decided:
            return target
        return step.next_step or self._scenario_level(step.id)

    def _first_decided(self, conditions: Iterable[CompiledCondition]) -> tuple[bool, str | None]:
        for condition in conditions:
            if self._is_true(condition.if_):
                return True, condition.then
            if condition.has_else:
                return True, condition.else_
        return False, None

    def _scenario_level(self, step_id: str) -> str | None:
        """The first scenario-level condition that is decided and leads somewhere.

        One without `after` leads somewhere at most once in a run, or every end would lead back.
        """
        for index, condition in enumerate(self.scenario.conditions):
            if condition.after not in (None, step_id) or index in self.dialog.used_conditions:
                continue
            if condition.if_ is None or not self._has_values(condition.if_):
                continue
            decision = self._decide(condition.if_)
            if decision is None:
                continue
            target = condition.then if decision else condition.else_
            if target is not None:
                if condition.after is None:
                    self.dialog.used_conditions = (*self.dialog.used_conditions, index)
                return target
        return None

    # --- answers --------------------------------------------------------------------------------

    def _answer(self, event: MessageReceived) -> None:
        ask = self.dialog.ask
        step = self.scenario.steps.get(ask.step_id) if ask else None
        if ask is None or step is None or step.input is None:
            self._break_off("the dialog waits for an answer to a step that is gone")
            return
        if event.content != "text" and not event.text:
            self._refuse(ask, step, _words_for(event, step.input))
            return
        text = self.input_text = extract(event.text)
        is_button = step.input.type == "button"
        choice = choice_typed(text, ask.choices, by_position=is_button) if ask.choices else None
        if choice is not None:
            self._choose(ask, choice)
        elif is_button:
            self._refuse(ask, step, "choose_button")
        else:
            self._take_text(ask, step, text)

    def _take_text(self, ask: Ask, step: CompiledStep, text: str) -> bool:
        if step.input is None or not is_text(text, step.input.limits):
            self._refuse(ask, step, "not_text")
            return False
        self._store(step, text)
        self._go_on(step)
        return True

    def _choose(self, ask: Ask, index: int) -> bool:
        """Take a choice as the answer; in a question of another type its value counts as typed.

        False if the value was refused.
        """
        choice = ask.choices[index]
        step = self.scenario.steps.get(ask.step_id)
        self.label = choice.label
        if step is None or step.input is None:
            self._break_off("the dialog waits for an answer to a step that is gone")
            return False
        if step.input.type != "button" and not choice.next_step:
            return self._take_text(ask, step, extract(as_typed(choice.value)))
        if step.input.type == "button":
            self._store(step, choice.value)
        self._go_on(step, choice)
        return True

    def _store(self, step: CompiledStep, value: Any) -> None:
        self.input_value = value
        if step.input and step.input.variable:
            self._put(step.input.variable, value)

    def _put(self, name: str, value: Any) -> None:
        """Give a variable a value, in the form in which it will be saved; null takes its value away."""
        variables = dict(self.dialog.variables)
        try:
            variables[name] = _as_saved(value)
        except (TypeError, ValueError, ArithmeticError) as error:
            self.notes.append(f"“{name}” was not stored: {error}")
            return
        if value is None:
            del variables[name]
        if len(msgspec.json.encode(variables)) > MAX_COLLECTED_BYTES:
            self.notes.append(f"“{name}” was not stored: a run collects at most 64 KB")
        else:
            self.dialog.variables = variables

    def _go_on(self, step: CompiledStep, pressed: Choice | None = None) -> None:
        self.dialog.ask = None
        self._walk(self._next_after(step, pressed))

    def _refuse(self, ask: Ask, step: CompiledStep, words: str) -> None:
        """Say that the answer does not fit; the question stays open, until there were too many."""
        expected = step.input
        attempts = ask.attempts + 1
        if expected and expected.max_attempts and attempts >= expected.max_attempts and expected.on_failure:
            self.dialog.ask = None
            self._walk(expected.on_failure)
            return
        self.dialog.ask = msgspec.structs.replace(ask, attempts=attempts)
        own = expected.error_message if expected else None
        self._say(own or self.scenario.fallbacks[words], self._buttons(step, ask), instead=words)

    # --- saying ---------------------------------------------------------------------------------

    def _say_step(self, step: CompiledStep, buttons: tuple[Button, ...]) -> None:
        """Say all its messages, the buttons with the last; of a question shown again those that fit."""
        texts = step.messages[len(self.messages) - MAX_TURN_MESSAGES :]
        for text in texts[:-1]:
            self._say(text)
        if texts:
            self._say(texts[-1], buttons)
        elif buttons:
            self._say_words("choose_button", buttons)

    def _show_again(self) -> None:
        """The open question once more, as the same ask."""
        ask = self.dialog.ask
        step = self.scenario.steps.get(ask.step_id) if ask else None
        if ask and step:
            self._say_step(step, self._buttons(step, ask))

    def _say_words(self, name: str, buttons: tuple[Button, ...] = ()) -> None:
        self._say(self.scenario.fallbacks[name], buttons)

    def _say(self, text: Text, buttons: tuple[Button, ...] = (), *, instead: str = "") -> None:
        """Say it; `instead` names what is said where it comes out empty, though there must be a message."""
        words, spans = text.show(self._value_of, self._languages(), self.notes)
        if not words.strip() and (instead or buttons):
            other = self.scenario.fallbacks[instead or "choose_button"]
            words, spans = other.show(self._value_of, self._languages(), self.notes)
            words = words if words.strip() or not buttons else NO_WORDS
        if words.strip():
            self.characters += len(words)
            self.messages.append(Message(words, spans, buttons))
        else:
            self.notes.append("a message came out empty and was not sent")

    def _choices(self, step: CompiledStep) -> tuple[Choice, ...]:
        shown = (b for b in step.buttons if b.url is None and self._is_shown(b))
        return tuple(Choice(self._words(b.text), b.value, b.text.words, b.next_step) for b in shown)

    def _buttons(self, step: CompiledStep, ask: Ask) -> tuple[Button, ...]:
        dialog = self.dialog
        choices = (
            Button(choice.label, presses.write(dialog.epoch, dialog.run, ask.number, index))
            for index, choice in enumerate(ask.choices)
        )
        return (*choices, *self._links(step))

    def _links(self, step: CompiledStep) -> tuple[Button, ...]:
        return tuple(
            Button(self._words(b.text), url=self._address(b))
            for b in step.buttons
            if b.url is not None and self._is_shown(b)
        )

    def _address(self, button: CompiledButton) -> str:
        urls = button.url or {}
        language = next((each for each in self._languages() if each in urls), next(iter(urls)))
        return urls[language].address(self._value_of, language, self.notes)

    def _words(self, text: Text) -> str:
        words = text.show(self._value_of, self._languages(), self.notes)[0]
        return words.strip()[:MAX_LABEL] or NO_WORDS

    def _is_shown(self, button: CompiledButton) -> bool:
        return not button.is_conditional or self._is_true(button.show_if)

    def _languages(self) -> tuple[str, ...]:
        """The dialog's language first: its variable, the messenger's, the scenario's default."""
        own = self.dialog.variables.get("language")
        if not self.spoken[1] or self.spoken[0] != own:
            self.spoken = own, self._languages_with(own)
        return self.spoken[1]

    def _languages_with(self, own: Any) -> tuple[str, ...]:
        tags = (own if isinstance(own, str) else "", self.dialog.person.language)
        wanted = [each for tag in tags for each in _ever_shorter(tag)]
        declared = self.scenario.languages
        if not declared:
            return (*wanted, DEFAULT_LANGUAGE)
        known = self.scenario.language_of_tag
        return (*(known[each.lower()] for each in wanted if each.lower() in known), *declared)

    # --- expressions ----------------------------------------------------------------------------

    def _assign(self, assignments: Sequence[tuple[str, Expression]]) -> None:
        for name, expression in assignments:
            try:
                self._put(name, expression.evaluate(self._value_of))
            except Undecided as undecided:
                self._note(expression, undecided)

    def _is_true(self, expression: Expression | None) -> bool:
        return self._decide(expression) is True

    def _decide(self, expression: Expression | None) -> bool | None:
        """Whether it holds, or None where that is not decided."""
        if expression is None:
            return None
        try:
            value = expression.evaluate(self._value_of)
        except Undecided as undecided:
            self._note(expression, undecided)
            return None
        if isinstance(value, bool):
            return value
        self.notes.append(f"{expression.source}: this must be true or false")
        return None

    def _has_values(self, expression: Expression) -> bool:
        for name in expression.names:
            try:
                self._value_of(name)
            except KeyError:
                return False
        return True

    def _note(self, expression: Expression, undecided: Undecided) -> None:
        if undecided.reason:
            self.notes.append(f"{expression.source}: {undecided.reason}")

    def _value_of(self, name: str) -> Any:
        """The value of a name in an expression. Raises KeyError where it has none."""
        if name in self.dialog.variables:
            return self.dialog.variables[name]
        if known := _NAMES.get(name):
            return known(self)
        family, _, variable = name.partition(".")
        if family == "answered":
            return variable in self.dialog.variables
        if family == "label":
            return self._label(variable)
        raise KeyError(name)

    def _label(self, variable: str) -> str:
        """The words of the choice; `label(…)` within them has no value, or it might never end."""
        value = self.dialog.variables[variable]
        text = self.scenario.labels.get(variable, {}).get(value_key(value))
        if text is None:
            return printed(value, self._languages()[0])
        return text.show(self._value_without_labels, self._languages(), self.notes)[0].strip()

    def _value_without_labels(self, name: str) -> Any:
        if name.startswith("label."):
            raise KeyError(name)
        return self._value_of(name)


def _as_saved(value: Any) -> Any:
    """A value as JSON has it. Raises TypeError, ValueError or ArithmeticError for one it cannot have."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("it is not a number")
    return msgspec.json.decode(msgspec.json.encode(value, order="deterministic"))


_PLAIN = (str, int)


def _ever_shorter(tag: str) -> Iterator[str]:
    """A language tag, then what is left of it part by part: `zh-Hans-CN`, `zh-Hans`, `zh`."""
    while tag:
        yield tag
        tag = tag.rpartition("-")[0]


def _words_for(event: MessageReceived, expected: CompiledInput) -> str:
    """The name of the bot's words for something that is no text at all."""
    if event.content == "unsupported":
        return "unsupported"
    return "choose_button" if expected.type == "button" else "not_text"


def _known(value: str) -> str:
    """A name the messenger may leave empty has then no value."""
    if not value:
        raise KeyError
    return value


def _of_person(attribute: str) -> Callable[[_Turn], str]:
    assert attribute in Person.__struct_fields__  # noqa: S101 (a slip here must fail at import)
    return lambda turn: _known(extract(getattr(turn.dialog.person, attribute)))


_NAMES: dict[str, Callable[[_Turn], Any]] = {
    "user.first_name": _of_person("first_name"),
    "user.last_name": _of_person("last_name"),
    "user.username": _of_person("username"),
    "user.language": _of_person("language"),
    "bot.name": lambda turn: _known(turn.dialog.bot_name),
    "platform": lambda turn: turn.dialog.platform,
    "now": lambda turn: turn.moment.now,
    "random": lambda turn: turn.moment.random,
    "input.text": lambda turn: turn.input_text,
    "input.value": lambda turn: turn.input_value,
}
