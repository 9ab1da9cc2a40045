"""A document turned into what the engine interprets: done once per revision and container.

It takes documents whose form `document.read` has accepted. An expression that does not compile is
reported to `findings` and is never decided at run time, so a draft can be tried out too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cel_expr_python import cel

from shared.scenario.compiled import (
    Assignments,
    CompiledAction,
    CompiledButton,
    CompiledCall,
    CompiledCommand,
    CompiledCondition,
    CompiledHandoff,
    CompiledHttp,
    CompiledInput,
    CompiledLlm,
    CompiledMedia,
    CompiledMessage,
    CompiledRule,
    CompiledScenario,
    CompiledStep,
    CompiledSync,
    CompiledTemplate,
    CompiledTimeout,
    CompiledWait,
)
from shared.scenario.durations import seconds_of
from shared.scenario.expressions import Environment, Expression, ExpressionError
from shared.scenario.inputs import Limits, comparable
from shared.scenario.requests import RequestTemplate
from shared.scenario.sources import chains_in
from shared.scenario.texts import Template, Text, Url
from shared.scenario.variables import NOTHING_KNOWN, Report, environment_of, name_of, type_of_answer
from shared.scenario.words import FALLBACKS

__all__ = ["compile_scenario", "value_key"]


def compile_scenario(
    document: Mapping[str, Any], report: Report | None = None, contact: Mapping[str, str] = NOTHING_KNOWN
) -> CompiledScenario:
    """Compile a whole document; what cannot be compiled is reported and left undecided.

    `contact` has the types of what the account's main system knows of a person, as a declaration names them.
    """
    return _Compiler(document, report or _ignore, contact).compile()


def _ignore(_pointer: str, _error: ExpressionError) -> None:
    """A document that is running has been linted; nobody is there to read this."""


def value_key(value: Any) -> str:
    """A choice's value as a key that keeps `1`, `true` and `"1"` apart."""
    return f"{type(value).__name__}:{value}"


