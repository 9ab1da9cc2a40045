"""The engine: one event in, one turn out. Pure, synchronous, total.

Time and randomness come in with the event, so a dialog can be replayed, and a simulator or a
scenario's tests run this very code. Nothing here knows a queue, a table or a messenger.

Terms: a *run* is one pass from the start to an end; a question reached anew is an *ask*, numbered in
its run; buttons name the ask they were shown with, which makes older ones *stale*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from shared.dialog import presses
from shared.dialog.events import ButtonPressed, ConversationStarted, Event, MessageReceived, Person
from shared.dialog.messages import Button, Message
from shared.dialog.state import Ask, Choice, Dialog
from shared.scenario.compiler import (
    CompiledButton,
    CompiledCondition,
    CompiledInput,
    CompiledScenario,
    CompiledStep,
    value_key,
)
from shared.scenario.expressions import Expression, Undecided
from shared.scenario.inputs import choice_typed, extract, is_text
from shared.scenario.texts import Text
from shared.scenario.words import DEFAULT_LANGUAGE

MAX_STEPS = 100
"""Steps that one turn may pass."""
MAX_MESSAGES = 20
"""Messages that one turn may say."""
MAX_COLLECTED = 64 * 1024
"""Bytes of collected data, as JSON, that a run may hold."""


class Moment(msgspec.Struct, frozen=True):
    """The outside, as the event met it: the time, and one random number from 0 up to 1."""

    now: datetime
    random: float


class Turn(msgspec.Struct, frozen=True):
    """What one event did to a dialog.

    `notes` are an author's mistakes met on the way, for the history. `ended_run` tells of a run that
    this turn closed: its number, `completed` or `abandoned`, and what it had collected. `label` is
    the words of the button that was pressed, or "".
    """

    dialog: Dialog
    messages: tuple[Message, ...]
    notes: tuple[str, ...] = ()
    ended_run: dict[str, Any] | None = None
    label: str = ""


def has_open_run(dialog: Dialog) -> bool:
    """Whether the dialog is in the middle of a run, and so bound to the revision that began it."""
    return dialog.run > 0 and dialog.status != "completed"


def starts_over(event: Event) -> ConversationStarted | None:
    """The event as a request to begin anew, if it is one; `/start` is a command on every platform."""
    if isinstance(event, ConversationStarted):
        return event
    if isinstance(event, MessageReceived) and event.text.startswith("/start"):
        command, _, payload = extract(event.text).partition(" ")
        if command == "/start":
            return ConversationStarted(
                id=event.id, occurred_at=event.occurred_at, person=event.person, payload=payload.strip()
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
        return Turn(
            turn.dialog, tuple(turn.messages), tuple(dict.fromkeys(turn.notes)), turn.ended_run, turn.label
        )


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
    ended_run: dict[str, Any] | None = None
    label: str = ""
    input_text: str = ""
    input_value: Any = None
    steps_passed: int = 0
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
        press = presses.read(data)
        ask = self.dialog.ask
        if press and ask and (press.epoch, press.run, press.ask) == self._open_ask():
            if press.choice < len(ask.choices):
                self.dialog.accepted = data
                self._choose(ask, press.choice)
        elif data == self.dialog.accepted:
            return
        elif not self.dialog.run:
            self._begin()
        elif self.dialog.status == "completed":
            self._after_end()
        else:
            self._say_words("stale_button")
            self._show_again()

    def _open_ask(self) -> tuple[str, int, int]:
        dialog = self.dialog
        return dialog.epoch, dialog.run, dialog.ask.number if dialog.ask else 0

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
        if payload:
            dialog.variables["start_payload"] = extract(payload)
        self._walk(at or self.scenario.start)

    def _close(self, how: str) -> None:
        self.ended_run = {"run": self.dialog.run, "status": how, "collected_data": self.dialog.variables}
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
            if self.steps_passed >= MAX_STEPS or len(self.messages) >= MAX_MESSAGES:
                self._break_off(f"more than {MAX_STEPS} steps or {MAX_MESSAGES} messages in one turn")
                return
            self.steps_passed += 1
            self.dialog.current_step = step.id
            if self._enter(step):
                return
            if self.dialog.status == "completed":
                return
            step_id = self._next_after(step)
        if self.dialog.status != "completed":
            self._close("completed")

    def _break_off(self, note: str) -> None:
        """An author's mistake that leaves nowhere to go: say so, end the run; the dialog can begin anew."""
        self.notes.append(note)
        self._say_words("action_failed")
        self._close("broken_off")

    def _enter(self, step: CompiledStep) -> bool:
        """Say what the step says; True if it now waits for an answer."""
        self._assign(step.before)
        if step.input is None:
            self._say_step(step, self._links(step))
            return False
        if step.input.skip_if_set and step.input.variable in self.dialog.variables:
            return False
        choices = self._choices(step)
        if not choices and step.input.type == "button":
            return self._enter_empty(step)
        self.dialog.asks += 1
        self.dialog.ask = Ask(self.dialog.asks, step.id, choices)
        self._say_step(step, self._buttons(step, self.dialog.ask))
        return True

    def _enter_empty(self, step: CompiledStep) -> bool:
        """A question of which no choice is left: on to `when_empty`."""
        if step.when_empty is None:
            self._break_off(f"step “{step.id}” has no choice left and no when_empty")
        else:
            self._walk(step.when_empty)
        return True

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
            try:
                target = condition.then if condition.if_.evaluate(self._value_of) else condition.else_
            except Undecided as undecided:
                self._note(condition.if_, undecided)
                continue
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
        choice = choice_typed(text, ask.choices) if ask.choices else None
        if choice is not None and (step.input.type == "button" or ask.choices[choice].next_step):
            self._choose(ask, choice)
        elif step.input.type == "button":
            self._refuse(ask, step, "choose_button")
        else:
            self._take_text(ask, step, text)

    def _take_text(self, ask: Ask, step: CompiledStep, text: str) -> None:
        if step.input and is_text(text, step.input.limits):
            self._store(step, text)
            self._go_on(step)
        else:
            self._refuse(ask, step, "not_text")

    def _choose(self, ask: Ask, index: int) -> None:
        """Take a choice as the answer; in a question of another type it counts as typed."""
        choice = ask.choices[index]
        step = self.scenario.steps.get(ask.step_id)
        self.label = choice.label
        if step is None or step.input is None:
            self._break_off("the dialog waits for an answer to a step that is gone")
        elif step.input.type == "button":
            self._store(step, choice.value)
            self._go_on(step, choice)
        elif choice.next_step:
            self._go_on(step, choice)
        else:
            self._take_text(ask, step, extract(str(choice.value)))

    def _store(self, step: CompiledStep, value: Any) -> None:
        self.input_value = value
        if step.input and step.input.variable:
            self._put(step.input.variable, value)

    def _put(self, name: str, value: Any) -> None:
        """Give a variable a value, in the form in which it will be saved."""
        variables = {**self.dialog.variables, name: value}
        saved = msgspec.json.encode(variables)
        if len(saved) > MAX_COLLECTED:
            self.notes.append(f"“{name}” was not stored: a run collects at most 64 KB")
        elif isinstance(value, str | bool | int):
            self.dialog.variables = variables
        else:
            self.dialog.variables = msgspec.json.decode(saved)

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
        self._say(own or self.scenario.fallbacks[words], self._buttons(step, ask))

    # --- saying ---------------------------------------------------------------------------------

    def _say_step(self, step: CompiledStep, buttons: tuple[Button, ...]) -> None:
        for text in step.messages[:-1]:
            self._say(text)
        if step.messages:
            self._say(step.messages[-1], buttons)
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

    def _say(self, text: Text, buttons: tuple[Button, ...] = ()) -> None:
        words, spans = text.show(self._value_of, self._languages(), self.notes)
        if not words.strip():
            if not buttons:
                self.notes.append("a message came out empty and was not sent")
                return
            words, spans = self.scenario.fallbacks["choose_button"].show(
                self._value_of, self._languages(), self.notes
            )
        self.messages.append(Message(words, spans, buttons))

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
        return words.strip() or "—"

    def _is_shown(self, button: CompiledButton) -> bool:
        return not button.is_conditional or self._is_true(button.show_if)

    def _languages(self) -> tuple[str, ...]:
        """The dialog's language first: its variable, the messenger's, the scenario's default."""
        own = self.dialog.variables.get("language")
        if not self.spoken[1] or self.spoken[0] != own:
            self.spoken = own, self._languages_with(own)
        return self.spoken[1]

    def _languages_with(self, own: Any) -> tuple[str, ...]:
        declared = self.scenario.languages
        messenger = self.dialog.person.language
        wanted = [own] if isinstance(own, str) else []
        wanted += [messenger, messenger.partition("-")[0]] if messenger else []
        if not declared:
            return (*wanted, DEFAULT_LANGUAGE)
        return (*(each for each in wanted if each in declared), *declared)

    # --- expressions ----------------------------------------------------------------------------

    def _assign(self, assignments: Sequence[tuple[str, Expression]]) -> None:
        for name, expression in assignments:
            try:
                self._put(name, expression.evaluate(self._value_of))
            except Undecided as undecided:
                self._note(expression, undecided)

    def _is_true(self, expression: Expression | None) -> bool:
        if expression is None:
            return False
        try:
            return expression.evaluate(self._value_of) is True
        except Undecided as undecided:
            self._note(expression, undecided)
            return False

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
        value = self.dialog.variables[variable]
        text = self.scenario.labels.get(variable, {}).get(value_key(value))
        return self._words(text) if text else str(value)


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
