"""A step as every messenger would be told to show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from functions.admin.scenarios.trial import Trials
from shared.credential import Credential
from shared.dialog.messages import Message
from shared.errors import Invalid, Violation
from shared.media.library import Library
from shared.platforms import MessengerAddresses, adapter_for
from shared.platforms.base import Rendered
from shared.scenario.compiled import CompiledStep
from shared.scenario.models import TestTurn
from shared.simulation.acts import act
from shared.simulation.conversation import Documents, Opening, Program
from shared.simulation.errors import Senseless
from shared.simulation.playing import MAX_ANSWER_BYTES

_SETTINGS = {
    "bot_token": "BOT_TOKEN",
    "phone_number_id": "PHONE_NUMBER_ID",
    "access_token": "ACCESS_TOKEN",
    "auth_token": "AUTH_TOKEN",
}
"""Stand in for what is secret, or differs from bot to bot."""

_CHAT_ID = "CHAT_ID"

_PASSED = "no choice is left, so the step is passed over, to its when_empty"

_OVER = ""
"""The step at which a preview ends; no author's is called so."""


class _Said(msgspec.Struct, frozen=True):
    """What the step says, its files not looked up yet: that is no part of a trial."""

    messages: tuple[Message, ...]
    notes: tuple[str, ...]


class Shown(msgspec.Struct, frozen=True):
    """A message, what its messenger would be sent for it, and what in its place where people have not
    written for too long: None where that makes no difference.
    """

    message: Message
    rendered: Rendered
    template: Rendered | None


class Previewed(msgspec.Struct, frozen=True):
    """The step on one platform; `notes` tell what went wrong in it."""

    platform: str
    shown: tuple[Shown, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Previews:
    """Shows steps within the time of a trial, for messengers at these `addresses`.

    Files of a bot's `library` are shown by their public addresses, by which every messenger gets them if need
    be.
    """

    trials: Trials
    library: Library
    addresses: object = MessengerAddresses()

    def of(
        self,
        bot_id: str,
        document: Mapping[str, Any],
        called: Documents,
        step: str,
        openings: Sequence[Opening],
    ) -> list[Previewed]:
        """The step on the platform of each opening. Raises `Invalid`."""

        def trial() -> list[_Said]:
            known = openings[0].known_of([openings[0].record])
            program = _at(Program.of(document, called, known), step)
            return [_said(program, opening) for opening in openings]

        try:
            said = self.trials.bounded(trial, "/step")
        except Senseless as error:
            raise Invalid(
                "The step cannot be shown.", [Violation("/variables", str(error), "unknown")]
            ) from None
        previewed = [
            self._previewed(each, _credential(opening, bot_id))
            for each, opening in zip(said, openings, strict=True)
        ]
        if len(msgspec.json.encode(previewed)) > MAX_ANSWER_BYTES:
            raise Invalid("The step is too long to be shown.", [Violation("/step", "too long", "too_long")])
        return previewed

    def _previewed(self, said: _Said, credential: Credential) -> Previewed:
        shown = tuple(self._shown(message, credential) for message in said.messages)
        return Previewed(credential.platform, shown, said.notes)

    def _shown(self, message: Message, credential: Credential) -> Shown:
        adapter = adapter_for(credential.platform, self.addresses)
        message = self.library.resolve(message, credential, adapter.capabilities).shown
        sending = (message, _CHAT_ID, credential, "preview")
        return Shown(message, adapter.render(*sending), adapter.render_template(*sending))


def _said(program: Program, opening: Opening) -> _Said:
    conversation = program.begin(opening)
    outcome = act(conversation, TestTurn(send="/start"))
    is_passed = any(way == "when_empty" for *_, way in conversation.ways)
    return _Said(outcome.messages, (*outcome.notes, *([_PASSED] if is_passed else [])))


def _at(program: Program, step_id: str) -> Program:
    """The program begun at the step, with nothing that could lead past it. Raises `Invalid`."""
    scenario = program.scenario
    if step_id not in scenario.steps:
        violation = Violation("/step", "The scenario has no step of this id.", "unknown")
        raise Invalid("There is no such step.", [violation])
    shown = _alone(scenario.steps[step_id])
    over = msgspec.structs.replace(shown, id=_OVER, before=(), messages=(), buttons=(), input=None)
    steps = {**scenario.steps, shown.id: shown, over.id: over}
    begun = msgspec.structs.replace(scenario, start=step_id, steps=steps, conditions=(), answers_first=False)
    return replace(program, scenario=begun)


def _alone(step: CompiledStep) -> CompiledStep:
    """The step with its question, asked even where the answer is known, and nothing after it."""
    asked = step.input and msgspec.structs.replace(step.input, skip_if_set=False)
    alone: CompiledStep = msgspec.structs.replace(
        step,
        action=None,
        input=asked,
        when_empty=step.when_empty and _OVER,
        set=(),
        conditions=(),
        next_step=None,
        end=True,
    )
    return alone


def _credential(opening: Opening, bot_id: str) -> Credential:
    settings = {**_SETTINGS, "sender_name": opening.bot_name}
    return Credential("preview", bot_id, opening.platform, is_active=True, settings=settings)
