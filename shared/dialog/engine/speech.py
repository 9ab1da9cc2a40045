"""The layer of speech: messages, their buttons, and the bot's own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Literal

import msgspec

from shared.dialog import presses
from shared.dialog.engine.values import Values, as_saved
from shared.dialog.messages import Button, Media, Message, Template
from shared.dialog.sealing import MASK
from shared.dialog.state import Ask, Choice
from shared.scenario.caps import MAX_CHOICES, MAX_TOLD_BYTES, MAX_TURN_BYTES, MAX_TURN_MESSAGES
from shared.scenario.compiled import (
    CompiledButton,
    CompiledMedia,
    CompiledMessage,
    CompiledStep,
    CompiledTemplate,
)
from shared.scenario.compiler import value_key
from shared.scenario.texts import Text, Url

MAX_LABEL = 1000
"""Characters of a button's label; messengers show far fewer."""
NO_WORDS = "—"

_SHARES: dict[str, Literal["phone", "location"]] = {
    "phone": "phone",
    "contact": "phone",
    "location": "location",
}
"""What the messenger itself can share, by type of input."""


class Speech(Values):
    # --- messages -----------------------------------------------------------------------------------

    def say_step(self, step: CompiledStep, buttons: tuple[Button, ...], *, replaces: str = "") -> None:
        """Say all its messages, the buttons with the last; of a question shown again those that fit."""
        several = bool(step.input and step.input.type == "buttons")
        if len(step.messages) > 1 and not replaces:
            room = max(1, MAX_TURN_MESSAGES - len(self.messages))
            for message in step.messages[-room:-1]:
                self._say_message(message)
        if step.messages:
            self._say_message(step.messages[-1], buttons, several=several, replaces=replaces)
        elif buttons:
            words = "choose_buttons" if several else "choose_button"
            self.say(self.scenario.fallbacks[words], buttons, several=several, replaces=replaces)

    def say_words(self, name: str, buttons: tuple[Button, ...] = (), *, several: bool = False) -> None:
        self.say(self.scenario.fallbacks[name], buttons, several=several)

    def say(
        self,
        text: Text,
        buttons: tuple[Button, ...] = (),
        *,
        instead: str = "",
        several: bool = False,
        replaces: str = "",
    ) -> None:
        """Say it; `instead` names what is said where it comes out empty, though there must be a message."""
        words, spans = text.show(self.value_of, self.languages(), self.notes)
        if not words.strip() and (instead or buttons):
            text = self.scenario.fallbacks[instead or "choose_button"]
            words, spans = text.show(self.value_of, self.languages(), self.notes)
            words = words if words.strip() or not buttons else NO_WORDS
        masked = self._masked_words(text, words)
        self.tell(Message(words, spans, buttons, several=several, replaces=replaces, masked=masked))

    def tell(self, message: Message) -> None:
        """Add the message, unless there is nothing in it; in a full turn it takes the last one's place."""
        if message.text.strip() or message.media:
            del self.messages[MAX_TURN_MESSAGES - 1 :]
            self.messages.append(message)
        else:
            self.notes.append("a message came out empty and was not sent")

    def _say_message(
        self,
        message: CompiledMessage,
        buttons: tuple[Button, ...] = (),
        *,
        several: bool = False,
        replaces: str = "",
    ) -> None:
        if not (message.media or message.delay or message.template):
            self.say(message.text, buttons, several=several, replaces=replaces)
            return
        words, spans = message.text.show(self.value_of, self.languages(), self.notes)
        masked = self._masked_words(message.text, words, message.template)
        shown = tuple(media for each in message.media if (media := self._media(each)))
        if not words.strip() and buttons and not shown:
            words, spans = self.words("choose_button") or NO_WORDS, ()
        self.tell(
            Message(
                words,
                spans,
                buttons,
                shown,
                0 if replaces else message.delay,
                self._template(message),
                several,
                replaces,
                masked=masked,
            )
        )

    def _media(self, media: CompiledMedia) -> Media | None:
        if media.url is None:
            return Media(media.type, media_id=media.media_id)
        address = self.address(media.url)
        if not address:
            self.notes.append("a file without an address was not sent")
            return None
        return Media(media.type, url=address)

    def _template(self, message: CompiledMessage) -> Template | None:
        template = message.template
        if template is None:
            return None
        return Template(template.name, template.language, tuple(map(self.plain, template.parameters)))

    # --- words --------------------------------------------------------------------------------------

    def words(self, name: str) -> str:
        """The bot's own words of that name, without markup."""
        return self.plain(self.scenario.fallbacks[name])

    def plain(self, text: Text) -> str:
        return text.show(self.value_of, self.languages(), self.notes)[0].strip()

    def masked(self, text: Text) -> str:
        """The same for those who may not read what is sensitive."""
        return text.show(self.value_unless_sensitive, self.languages(), self.notes)[0].strip()

    def _masked_words(self, text: Text, words: str, template: CompiledTemplate | None = None) -> str:
        """What others may read in the place of what the text has printed; "" where nothing is secret."""
        if not self.scenario.sensitive:
            return ""
        shown = text.show(self.value_unless_sensitive, self.languages(), [])[0]
        parameters = template.parameters if template else ()
        is_open = shown == words and not any(map(self._prints_secret, parameters))
        return "" if is_open else shown or MASK

    def _prints_secret(self, text: Text) -> bool:
        languages = self.languages()
        shown, said = (text.show(of, languages, [])[0] for of in (self.value_unless_sensitive, self.value_of))
        return shown != said

    def address(self, urls: Mapping[str, Url]) -> str:
        """An address in the dialog's language."""
        language = next((each for each in self.languages() if each in urls), next(iter(urls)))
        return urls[language].address(self.value_of, language, self.notes)

    def _label_words(self, text: Text) -> str:
        return self.plain(text)[:MAX_LABEL] or NO_WORDS

    # --- buttons ------------------------------------------------------------------------------------

    def relabelled(self, step: CompiledStep, ask: Ask) -> Ask:
        """The question's choices in the language of now; those made from a list stay as they were."""
        texts = {(value_key(b.value), b.next_step): b.text for b in step.buttons if not b.is_dynamic}
        choices = tuple(
            msgspec.structs.replace(choice, label=self._label_words(text))
            if (text := texts.get((value_key(choice.value), choice.next_step)))
            else choice
            for choice in ask.choices
        )
        return msgspec.structs.replace(ask, choices=choices)

    def choices(self, step: CompiledStep) -> tuple[Choice, ...]:
        """The choices to show now, in order; they stay what they are for as long as they are shown."""
        if not step.buttons:
            return ()
        choices: list[Choice] = []
        for button in step.buttons:
            if button.is_dynamic:
                choices += islice(self._dynamic_choices(button), MAX_CHOICES - len(choices))
            elif button.url is None and self._is_shown(button):
                label = self._label_words(button.text)
                choices.append(Choice(label, button.value, button.text.words, button.next_step))
        return tuple(choices[:MAX_CHOICES])

    def _dynamic_choices(self, button: CompiledButton) -> Iterator[Choice]:
        for value in self.values_listed(button, self.value_of):
            if self._is_shown(button):
                yield from self._dynamic_choice(button, value)

    def _dynamic_choice(self, button: CompiledButton, value: Any) -> Iterator[Choice]:
        try:
            saved = as_saved(value)
        except (TypeError, ValueError, ArithmeticError) as error:
            self.notes.append(f"a choice was not shown: {error}")
            return
        yield Choice(self._label_words(button.text), saved, (), button.next_step)

    def buttons(self, step: CompiledStep, ask: Ask) -> tuple[Button, ...]:
        """All that is shown under a question: its choices, the messenger's own, its links."""
        shown, kind = self._choices_shown(ask), step.input.type if step.input else ""
        if kind == "buttons":
            done = presses.write(self.dialog.epoch, self.dialog.run, ask.number, len(ask.choices))
            shown.append(Button(self.words("done") or NO_WORDS, done))
        elif share := _SHARES.get(kind):
            shown.append(Button(self.words(f"share_{share}") or NO_WORDS, share=share))
        return (*shown, *self.links(step))

    def _choices_shown(self, ask: Ask) -> list[Button]:
        if not ask.choices:
            return []
        data = presses.write_all(self.dialog.epoch, self.dialog.run, ask.number, len(ask.choices))
        buttons = [Button(choice.label, carried) for choice, carried in zip(ask.choices, data, strict=True)]
        for index in ask.selected:
            buttons[index] = msgspec.structs.replace(buttons[index], selected=True)
        return buttons

    def links(self, step: CompiledStep) -> tuple[Button, ...]:
        links = [button for button in step.buttons if button.url is not None]
        return tuple(link for button in links for link in self._links_of(button)) if links else ()

    def _links_of(self, button: CompiledButton) -> Iterator[Button]:
        if button.url is None or not self._is_shown(button):
            return
        if address := self.address(button.url):
            yield Button(self._label_words(button.text), url=address)
        else:
            self.notes.append("a link without an address was not shown")

    def _is_shown(self, button: CompiledButton) -> bool:
        return not button.is_conditional or self.is_true(button.show_if)

    # --- size ---------------------------------------------------------------------------------------

    def is_too_large(self) -> bool:
        """Whether the turn and its dialog cannot be saved."""
        self.dialog.outbox = None  # that of the turn before, whose place this turn's will take
        saved = self.dialog, self.messages, self.ended_runs, self.tasks
        size = len(msgspec.json.encode(saved))
        told = len(msgspec.json.encode(self.ended_runs)) if self.ended_runs else 0  # in their own tasks
        return size > MAX_TURN_BYTES or size + told > MAX_TOLD_BYTES
