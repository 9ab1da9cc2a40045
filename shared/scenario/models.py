"""The form of a scenario document, as models. Their JSON Schema is what editors complete and check by.

Only what saves or checks a scenario imports this; the engine interprets documents that have passed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic.functional_validators import BeforeValidator

from shared.scenario.caps import (
    MAX_BUTTONS,
    MAX_COMMANDS,
    MAX_CONDITIONS,
    MAX_MEDIA,
    MAX_MESSAGES,
    MAX_PATTERN,
    MAX_RULES,
    MAX_STEPS,
    MAX_TEST_TURNS,
    MAX_TESTS,
    MAX_VARIABLES,
)
from shared.scenario.durations import seconds_of
from shared.scenario.fields import (
    Assignments,
    CommandWord,
    Duration,
    Expr,
    Given,
    Language,
    ScenarioId,
    StepId,
    TaskTimeout,
    Text,
    TimeZone,
    Value,
    Variable,
)


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=False)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


# --- what a step says ------------------------------------------------------------------------------


class Media(Part):
    """A file of the library by `media_id`, or one at an address, of which the type must be told."""

    media_id: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    url: Text | None = None
    type: Literal["image", "video", "audio", "file"] | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Media:
        if (self.media_id is None) == (self.url is None):
            raise ValueError("media is either a media_id, or a url with its type")
        if self.url is not None and self.type is None:
            raise ValueError("media at a url needs its type: image, video, audio or file")
        return self


class WhatsAppTemplate(Part):
    """A template approved by Meta, sent where WhatsApp's 24 hours are over."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,512}$")]
    language: Annotated[str, Field(min_length=2, max_length=15)]
    parameters: Annotated[list[Text], Field(max_length=50)] = []


LONGEST_DELAY = 15 * 60
"""Seconds that a message may wait for the one before it."""


class Message(Part):
    text: Text = ""
    media: Annotated[list[Media], Field(max_length=MAX_MEDIA)] = []
    delay: Duration | None = None
    whatsapp_template: WhatsAppTemplate | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Message:
        if "text" not in self.model_fields_set and not self.media:
            raise ValueError("a message has a text, or media")
        if self.delay and seconds_of(self.delay) > LONGEST_DELAY:
            raise ValueError("a message is delayed by 15m at most; put a step with wait before it")
        return self


class Choice(Part):
    text: Text
    value: Value
    next_step: StepId | None = None
    show_if: Expr | None = None


class Link(Part):
    text: Text
    url: Text
    show_if: Expr | None = None


class Choices(Part):
    """A choice for each item of a list; `item` and `index` (from 0) are known in it."""

    for_each: Expr
    text: Text
    value: Expr
    next_step: StepId | None = None
    show_if: Expr | None = None


def _kind_of_button(value: Any) -> str:
    fields = value if isinstance(value, Mapping) else {}
    return "link" if "url" in fields else "choices" if "for_each" in fields else "choice"


Button = Annotated[
    Annotated[Choice, Tag("choice")] | Annotated[Link, Tag("link")] | Annotated[Choices, Tag("choices")],
    Discriminator(_kind_of_button),
]


# --- what it asks ----------------------------------------------------------------------------------


InputType = Literal[
    "text",
    "button",
    "buttons",
    "number",
    "integer",
    "date",
    "time",
    "email",
    "phone",
    "url",
    "location",
    "contact",
    "media",
    "any",
]


class Rule(Part):
    """An answer for which `reject_if` holds is refused with the message; `value` is the answer."""

    reject_if: Expr
    message: Text


class Validation(Part):
    min_length: Annotated[int, Field(ge=0)] | None = None
    max_length: Annotated[int, Field(ge=1)] | None = None
    pattern: Annotated[str, Field(max_length=MAX_PATTERN)] | None = None
    min: int | float | str | None = None
    max: int | float | str | None = None
    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    own: bool | None = None
    accept: Annotated[list[Literal["image", "video", "audio", "file"]], Field(min_length=1)] | None = None
    max_bytes: Annotated[int, Field(ge=1)] | None = None
    rules: Annotated[list[Rule], Field(max_length=MAX_RULES)] = []


_LIMITS: dict[str, frozenset[str]] = {
    "text": frozenset({"min_length", "max_length", "pattern"}),
    "buttons": frozenset({"min", "max"}),
    "number": frozenset({"min", "max"}),
    "integer": frozenset({"min", "max"}),
    "date": frozenset({"min", "max"}),
    "time": frozenset({"min", "max"}),
    "phone": frozenset({"region"}),
    "contact": frozenset({"own"}),
    "media": frozenset({"accept", "max_bytes", "max"}),
}
"""Which limits mean something for which type of input; `rules` do for every one."""


