"""A document turned into what the engine interprets: done once per revision and container.

It takes documents whose form `document.read` has accepted. An expression that does not compile is
reported to `findings` and is never decided at run time, so a draft can be tried out too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cel_expr_python import cel

from shared.scenario.expressions import Environment, Expression, ExpressionError
from shared.scenario.inputs import NO_LIMITS, Limits
from shared.scenario.texts import Template, Text, Url
from shared.scenario.variables import Report, environment_of, name_of
from shared.scenario.words import FALLBACKS


@dataclass(frozen=True, slots=True)
class CompiledButton:
    text: Text
    value: Any = None
    url: dict[str, Url] | None = None
    next_step: str | None = None
    show_if: Expression | None = None
    is_conditional: bool = False


@dataclass(frozen=True, slots=True)
class CompiledInput:
    type: str
    variable: str | None = None
    limits: Limits = NO_LIMITS
    error_message: Text | None = None
    max_attempts: int | None = None
    on_failure: str | None = None
    skip_if_set: bool = False


@dataclass(frozen=True, slots=True)
class CompiledCondition:
    """`if_` is None where it does not compile; `has_else` tells `"else": null` (end) from no else."""

    if_: Expression | None
    then: str | None
    else_: str | None
    has_else: bool
    after: str | None = None


@dataclass(frozen=True, slots=True)
class CompiledStep:
    id: str
    before: tuple[tuple[str, Expression], ...]
    messages: tuple[Text, ...]
    buttons: tuple[CompiledButton, ...]
    when_empty: str | None
    input: CompiledInput | None
    set: tuple[tuple[str, Expression], ...]
    conditions: tuple[CompiledCondition, ...]
    next_step: str | None
    end: bool


@dataclass(frozen=True, slots=True)
class CompiledScenario:
    """A scenario ready to run.

    `languages` are the declared ones, the default first; empty where none is. `language_of_tag` finds
    one of them by any tag in small letters that it may go by. `labels` maps a button's variable to its
    values' words.
    """

    start: str
    steps: Mapping[str, CompiledStep]
    conditions: tuple[CompiledCondition, ...]
    fallbacks: Mapping[str, Text]
    languages: tuple[str, ...]
    language_of_tag: Mapping[str, str]
    initial: Mapping[str, Any]
    labels: Mapping[str, Mapping[str, Text]]
    after_end: str
    answers_first: bool


def compile_scenario(document: Mapping[str, Any], report: Report | None = None) -> CompiledScenario:
    """Compile a whole document; what cannot be compiled is reported and left undecided."""
    return _Compiler(document, report or _ignore).compile()


def _ignore(_pointer: str, _error: ExpressionError) -> None:
    """A document that is running has been linted; nobody is there to read this."""


def value_key(value: Any) -> str:
    """A choice's value as a key that keeps `1`, `true` and `"1"` apart."""
    return f"{type(value).__name__}:{value}"


