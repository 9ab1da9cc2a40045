"""What the engine interprets: a scenario with its texts and expressions compiled, durations in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from shared.scenario.expressions import Environment, Expression
from shared.scenario.inputs import NO_LIMITS, Limits
from shared.scenario.requests import RequestTemplate
from shared.scenario.texts import Text, Url

Assignments = tuple[tuple[str, Expression], ...]


class CompiledMedia(msgspec.Struct, frozen=True):
    """By its id in the library, or at an address by language."""

    type: Literal["image", "video", "audio", "file"]
    media_id: str = ""
    url: Mapping[str, Url] | None = None


class CompiledTemplate(msgspec.Struct, frozen=True):
    name: str
    language: str
    parameters: tuple[Text, ...]


class CompiledMessage(msgspec.Struct, frozen=True):
    """`delay` is in seconds."""

    text: Text
    media: tuple[CompiledMedia, ...] = ()
    delay: int = 0
    template: CompiledTemplate | None = None


class CompiledButton(msgspec.Struct, frozen=True):
    """A choice with its `value`, a link with its `url`, or choices made `for_each` item of a list.

    The expressions of the latter know `item` and `index`. `is_conditional` says that there is a
    `show_if`, which is None where it does not compile.
    """

    text: Text
    value: Any = None
    url: Mapping[str, Url] | None = None
    next_step: str | None = None
    show_if: Expression | None = None
    is_conditional: bool = False
    for_each: Expression | None = None
    value_of_item: Expression | None = None
    is_dynamic: bool = False

    def names_read(self) -> Iterator[str]:
        """What its words are made of."""
        templates = self.text.by_language.values()
        for expression in (self.for_each, *(each for template in templates for each in template.expressions)):
            yield from expression.names if expression else ()


class CompiledRule(msgspec.Struct, frozen=True):
    """Its expression knows `value`."""

    reject_if: Expression | None
    message: Text


class CompiledTimeout(msgspec.Struct, frozen=True):
    """Times in seconds; `every` is `after` where the author gives none."""

    after: int
    every: int
    times: int
    remind: Text | None
    next_step: str | None


class CompiledInput(msgspec.Struct, frozen=True):
    """`fill` are the variables that a language model is to find in the answer."""

    type: str
    variable: str | None = None
    limits: Limits = NO_LIMITS
    rules: tuple[CompiledRule, ...] = ()
    error_message: Text | None = None
    max_attempts: int | None = None
    on_failure: str | None = None
    timeout: CompiledTimeout | None = None
    skip_if_set: bool = False
    fill: tuple[str, ...] = ()


class CompiledLlm(msgspec.Struct, frozen=True):
    """`settings` go to the model's worker as they are; `routes` maps a name to its step."""

    prompt: Text
    system: Text | None
    variable: str | None
    reply: bool
    output: Literal["text", "choice", "object"]
    options: tuple[str, ...]
    routes: Mapping[str, str]
    settings: Mapping[str, Any]
    timeout: int
    on_error: str | None

    @property
    def is_only_routing(self) -> bool:
        """Whether nobody uses what the model says beside the route."""
        return bool(self.routes) and not (self.variable or self.reply)


class CompiledHttp(msgspec.Struct, frozen=True):
    request: RequestTemplate
    variable: str | None
    timeout: int
    on_error: str | None


class CompiledCall(msgspec.Struct, frozen=True):
    """`inputs` are evaluated in the caller; `outputs` are sources that are compiled in the called one."""

    scenario_id: str
    inputs: Assignments
    outputs: tuple[tuple[str, str], ...]


class CompiledHandoff(msgspec.Struct, frozen=True):
    reason: Text | None
    timeout: int | None
    next_step: str | None


class CompiledSync(msgspec.Struct, frozen=True):
    pass


class CompiledWait(msgspec.Struct, frozen=True):
    seconds: int


CompiledAction = CompiledLlm | CompiledHttp | CompiledCall | CompiledHandoff | CompiledSync | CompiledWait


class CompiledCondition(msgspec.Struct, frozen=True):
    """`if_` is None where it does not compile; `has_else` tells `"else": null` (end) from no else."""

    if_: Expression | None
    then: str | None
    else_: str | None
    has_else: bool
    after: str | None = None


class CompiledStep(msgspec.Struct, frozen=True):
    id: str
    before: Assignments
    messages: tuple[CompiledMessage, ...]
    buttons: tuple[CompiledButton, ...]
    when_empty: str | None
    action: CompiledAction | None
    input: CompiledInput | None
    set: Assignments
    conditions: tuple[CompiledCondition, ...]
    next_step: str | None
    end: bool


class CompiledCommand(msgspec.Struct, frozen=True):
    """`word` is as the author wrote it."""

    word: str
    next_step: str | None
    resume: bool
    back: bool
    description: Text | None


class CompiledScenario(msgspec.Struct, frozen=True):
    """A scenario ready to run.

    `languages` are the declared ones, the default first; empty where none is. `labels` maps a button's
    variable to its values' words, `listed` to the buttons made from lists. `commands` are found by their
    word in comparable form. `moments` are the variables whose values are days or points in time, `kept`
    those that survive runs, `sensitive` those that nobody should read by the way. `questions` maps a variable
    to the first step that asks for it. `contact` has the types of what may be known of the person, by name.
    """

    start: str
    steps: Mapping[str, CompiledStep]
    conditions: tuple[CompiledCondition, ...]
    commands: Mapping[str, CompiledCommand]
    fallbacks: Mapping[str, Text]
    languages: tuple[str, ...]
    timezone: str | None
    initial: Mapping[str, Any]
    labels: Mapping[str, Mapping[str, Text]]
    listed: Mapping[str, tuple[CompiledButton, ...]]
    moments: frozenset[str]
    kept: frozenset[str]
    sensitive: frozenset[str]
    questions: Mapping[str, str]
    after_end: str
    answers_first: bool
    contact: Mapping[str, str]
    reads_contact: bool
    environment: Environment