class Timeout(Part):
    """Reminder k comes at `after + (k-1)·every`; one `every` after the last one, `next_step` is taken."""

    after: Duration
    remind: Text | None = None
    every: Duration | None = None
    times: Annotated[int, Field(ge=1, le=20)] = 1
    next_step: StepId | None = None

    @model_validator(mode="after")
    def _does_something(self) -> Timeout:
        if self.remind is None and self.next_step is None:
            raise ValueError("a timeout has remind, next_step, or both")
        return self


class Understand(Part):
    """A language model fills these variables from a free answer."""

    fill: Annotated[list[Variable], Field(min_length=1, max_length=20)]


class ExpectedInput(Part):
    type: InputType
    variable: Variable | None = None
    validation: Validation | None = None
    error_message: Text | None = None
    max_attempts: Annotated[int, Field(ge=1, le=100)] | None = None
    on_failure: StepId | None = None
    timeout: Timeout | None = None
    skip_if_set: bool = False
    understand: Understand | None = None

    @model_validator(mode="after")
    def _limits_fit(self) -> ExpectedInput:
        given = self.validation.model_fields_set if self.validation else set()
        if misplaced := sorted(given - _LIMITS.get(self.type, frozenset()) - {"rules"}):
            raise ValueError(f"an input of type “{self.type}” has no limit {', '.join(misplaced)}")
        if self.understand and self.type != "text":
            raise ValueError("understand needs an input of type “text”")
        return self


# --- what it does ----------------------------------------------------------------------------------


class Route(Part):
    step: StepId
    when: Annotated[str, Field(min_length=1, max_length=1000)]


class Output(Part):
    """What a model must answer with: any text, one of `options`, or an object that fits `schema`."""

    type: Literal["text", "choice", "object"]
    options: Annotated[list[str], Field(min_length=1, max_length=100)] | None = None
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> Output:
        if (self.options is not None) != (self.type == "choice"):
            raise ValueError("a choice has options; nothing else has")
        if self.schema_ is not None and self.type != "object":
            raise ValueError("only an object has a schema")
        return self


class Llm(Part):
    prompt: Text
    system: Text | None = None
    history: Annotated[int, Field(ge=0, le=50)] = 10
    variable: Variable | None = None
    reply: bool = False
    output: Output | None = None
    routes: Annotated[dict[str, Route], Field(max_length=50)] = {}
    model: Annotated[str, Field(max_length=200)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=100_000)] | None = None
    temperature: Annotated[float | int, Field(ge=0, le=2)] | None = None
    cache: Duration | None = None
    timeout: TaskTimeout = "20s"
    on_error: StepId | None = None


class Http(Part):
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
    url: Text
    headers: Annotated[dict[str, Text], Field(max_length=50)] = {}
    body: Any = None
    timeout: TaskTimeout = "10s"
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    variable: Variable | None = None
    on_error: StepId | None = None


class Call(Part):
    """Another scenario of the bot; it sees only its inputs."""

    id: ScenarioId
    inputs: Assignments = {}
    outputs: Assignments = {}


class Handoff(Part):
    reason: Text | None = None
    timeout: Duration | None = None
    next_step: StepId | None = None

    @model_validator(mode="after")
    def _knows_when(self) -> Handoff:
        if self.next_step is not None and self.timeout is None:
            raise ValueError("next_step is where a hand-off's timeout leads, and needs one")
        return self


class Sync(Part):
    pass


# --- where it leads --------------------------------------------------------------------------------


class Condition(Part):
    if_: Expr = Field(alias="if")
    then: StepId | None
    else_: StepId | None = Field(default=None, alias="else")


class ScenarioCondition(Condition):
    after: StepId | None = None


ACTIONS = ("llm", "http", "scenario", "handoff", "sync", "wait")


_Messages = Annotated[list[Message], Field(max_length=MAX_MESSAGES)]


class Step(Part):
    id: StepId
    before: Assignments = {}
    message: Annotated[_Messages, BeforeValidator(_as_list, json_schema_input_type=Message | _Messages)] = []
    buttons: Annotated[list[Button], Field(max_length=MAX_BUTTONS)] = []
    when_empty: StepId | None = None
    llm: Llm | None = None
    http: Http | None = None
    scenario: Call | None = None
    handoff: Handoff | None = None
    sync: Sync | None = None
    wait: Duration | None = None
    expected_input: ExpectedInput | None = None
    set: Assignments = {}
    conditions: Annotated[list[Condition], Field(max_length=MAX_CONDITIONS)] = []
    next_step: StepId | None = None
    end: bool = False

    @model_validator(mode="after")
    def _does_one_thing(self) -> Step:
        actions = [name for name in ACTIONS if getattr(self, name) is not None]
        if len(actions) > 1:
            raise ValueError(f"a step does one thing at most, and this does {' and '.join(actions)}")
        return self