@dataclass(slots=True)
class _Compiler:
    document: Mapping[str, Any]
    report: Report
    contact: Mapping[str, str]
    environment: Environment = field(init=False)

    def __post_init__(self) -> None:
        self.environment = environment_of(self.document, self.report, self.contact)

    def compile(self) -> CompiledScenario:
        document = self.document
        steps = [self._step(step, f"/steps/{i}") for i, step in enumerate(document["steps"])]
        named = [document.get("default_language"), *(document.get("languages") or [])]
        languages = tuple(dict.fromkeys(filter(None, named)))
        declared: Mapping[str, Mapping[str, Any]] = document.get("variables", {})
        return CompiledScenario(
            start=document.get("start") or steps[0].id,
            steps={step.id: step for step in reversed(steps)},
            conditions=tuple(self._conditions(document.get("conditions", []), "/conditions")),
            commands={comparable(word): each for word, each in self._commands()},
            fallbacks=self._fallbacks(),
            languages=languages,
            timezone=document.get("timezone"),
            initial={name: d["initial"] for name, d in declared.items() if d.get("initial") is not None},
            labels=_labels(steps),
            listed=_listed(steps),
            moments=frozenset(n for n, t in self.environment.variables.items() if t == cel.Type.TIMESTAMP),
            kept=frozenset(name for name, d in declared.items() if d.get("scope") == "person"),
            sensitive=frozenset(name for name, d in declared.items() if d.get("sensitive")),
            questions={s.input.variable: s.id for s in reversed(steps) if s.input and s.input.variable},
            after_end=document.get("after_end", "tell"),
            answers_first=document.get("first_message", "start") == "answer",
            contact=self.contact,
            reads_contact=self.environment.has_read("contact") or _returns_contact(steps),
            environment=self.environment,
        )

    # --- steps ------------------------------------------------------------------------------------

    def _step(self, step: Mapping[str, Any], at: str) -> CompiledStep:
        buttons = [self._button(b, f"{at}/buttons/{i}") for i, b in enumerate(step.get("buttons", []))]
        return CompiledStep(
            id=step["id"],
            before=self._assignments(step.get("before", {}), f"{at}/before"),
            messages=tuple(self._messages(step.get("message", []), f"{at}/message")),
            buttons=tuple(buttons),
            when_empty=step.get("when_empty"),
            action=self._action(step, at),
            input=self._input(step, buttons, f"{at}/expected_input"),
            set=self._assignments(step.get("set", {}), f"{at}/set"),
            conditions=tuple(self._conditions(step.get("conditions", []), f"{at}/conditions")),
            next_step=step.get("next_step"),
            end=step.get("end", False),
        )

    def _messages(self, messages: Any, at: str) -> Iterator[CompiledMessage]:
        if isinstance(messages, Mapping):
            yield self._message(messages, at)
        else:
            yield from (self._message(each, f"{at}/{i}") for i, each in enumerate(messages))

    def _message(self, message: Mapping[str, Any], at: str) -> CompiledMessage:
        template = message.get("whatsapp_template")
        return CompiledMessage(
            text=self._text(message.get("text", ""), f"{at}/text"),
            media=tuple(self._media(m, f"{at}/media/{i}") for i, m in enumerate(message.get("media", []))),
            delay=seconds_of(message["delay"]) if message.get("delay") else 0,
            template=self._template_of(template, f"{at}/whatsapp_template") if template else None,
        )

    def _media(self, media: Mapping[str, Any], at: str) -> CompiledMedia:
        kind: Literal["image", "video", "audio", "file"] = (
            media.get("type") or "image"
        )  # or what the library knows it as
        if media.get("media_id"):
            return CompiledMedia(kind, media_id=media["media_id"])
        return CompiledMedia(kind, url=self._url(media["url"], f"{at}/url"))

    def _template_of(self, template: Mapping[str, Any], at: str) -> CompiledTemplate:
        parameters = enumerate(template.get("parameters", []))
        texts = tuple(self._text(each, f"{at}/parameters/{i}", markup=False) for i, each in parameters)
        return CompiledTemplate(template["name"], template["language"], texts)

    # --- buttons ----------------------------------------------------------------------------------

    def _button(self, button: Mapping[str, Any], at: str) -> CompiledButton:
        if "for_each" in button:
            return self._choices(button, at)
        text = self._text(button["text"], f"{at}/text", markup=False)
        show_if = button.get("show_if")
        condition = self._condition_of(show_if, f"{at}/show_if") if show_if else None
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

    def _choices(self, button: Mapping[str, Any], at: str) -> CompiledButton:
        whole, self.environment = (
            self.environment,
            self.environment.with_names(item=cel.Type.DYN, index=cel.Type.INT),
        )
        try:
            text = self._text(button["text"], f"{at}/text", markup=False)
            value = self._expression(button["value"], f"{at}/value")
            show_if = button.get("show_if")
            condition = self._condition_of(show_if, f"{at}/show_if") if show_if else None
        finally:
            self.environment = whole
        return CompiledButton(
            text,
            next_step=button.get("next_step"),
            show_if=condition,
            is_conditional=bool(show_if),
            for_each=self._list(button["for_each"], f"{at}/for_each"),
            value_of_item=value,
            is_dynamic=True,
        )

    # --- inputs -----------------------------------------------------------------------------------

    def _input(
        self, step: Mapping[str, Any], buttons: Sequence[CompiledButton], at: str
    ) -> CompiledInput | None:
        expected: Mapping[str, Any] | None = step.get("expected_input")
        if expected is None:
            if all(button.url is not None for button in buttons):
                return None
            expected = {"type": "button"}
        defaults = self.document.get("defaults") or {}
        error_message = expected.get("error_message")
        validation = expected.get("validation") or {}
        timeout = expected.get("timeout") or defaults.get("timeout")
        is_own = bool(expected.get("timeout"))
        return CompiledInput(
            type=expected["type"],
            variable=expected.get("variable"),
            limits=self._limits(expected["type"], validation, f"{at}/validation"),
            rules=tuple(self._rules(step, expected, f"{at}/validation/rules")),
            error_message=self._text(error_message, f"{at}/error_message") if error_message else None,
            max_attempts=expected.get("max_attempts", defaults.get("max_attempts")),
            on_failure=expected.get("on_failure", defaults.get("on_failure")),
            timeout=self._timeout(timeout, f"{at}/timeout" if is_own else "/defaults/timeout"),
            skip_if_set=expected.get("skip_if_set", False),
            fill=tuple((expected.get("understand") or {}).get("fill", ())),
        )

    def _limits(self, kind: str, validation: Mapping[str, Any], at: str) -> Limits:
        limits = {name: value for name, value in validation.items() if name != "rules"}
        for bound in ("min", "max"):
            if kind in ("date", "time", "number", "integer") and isinstance(limits.get(bound), str):
                limits[bound] = self._bound(kind, limits[bound], f"{at}/{bound}")
        return Limits(**limits)

    def _bound(self, kind: str, source: str, at: str) -> Expression | str | None:
        """A constant day or time as it is; anything else is an expression."""
        is_constant = kind in ("date", "time") and source[:1].isdigit() and "(" not in source
        return source if is_constant else self._expression(source, at)

    def _rules(self, step: Mapping[str, Any], expected: Mapping[str, Any], at: str) -> Iterator[CompiledRule]:
        rules = (expected.get("validation") or {}).get("rules", [])
        if not rules:
            return
        whole, self.environment = self.environment, self.environment.with_names(value=type_of_answer(step))
        try:
            for index, rule in enumerate(rules):
                reject_if = self._condition_of(rule["reject_if"], f"{at}/{index}/reject_if")
                yield CompiledRule(reject_if, self._text(rule["message"], f"{at}/{index}/message"))
        finally:
            self.environment = whole

    def _timeout(self, timeout: Mapping[str, Any] | None, at: str) -> CompiledTimeout | None:
        if timeout is None:
            return None
        remind, after = timeout.get("remind"), seconds_of(timeout["after"])
        return CompiledTimeout(
            after=after,
            every=seconds_of(timeout["every"]) if timeout.get("every") else after,
            times=timeout.get("times", 1),
            remind=self._text(remind, f"{at}/remind") if remind is not None else None,
            next_step=timeout.get("next_step"),
        )

    # --- actions ----------------------------------------------------------------------------------

    def _action(self, step: Mapping[str, Any], at: str) -> CompiledAction | None:
        if step.get("llm") is not None:
            return self._llm(step["llm"], f"{at}/llm")
        if step.get("http") is not None:
            return self._http(step["http"], f"{at}/http")
        if step.get("scenario") is not None:
            return self._call(step["scenario"], f"{at}/scenario")
        if step.get("handoff") is not None:
            return self._handoff(step["handoff"], f"{at}/handoff")
        if step.get("sync") is not None:
            return CompiledSync()
        return CompiledWait(seconds_of(step["wait"])) if step.get("wait") else None

    def _llm(self, llm: Mapping[str, Any], at: str) -> CompiledLlm:
        output = llm.get("output") or {"type": "text"}
        routes: Mapping[str, Mapping[str, str]] = llm.get("routes", {})
        names = ("history", "model", "max_tokens", "temperature")
        settings = {name: llm[name] for name in names if llm.get(name) is not None}
        if llm.get("cache"):
            settings["cache"] = seconds_of(llm["cache"])
        if output.get("schema") is not None:
            settings["schema"] = output["schema"]
        settings["routes"] = {name: route["when"] for name, route in routes.items()}
        system = llm.get("system")
        return CompiledLlm(
            prompt=self._text(llm["prompt"], f"{at}/prompt", markup=False),
            system=self._text(system, f"{at}/system", markup=False) if system is not None else None,
            variable=llm.get("variable"),
            reply=llm.get("reply", False),
            output=output["type"],
            options=tuple(output.get("options") or ()),
            routes={name: route["step"] for name, route in routes.items()},
            settings=settings,
            timeout=seconds_of(llm.get("timeout", "20s")),
            on_error=llm.get("on_error"),
        )

    def _http(self, http: Mapping[str, Any], at: str) -> CompiledHttp:
        return CompiledHttp(
            request=RequestTemplate(http, self.environment, self.report, at),
            variable=http.get("variable"),
            timeout=seconds_of(http.get("timeout", "10s")),
            on_error=http.get("on_error"),
        )

    def _call(self, call: Mapping[str, Any], at: str) -> CompiledCall:
        inputs = self._assignments(call.get("inputs", {}), f"{at}/inputs")
        return CompiledCall(call["id"].lower(), inputs, tuple(call.get("outputs", {}).items()))

    def _handoff(self, handoff: Mapping[str, Any], at: str) -> CompiledHandoff:
        reason, timeout = handoff.get("reason"), handoff.get("timeout")
        return CompiledHandoff(
            reason=self._text(reason, f"{at}/reason", markup=False) if reason is not None else None,
            timeout=seconds_of(timeout) if timeout else None,
            next_step=handoff.get("next_step"),
        )

    # --- the document's own -----------------------------------------------------------------------

    def _commands(self) -> Iterator[tuple[str, CompiledCommand]]:
        for word, command in self.document.get("commands", {}).items():
            described = command.get("description")
            at = f"/commands/{word.replace('~', '~0').replace('/', '~1')}/description"
            yield (
                word,
                CompiledCommand(
                    word=word,
                    next_step=command.get("next_step"),
                    resume=command.get("resume", False),
                    back=command.get("back", False),
                    description=self._text(described, at, markup=False) if described is not None else None,
                ),
            )

    def _fallbacks(self) -> dict[str, Text]:
        own = self.document.get("fallbacks", {})
        shipped = {
            name: {language: words[name] for language, words in FALLBACKS.items()} for name in FALLBACKS["en"]
        }
        return {
            name: self._text(own.get(name, words), f"/fallbacks/{name}") for name, words in shipped.items()
        }

    def _conditions(self, conditions: Sequence[Mapping[str, Any]], at: str) -> Iterator[CompiledCondition]:
        for index, condition in enumerate(conditions):
            yield CompiledCondition(
                if_=self._condition_of(condition["if"], f"{at}/{index}/if"),
                then=condition["then"],
                else_=condition.get("else"),
                has_else="else" in condition,
                after=condition.get("after"),
            )

    # --- texts and expressions --------------------------------------------------------------------

    def _assignments(self, assignments: Mapping[str, str], at: str) -> Assignments:
        compiled = ((name, self._expression(source, f"{at}/{name}")) for name, source in assignments.items())
        return tuple((name, expression) for name, expression in compiled if expression)

    def _condition_of(self, source: str, at: str) -> Expression | None:
        return self._expression(source, at, cel.Type.BOOL, "true or false")

    def _list(self, source: str, at: str) -> Expression | None:
        expression = self._expression(source, at)
        if expression and not (expression.type == cel.Type.DYN or expression.type.name().startswith("LIST")):
            self.report(at, _mistyped("a list", expression.type))
            return None
        return expression

    def _expression(
        self, source: str, at: str, wanted: cel.Type | None = None, words: str = ""
    ) -> Expression | None:
        try:
            expression = self.environment.compile(source)
        except ExpressionError as error:
            self.report(at, error)
            return None
        if wanted and expression.type not in (wanted, cel.Type.DYN):
            self.report(at, _mistyped(words, expression.type))
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