@dataclass(slots=True)
class _Compiler:
    document: Mapping[str, Any]
    report: Report
    environment: Environment = field(init=False)

    def __post_init__(self) -> None:
        self.environment = environment_of(self.document, self.report)

    def compile(self) -> CompiledScenario:
        document = self.document
        steps = [self._step(step, f"/steps/{i}") for i, step in enumerate(document["steps"])]
        named = [document.get("default_language"), *(document.get("languages") or [])]
        languages = tuple(dict.fromkeys(filter(None, named)))
        declared = document.get("variables", {})
        return CompiledScenario(
            start=document.get("start") or steps[0].id,
            steps={step.id: step for step in reversed(steps)},
            conditions=tuple(self._conditions(document.get("conditions", []), "/conditions")),
            fallbacks=self._fallbacks(),
            languages=languages,
            language_of_tag=_by_tag(languages),
            initial={name: d["initial"] for name, d in declared.items() if d.get("initial") is not None},
            labels=_labels(steps),
            after_end=document.get("after_end", "tell"),
            answers_first=document.get("first_message", "start") == "answer",
        )

    def _step(self, step: Mapping[str, Any], at: str) -> CompiledStep:
        messages = step.get("message", [])
        single = isinstance(messages, Mapping)
        texts = [
            self._text(each["text"], f"{at}/message/text" if single else f"{at}/message/{i}/text")
            for i, each in enumerate([messages] if single else messages)
        ]
        buttons = [self._button(b, f"{at}/buttons/{i}") for i, b in enumerate(step.get("buttons", []))]
        return CompiledStep(
            id=step["id"],
            before=self._assignments(step.get("before", {}), f"{at}/before"),
            messages=tuple(texts),
            buttons=tuple(buttons),
            when_empty=step.get("when_empty"),
            input=self._input(step.get("expected_input"), buttons, f"{at}/expected_input"),
            set=self._assignments(step.get("set", {}), f"{at}/set"),
            conditions=tuple(self._conditions(step.get("conditions", []), f"{at}/conditions")),
            next_step=step.get("next_step"),
            end=step.get("end", False),
        )

    def _button(self, button: Mapping[str, Any], at: str) -> CompiledButton:
        text = self._text(button["text"], f"{at}/text", markup=False)
        show_if = button.get("show_if")
        condition = self._expression(show_if, f"{at}/show_if", cel.Type.BOOL) if show_if else None
        if "url" in button:
            url = self._url(button["url"], f"{at}/url")
            return CompiledButton(text, url=url, show_if=condition, is_conditional=bool(show_if))
        return CompiledButton(
            text,
            value=button["value"],
            next_step=button.get("next_step"),
            show_if=condition,
            is_conditional=bool(show_if),
        )

    def _input(
        self, expected: Mapping[str, Any] | None, buttons: Sequence[CompiledButton], at: str
    ) -> CompiledInput | None:
        if expected is None:
            has_choice = any(button.url is None for button in buttons)
            return self._input({"type": "button"}, (), at) if has_choice else None
        defaults = self.document.get("defaults") or {}
        error_message = expected.get("error_message")
        return CompiledInput(
            type=expected["type"],
            variable=expected.get("variable"),
            limits=Limits(**(expected.get("validation") or {})),
            error_message=self._text(error_message, f"{at}/error_message") if error_message else None,
            max_attempts=expected.get("max_attempts", defaults.get("max_attempts")),
            on_failure=expected.get("on_failure", defaults.get("on_failure")),
            skip_if_set=expected.get("skip_if_set", False),
        )

    def _conditions(self, conditions: Sequence[Mapping[str, Any]], at: str) -> Iterator[CompiledCondition]:
        for index, condition in enumerate(conditions):
            yield CompiledCondition(
                if_=self._expression(condition["if"], f"{at}/{index}/if", cel.Type.BOOL),
                then=condition["then"],
                else_=condition.get("else"),
                has_else="else" in condition,
                after=condition.get("after"),
            )

    def _assignments(self, assignments: Mapping[str, str], at: str) -> tuple[tuple[str, Expression], ...]:
        compiled = ((name, self._expression(source, f"{at}/{name}")) for name, source in assignments.items())
        return tuple((name, expression) for name, expression in compiled if expression)

    def _expression(self, source: str, at: str, wanted: cel.Type | None = None) -> Expression | None:
        try:
            expression = self.environment.compile(source)
        except ExpressionError as error:
            self.report(at, error)
            return None
        if wanted and expression.type not in (wanted, cel.Type.DYN):
            found = name_of(expression.type)
            self.report(at, ExpressionError(f"this must be true or false, and is of type {found}"))
            return None
        return expression

    def _text(self, text: str | Mapping[str, str], at: str, *, markup: bool = True) -> Text:
        by_language = {"": text} if isinstance(text, str) else text
        return Text(
            {
                language: self._template(words, f"{at}/{language}" if language else at, markup=markup)
                for language, words in by_language.items()
            }
        )

    def _template(self, words: str, at: str, *, markup: bool) -> Template:
        try:
            return Template(words, self.environment, markup=markup)
        except ExpressionError as error:
            self.report(at, error)
            return Template("", self.environment)

    def _url(self, text: str | Mapping[str, str], at: str) -> dict[str, Url]:
        urls = {}
        for language, address in ({"": text} if isinstance(text, str) else text).items():
            try:
                urls[language] = Url(address, self.environment)
            except ExpressionError as error:
                self.report(f"{at}/{language}" if language else at, error)
                urls[language] = Url("", self.environment)
        return urls

    def _fallbacks(self) -> dict[str, Text]:
        own = self.document.get("fallbacks", {})
        shipped = {
            name: {language: words[name] for language, words in FALLBACKS.items()} for name in FALLBACKS["en"]
        }
        return {
            name: self._text(own.get(name, words), f"/fallbacks/{name}") for name, words in shipped.items()
        }


def _by_tag(languages: Sequence[str]) -> dict[str, str]:
    """Whoever speaks `pt` gets `pt-BR` where there is no plain `pt`; of several the first."""
    primary = {tag.lower().partition("-")[0]: tag for tag in reversed(languages)}
    return primary | {tag.lower(): tag for tag in languages}


def _labels(steps: Sequence[CompiledStep]) -> dict[str, dict[str, Text]]:
    found: dict[str, dict[str, Text]] = {}
    for step in steps:
        if step.input and step.input.variable and step.input.type == "button":
            words = found.setdefault(step.input.variable, {})
            words.update({value_key(b.value): b.text for b in step.buttons if b.url is None})
    return found