class Command(Part):
    next_step: StepId | None = None
    resume: bool = False
    back: bool = False
    description: Text | None = None

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Command:
        if self.back == (self.next_step is not None):
            raise ValueError("a command either leads to its next_step, or goes back")
        if self.back and self.resume:
            raise ValueError("a command that goes back has nothing to resume")
        return self


# --- tests -----------------------------------------------------------------------------------------


class Expectation(Part):
    text: str | None = None
    contains: str | None = None
    not_: Annotated[str | None, Field(alias="not")] = None
    buttons: list[str] | None = None
    step: StepId | None = None
    variables: dict[str, Any] | None = None
    status: Literal["active", "busy", "handed_off", "completed"] | None = None
    end: bool | None = None
    request: dict[str, Any] | None = None


class FileSent(Part):
    """A file that the person sends in a test; `album` is the same for the items of one album."""

    file_name: str | None = None
    size: Annotated[int, Field(ge=0)] | None = None
    caption: str = ""
    album: str = ""


class ContactSent(Part):
    phone: str = "+12025550123"
    first_name: str = ""
    last_name: str = ""
    own: bool = True


class PlaceSent(Part):
    latitude: Annotated[float | int, Field(ge=-90, le=90)] = 0.0
    longitude: Annotated[float | int, Field(ge=-180, le=180)] = 0.0
    title: str = ""


class Answers(Part):
    """What a task comes back with: a failure is `{"error": "…"}`."""

    llm: Any = None
    http: dict[str, Any] | None = None
    sync: dict[str, Any] | None = None
    understand: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Answers:
        if len(self.model_fields_set) != 1:
            raise ValueError("respond answers one task: llm, http, sync or understand")
        return self


class TestTurn(Part):
    """One thing that happens, or one thing that is expected."""

    __test__ = False

    send: str | None = None
    press: str | int | bool | None = None
    ask: Annotated[int, Field(le=0)] | None = None
    advance: Duration | None = None
    respond: Answers | None = None
    photo: FileSent | None = None
    video: FileSent | None = None
    audio: FileSent | None = None
    file: FileSent | None = None
    contact: ContactSent | None = None
    location: PlaceSent | None = None
    operator: str | None = None
    give_back: Literal[True] | StepId | None = None
    expect: str | Expectation | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> TestTurn:
        acts = self.model_fields_set - {"ask"}
        if len(acts) != 1:
            raise ValueError("a turn of a test is one thing: an act like send, or an expect")
        if self.ask is not None and "press" not in acts:
            raise ValueError("“ask” says which question's button is pressed, and belongs to a press")
        return self


class Test(Part):
    __test__ = False

    name: Annotated[str, Field(min_length=1, max_length=200)]
    platform: Literal["telegram", "whatsapp", "viber", "webchat"] = "telegram"
    language: Language = "en"
    now: Annotated[datetime | None, Field(strict=False)] = None
    given: dict[Given, Any] = {}
    turns: Annotated[list[TestTurn], Field(min_length=1, max_length=MAX_TEST_TURNS)]


# --- the document ----------------------------------------------------------------------------------


class Declaration(Part):
    type: Literal["string", "integer", "number", "boolean", "date", "list", "map", "any"] = "any"
    initial: Any = None
    sensitive: bool = False
    scope: Literal["run", "person"] = "run"


class Defaults(Part):
    max_attempts: Annotated[int, Field(ge=1, le=100)] | None = None
    on_failure: StepId | None = None
    timeout: Timeout | None = None


FallbackName = Literal[
    "choose_button",
    "choose_buttons",
    "done",
    "not_text",
    "not_number",
    "not_integer",
    "not_date",
    "not_time",
    "not_email",
    "not_phone",
    "not_url",
    "not_location",
    "not_contact",
    "not_own_contact",
    "not_media",
    "share_phone",
    "share_location",
    "stale_button",
    "busy",
    "ended",
    "unsupported",
    "action_failed",
]


class Scenario(Part):
    """A whole document."""

    model_config = ConfigDict(title="A scenario of Parley")

    version: str
    start: StepId | None = None
    languages: Annotated[list[Language], Field(min_length=1)] | None = None
    default_language: Language | None = None
    timezone: TimeZone | None = None
    variables: Annotated[dict[Variable, Declaration], Field(max_length=MAX_VARIABLES)] = {}
    steps: Annotated[list[Step], Field(min_length=1, max_length=MAX_STEPS)]
    conditions: Annotated[list[ScenarioCondition], Field(max_length=MAX_CONDITIONS)] = []
    commands: Annotated[dict[CommandWord, Command], Field(max_length=MAX_COMMANDS)] = {}
    defaults: Defaults | None = None
    fallbacks: dict[FallbackName, Text] = {}
    after_end: str = "tell"
    first_message: Literal["start", "answer"] = "start"
    tests: Annotated[list[Test], Field(max_length=MAX_TESTS)] = []