def _mistyped(wanted: str, found: cel.Type) -> ExpressionError:
    return ExpressionError(f"this must be {wanted}, and is of type {name_of(found)}")


def _labels(steps: Sequence[CompiledStep]) -> dict[str, dict[str, Text]]:
    found: dict[str, dict[str, Text]] = {}
    for variable, buttons in _choosing(steps):
        words = found.setdefault(variable, {})
        words.update({value_key(b.value): b.text for b in buttons if _is_constant_choice(b)})
    return found


def _listed(steps: Sequence[CompiledStep]) -> dict[str, tuple[CompiledButton, ...]]:
    found: dict[str, tuple[CompiledButton, ...]] = {}
    for variable, buttons in _choosing(steps):
        if listed := [button for button in buttons if button.is_dynamic]:
            found[variable] = (*found.get(variable, ()), *listed)
    return found


def _choosing(steps: Sequence[CompiledStep]) -> Iterator[tuple[str, tuple[CompiledButton, ...]]]:
    """The variables that choices go to, with the buttons of one step each."""
    for step in steps:
        if step.input and step.input.variable and step.input.type in ("button", "buttons"):
            yield step.input.variable, step.buttons


def _returns_contact(steps: Iterable[CompiledStep]) -> bool:
    """Whether a call brings a part of the person's record out of the called scenario, compiled there."""
    calls = [step.action for step in steps if isinstance(step.action, CompiledCall)]
    return any(
        "contact" in chain[:1] for call in calls for _, source in call.outputs for chain in chains_in(source)
    )


def _is_constant_choice(button: CompiledButton) -> bool:
    return button.url is None and not button.is_dynamic
