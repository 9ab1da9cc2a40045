"""The layer of answers: what the person writes, sends and presses, and the commands that come first."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from shared.dialog import presses
from shared.dialog.engine.walk import Walk, has_open_run
from shared.dialog.events import ButtonPressed, ConversationStarted, Event, MessageReceived
from shared.dialog.state import Album, Ask, Choice, Detour, Pending
from shared.scenario.caps import MAX_TRAIL
from shared.scenario.compiled import CompiledCommand, CompiledInput, CompiledStep
from shared.scenario.inputs import (
    Surroundings,
    Unfit,
    accept,
    as_typed,
    choice_typed,
    choices_typed,
    comparable,
    extract,
)
from shared.scenario.texts import Text

UNDERSTAND_TIMEOUT = 20
"""Seconds that a language model has to read an answer."""

_START = re.compile(r"\s*/start(?:@\w+)?(?:\s+(.*))?\Z", re.DOTALL | re.IGNORECASE)
_ADDRESSED = re.compile(r"(/\w+)@\w+")


def starts_over(event: Event) -> ConversationStarted | None:
    """The event as a request to begin anew, if it is one; `/start` is a command on every platform."""
    if isinstance(event, ConversationStarted):
        return event
    if not isinstance(event, MessageReceived) or event.content != "text":
        return None
    if command := _START.match(event.text):
        return ConversationStarted(
            id=event.id, occurred_at=event.occurred_at, person=event.person, payload=command[1] or ""
        )
    return None


class Answers(Walk):
    # --- what the person does -------------------------------------------------------------------------

    def start(self, event: ConversationStarted) -> None:
        opens_only = event.only_opens or event.welcomed_by is not None
        if opens_only and self.dialog.run:
            return
        is_welcomed = event.welcomed_by is not None
        self.begin(event.payload, at_once=is_welcomed)
        if is_welcomed:
            self.messages = [msgspec.structs.replace(message, is_said=True) for message in self.messages]

    def receive(self, event: MessageReceived) -> None:
        dialog = self.dialog
        if event.album and dialog.album and dialog.album.id == event.album:
            self._add_to_album(event, dialog.album)
        elif command := self._command_in(event):
            self._obey(command, event)
        else:
            self._take(event)

    def _take(self, event: MessageReceived) -> None:
        dialog = self.dialog
        if not dialog.run:
            self._open(event)
        elif dialog.status == "completed":
            self._after_end()
        elif dialog.pending:
            self._be_busy(dialog.pending)
        elif dialog.ask:
            self._answer(dialog.ask, event)
        else:
            self.break_off("the dialog waits for nothing")

    def _open(self, event: MessageReceived) -> None:
        """The first word of somebody new: it opens the dialog, and answers only where asked to."""
        self.begin()
        self.take_up(event)

    def take_up(self, event: MessageReceived) -> None:
        """Do by the word that has begun a run, once that has begun: it may be a command, or an answer."""
        dialog, command = self.dialog, self._command_in(event)
        is_command = command is not None and command.next_step is not None
        if dialog.pending and dialog.pending.kind == "contact" and (is_command or self.own.answers_first):
            self._hold(dialog.pending, event)
        elif command and is_command:
            if not dialog.handoff:
                self._obey(command, event)
        elif self.own.answers_first and dialog.ask:
            self._answer(dialog.ask, event)

    def _hold(self, pending: Pending, event: MessageReceived) -> None:
        """Keep the word until the run has begun; nobody knows yet if the question is for a secret."""
        self.dialog.pending = msgspec.structs.replace(pending, held=event)
        self.is_private = self.is_private or any(
            scenario.sensitive for scenario in (self.own, *self.called.values())
        )

    def _after_end(self) -> None:
        match self.own.after_end:
            case "ignore":
                return
            case "restart":
                self.begin()
            case "tell":
                self.say_words("ended")
            case step_id:
                self.begin(at=step_id)

    def _be_busy(self, pending: Pending) -> None:
        if not pending.told_busy:
            self.dialog.pending = msgspec.structs.replace(pending, told_busy=True)
            self.say_words("busy")

    def press(self, event: ButtonPressed) -> None:
        dialog, data = self.dialog, event.data
        press = presses.read(data)
        if press and dialog.ask and self._is_open(press, dialog.ask):
            if self._choose(dialog.ask, press.choice, event.message_id):
                dialog.accepted = data
                dialog.pressed_on = event.message_id
        elif data and data == dialog.accepted:
            return
        elif not dialog.run:
            self.begin()
        elif dialog.status == "completed":
            self._after_end()
        elif dialog.pending:
            self._be_busy(dialog.pending)
        else:
            self.say_words("stale_button")
            self.show_again()

    def _is_open(self, press: presses.Press, ask: Ask) -> bool:
        """Whether the press answers the open question; of several choices one more button finishes."""
        step = self.scenario.steps.get(ask.step_id)
        several = bool(step and step.input and step.input.type == "buttons")
        if press.choice >= len(ask.choices) + several:
            return False
        return (press.epoch, press.run, press.ask) == (self.dialog.epoch, self.dialog.run, ask.number)

    # --- commands -------------------------------------------------------------------------------------

    def _command_in(self, event: MessageReceived) -> CompiledCommand | None:
        """The command that the whole message is, if any."""
        if not self.own.commands or event.content != "text":
            return None
        text = extract(event.text)
        addressed = _ADDRESSED.fullmatch(text)
        return self.own.commands.get(comparable(addressed[1] if addressed else text))

    def _obey(self, command: CompiledCommand, event: MessageReceived) -> None:
        if not has_open_run(self.dialog):
            self._obey_outside_of_run(command, event)
        elif command.back:
            self._go_back()
        else:
            self._turn_aside(command)

    def _obey_outside_of_run(self, command: CompiledCommand, event: MessageReceived) -> None:
        """A run begins with the command, or where somebody new begins, if it returns to there."""
        if command.next_step is None:
            self._take(event)
        elif self.dialog.run or not command.resume:
            self.begin(at=command.next_step)
        else:
            self._open(event)

    def _turn_aside(self, command: CompiledCommand) -> None:
        """Follow a command; a second one inside another takes its place."""
        dialog = self.dialog
        detour = dialog.detour or self.interrupted()
        dialog.ask = dialog.pending = None
        self.leave_calls()
        if command.resume:
            dialog.detour, dialog.trail = detour, ()
        else:
            dialog.detour, dialog.trail = None, trail_behind(detour)
        self.walk(command.next_step)

    def interrupted(self) -> Detour:
        """What is under way, to return to; pending work is given up, and would begin again."""
        dialog, pending = self.dialog, self.dialog.pending
        redo, enter = broken_off_by(pending)
        return Detour(
            step_id=redo,
            enter=enter,
            ask=pending.ask if pending else dialog.ask,
            calls=dialog.calls,
            trail=dialog.trail,
        )

    def _go_back(self) -> None:
        """To the question before, in a caller if there is none in here; its answer is forgotten."""
        dialog = self.dialog
        if not dialog.trail:
            self._leave_for_a_trail()
        if dialog.trail:
            self._ask_again()
        elif dialog.detour:
            dialog.ask = dialog.pending = None
            self.walk(self.resume())
        elif dialog.pending:
            self._be_busy(dialog.pending)
        else:
            self.show_again()

    def _leave_for_a_trail(self) -> None:
        """Back into the nearest caller that has asked something, if one has."""
        calls = self.dialog.calls
        depth = next((d for d in reversed(range(len(calls))) if calls[d].trail), None)
        if depth is not None:
            self.dialog.trail, self.dialog.calls = calls[depth].trail, calls[:depth]
            self.rescope()

    def _ask_again(self) -> None:
        *before, last = self.dialog.trail
        self.dialog.trail = tuple(before)
        self.dialog.ask = self.dialog.pending = None
        step = self.scenario.steps.get(last)
        if step and step.input and step.input.variable:
            self.forget(step.input.variable)
        self.walk(last)

    # --- answers --------------------------------------------------------------------------------------

    def _answer(self, ask: Ask, event: MessageReceived) -> None:
        step = self.step_of(ask)
        if step is None or step.input is None:
            return
        self.mark_private(step)
        text = self.input_text = extract(event.text)
        kind = step.input.type
        if kind == "buttons":
            self._answer_with_several(ask, step, event, text)
            return
        choice = choice_typed(text, ask.choices, by_position=kind == "button") if ask.choices else None
        if choice is not None:
            self._choose(ask, choice)
        elif kind == "button":
            self._refuse(ask, step, _words_without_choice(event, "choose_button"))
        else:
            self._accept(ask, step, event)

    def mark_private(self, step: CompiledStep) -> None:
        """What was said may be for a variable that nobody should read."""
        asked, sensitive = step.input, self.scenario.sensitive
        if asked and sensitive and not sensitive.isdisjoint((asked.variable, *asked.fill)):
            self.is_private = True

    def _accept(self, ask: Ask, step: CompiledStep, event: MessageReceived) -> bool:
        """Take an answer through its stages; False if it was refused."""
        asked = step.input
        if asked is None:
            return False
        try:
            value = accept(asked.type, asked.limits, event, self._surroundings())
        except Unfit as unfit:
            self._refuse(ask, step, unfit.words)
            return False
        if message := self._broken_rule(asked, value):
            self._refuse(ask, step, "not_text", message)
            return False
        self._remember_album(asked, event)
        self._store(step, value)
        self._go_on(step)
        return True

    def _surroundings(self) -> Surroundings:
        return Surroundings(self.day, self.language, self.evaluate)

    def _broken_rule(self, asked: CompiledInput, value: Any) -> Text | None:
        """What the author says to an answer that one of their own rules rejects."""
        if not asked.rules:
            return None
        self.bound = {"value": self.as_read(asked.type, value)}
        return next((rule.message for rule in asked.rules if self.is_true(rule.reject_if)), None)

    def _choose(self, ask: Ask, index: int, message_id: str = "") -> bool:
        """Take a choice as the answer; in a question of another type its value counts as typed.

        False if the question stays open.
        """
        step = self.step_of(ask)
        if step is None or step.input is None:
            return False
        self.mark_private(step)
        if step.input.type == "buttons":
            return self._toggle(ask, step, index, message_id)
        choice = ask.choices[index]
        self.label = choice.label
        if step.input.type != "button" and not choice.next_step:
            self.input_text = as_typed(choice.value)
            return self._accept(ask, step, self._typed(self.input_text))
        if step.input.type == "button":
            if message := self._broken_rule(step.input, choice.value):
                self._refuse(ask, step, "choose_button", message)
                return False
            self._store(step, choice.value)
        self._go_on(step, choice)
        return True

    def _typed(self, text: str) -> MessageReceived:
        """The text as if the person had typed it."""
        return MessageReceived(id=self.event.id, occurred_at=self.event.occurred_at, text=text)

    def _store(self, step: CompiledStep, value: Any) -> None:
        self.input_value = value
        if step.input and step.input.variable:
            self.put(step.input.variable, value)

    def _go_on(self, step: CompiledStep, pressed: Choice | None = None) -> None:
        """The question is answered."""
        dialog = self.dialog
        route = dialog.ask.route if dialog.ask else None
        dialog.ask = None
        dialog.trail = (*dialog.trail, step.id)[-MAX_TRAIL:]
        if step.input and step.input.fill and pressed is None and not self._is_secret(step.input):
            self._understand(step, step.input.fill, route)
        else:
            self.walk(self.next_after(step, pressed, route))

    def _refuse(self, ask: Ask, step: CompiledStep, words: str, message: Text | None = None) -> None:
        """Say that the answer does not fit; the question stays open, until there were too many.

        All of an album that is refused is one answer.
        """
        asked, album = step.input, getattr(self.event, "album", "")
        if album and album == ask.refused_album:
            return
        attempts = ask.attempts + 1
        if asked and asked.max_attempts and attempts >= asked.max_attempts and asked.on_failure:
            self._fail(step, asked.on_failure, album)
            return
        refused = msgspec.structs.replace(ask, attempts=attempts, refused_album=album)
        self.dialog.ask = self.wound_up(step, refused)
        own = message or (asked.error_message if asked else None)
        several = bool(asked and asked.type == "buttons")
        text = own or self.scenario.fallbacks[words]
        self.say(text, self.buttons(step, ask), instead=words, several=several)

    def _fail(self, step: CompiledStep, on_failure: str, album: str) -> None:
        self.dialog.ask = None
        self.dialog.album = Album(album, max=0) if album else None
        self.went(step.id, "on_failure")
        self.walk(on_failure)

    # --- several choices ------------------------------------------------------------------------------

    def _answer_with_several(self, ask: Ask, step: CompiledStep, event: MessageReceived, text: str) -> None:
        leaving = choice_typed(text, ask.choices)
        if leaving is not None and ask.choices[leaving].next_step:
            self._leave_by(step, ask.choices[leaving])
        elif ask.selected and self._is_done(text):
            self._finish_choosing(ask, step, ask.selected)
        elif step.input and (typed := choices_typed(text, ask.choices, step.input.limits)) is not None:
            self._finish_choosing(ask, step, typed)
        elif self._is_done(text):
            self._finish_choosing(ask, step, ())
        else:
            self._refuse(ask, step, _words_without_choice(event, "choose_buttons"))

    def _is_done(self, text: str) -> bool:
        return comparable(text) == comparable(self.words("done"))

    def _leave_by(self, step: CompiledStep, choice: Choice) -> bool:
        """One of several choices that leads somewhere is a way out, and stores nothing."""
        self.label = choice.label
        self._go_on(step, choice)
        return True

    def _toggle(self, ask: Ask, step: CompiledStep, index: int, message_id: str) -> bool:
        """A press on one of several choices takes it, or takes it back; the last button finishes."""
        if index == len(ask.choices):
            return self._finish_choosing(ask, step, ask.selected)
        if ask.choices[index].next_step:
            return self._leave_by(step, ask.choices[index])
        self.label = ask.choices[index].label
        kept = {*ask.selected} ^ {index}
        ask = msgspec.structs.replace(ask, selected=tuple(sorted(kept)))
        self.dialog.ask = ask
        self.say_step(step, self.buttons(step, ask), replaces=message_id)
        return False

    def _finish_choosing(self, ask: Ask, step: CompiledStep, selected: tuple[int, ...]) -> bool:
        chosen = [choice for index in selected if not (choice := ask.choices[index]).next_step]
        values = [choice.value for choice in chosen]
        if not step.input or not _is_enough(len(values), step.input):
            self._refuse(ask, step, "choose_buttons")
            return False
        if message := self._broken_rule(step.input, values):
            self._refuse(ask, step, "choose_buttons", message)
            return False
        self.label = ", ".join(choice.label for choice in chosen)
        self._store(step, values)
        self._go_on(step)
        return True

    # --- albums ---------------------------------------------------------------------------------------

    def _remember_album(self, asked: CompiledInput, event: MessageReceived) -> None:
        if event.album:
            most = asked.limits.max if isinstance(asked.limits.max, int) else 1
            room = most if asked.type == "media" else 0
            self.dialog.album = Album(event.album, asked.variable or "", room)

    def _add_to_album(self, event: MessageReceived, album: Album) -> None:
        """A later item of an album that has answered: added where there is room, never a new answer."""
        if album.variable in self.scenario.sensitive:
            self.is_private = True
        found = self.variables.get(album.variable)
        step = self.scenario.steps.get(self.scenario.questions.get(album.variable, ""))
        if not isinstance(found, list) or len(found) >= album.max or not step or not step.input:
            return
        try:
            value = accept(step.input.type, step.input.limits, event, self._surroundings())
        except Unfit:
            return
        self.put(album.variable, [*found, *value][: album.max])

    # --- understanding --------------------------------------------------------------------------------

    def _is_secret(self, asked: CompiledInput) -> bool:
        """No model reads what is kept in a variable that nobody should read."""
        return asked.variable in self.scenario.sensitive

    def _understand(self, step: CompiledStep, fill: tuple[str, ...], route: str | None) -> None:
        """Let a language model find values for these variables in the answer."""
        wanted = {name: self._described(name) for name in fill}
        request = {"text": self.input_text, "fill": wanted, "today": self.day().isoformat()}
        number = self.new_task("understand", request, UNDERSTAND_TIMEOUT)
        self.dialog.pending = Pending("understand", number, step.id, route=route)

    def _described(self, variable: str) -> dict[str, Any]:
        """What a model has to know of a variable: its type and, of choices, their words."""
        step = self._question_for(variable)
        if step is None or step.input is None:
            return {"type": "any"}
        choices = [] if self._shows_secrets(step) else [choice.label for choice in self.choices(step)]
        question = " ".join(self.masked(message.text) for message in step.messages)
        about = {"type": step.input.type, "question": question, "choices": choices}
        return {name: value for name, value in about.items() if value}

    def _shows_secrets(self, step: CompiledStep) -> bool:
        """Whether the words of its choices are made of what is sensitive: then no model is told them."""
        names = (name for button in step.buttons for name in button.names_read())
        return any(name.removeprefix("label.") in self.scenario.sensitive for name in names)

    def understood(self, variable: str, value: Any) -> None:
        """Take one value that a model has found, through the stages of the question that asks for it."""
        step = self._question_for(variable)
        if step is None or step.input is None:
            self.notes.append(f"“{variable}” was not filled: no question asks for it")
            return
        typed = ", ".join(map(str, value)) if isinstance(value, list) else as_typed(value)
        try:
            found = self._found(step, step.input, extract(typed))
        except Unfit:
            self.notes.append(f"“{variable}” was not filled: what was understood does not fit")
            return
        self.put(variable, found)

    def _found(self, step: CompiledStep, asked: CompiledInput, text: str) -> Any:
        """The value of a text as an answer to a question. Raises `Unfit`."""
        choices = self.choices(step)
        if asked.type == "button":
            index = choice_typed(text, choices)
            value = None if index is None else choices[index].value
        elif asked.type == "buttons":
            places = choices_typed(text, choices, asked.limits)
            value = None if places is None else [choices[index].value for index in places]
        else:
            value = accept(asked.type, asked.limits, self._typed(text), self._surroundings())
        if value is None or self._broken_rule(asked, value):
            raise Unfit("not_text")
        return value

    def _question_for(self, variable: str) -> CompiledStep | None:
        return self.scenario.steps.get(self.scenario.questions.get(variable, ""))


def _is_enough(count: int, asked: CompiledInput) -> bool:
    """Whether so many choices may be taken: at least one, where the author does not say."""
    least, most = asked.limits.min, asked.limits.max
    return count >= (least if isinstance(least, int) else 1) and (not isinstance(most, int) or count <= most)


def _words_without_choice(event: MessageReceived, words: str) -> str:
    return "unsupported" if event.content == "unsupported" and not event.text else words


def broken_off_by(pending: Pending | None) -> tuple[str | None, str | None]:
    """What is begun again once it can be: a step's work, or a step from its beginning."""
    if pending is None:
        return None, None
    return (None, pending.step_id) if pending.kind == "contact" else (pending.step_id, None)


def trail_behind(detour: Detour) -> tuple[str, ...]:
    """The questions that one can go back to from a command that does not return."""
    if detour.calls:
        return detour.calls[0].trail
    asked = detour.ask.step_id if detour.ask else None
    return (*detour.trail, asked)[-MAX_TRAIL:] if asked else detour.trail
