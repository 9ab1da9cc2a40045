"""An OpenAI of our own: chat completions, as strict as the real one, also under the paths of Azure.

It says what it was told to say. `takes_forms` and `knows` make it one of the compatible servers that speak
less of the protocol.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.standins.server import Answer, Incoming, Recorded, Refusal, StandIn, answer_json
from tests.standins.shapes import (
    Check,
    Wrong,
    a_list,
    all_of,
    an_object,
    anything,
    boolean,
    number,
    one_of,
    text,
)

KEY = "sk-proj-T3stT3stT3stBlbkFJ"

_PATH = re.compile(r"/v1/chat/completions")
_AZURE_PATH = re.compile(r"/openai/deployments/([^/]{1,64})/chat/completions")
_API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NOT_STRICT = {
    *("allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas"),
    *("default", "minLength", "maxLength", "patternProperties", "propertyNames", "uniqueItems", "contains"),
}
"""Keywords of JSON Schema that a strict form may not have."""

MOST_ENUM_VALUES = 1000
"""Of a strict form in all."""

MOST_TOKENS = 16_384
"""Of an answer."""


@dataclass(frozen=True)
class Saying:
    """What the model says next, how it comes to its end, and what it tells of its costs."""

    content: str | None
    finish_reason: str | None = "stop"
    refusal: str | None = None
    usage: Any = "counted"


class OpenAiStandIn(StandIn):
    """The models of one account. `asked` are the bodies of all questions that were in order.

    A model of `thinking` knows no temperature but 1 and no `max_tokens`, as OpenAI's reasoning models do.
    """

    def __init__(
        self,
        *,
        models: tuple[str, ...] = ("gpt-test", "gpt-other"),
        thinking: tuple[str, ...] = ("o-test",),
        takes_forms: bool = True,
        knows: tuple[str, ...] = ("max_tokens", "max_completion_tokens"),
    ) -> None:
        super().__init__()
        self.key = KEY
        self.models = models
        self.thinking = thinking
        self.takes_forms = takes_forms
        self.knows = knows
        self.delay_seconds = 0.0
        self.usual = "Yes."
        self._sayings: deque[Saying] = deque()

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def asked(self) -> list[dict[str, Any]]:
        return [each.body for each in self.requests if each.status == 200]

    @property
    def last(self) -> Recorded:
        return self.requests[-1]

    def say(self, *contents: str | Mapping[str, Any] | Saying) -> None:
        """Answer the next questions so, in order; an object as JSON."""
        with self.changed:
            self._sayings.extend(map(_saying, contents))

    def is_send(self, request: Incoming) -> bool:
        return request.method == "POST"

    def answer(self, request: Incoming) -> Answer:
        azure = _AZURE_PATH.fullmatch(request.path)
        if not azure and not _PATH.fullmatch(request.path):
            raise refused(404, f"Invalid URL ({request.method} {request.path})")
        if request.method != "POST":
            raise refused(405, f"Not allowed to {request.method} on {request.path}")
        if azure:
            self._check_azure(request, azure[1])
        elif request.headers.get("authorization") != f"Bearer {self.key}":
            raise refused(401, f"Incorrect API key provided: {self.key[:6]}***.", code="invalid_api_key")
        body = self._checked(request, azure[1] if azure else "")
        self._wait()
        return self._completion(body)

    def _check_azure(self, request: Incoming, deployment: str) -> None:
        if request.headers.get("api-key") != self.key:
            raise refused(401, "Access denied due to invalid subscription key.", code="401")
        if not _API_VERSION.fullmatch(request.query.get("api-version", "")):
            raise refused(404, "Resource not found", code="404")
        if deployment not in (*self.models, *self.thinking):
            raise refused(404, "The API deployment does not exist.", code="DeploymentNotFound")

    def _wait(self) -> None:
        with self.changed:
            self.changed.wait_for(lambda: self.is_closing, self.delay_seconds)

    # --- checking ---------------------------------------------------------------------------------

    def _checked(self, request: Incoming, deployment: str) -> dict[str, Any]:
        if request.media_type != "application/json" or not isinstance(request.body, dict):
            raise refused(400, "We could not parse the JSON body of your request.")
        body = {"model": deployment, **request.body} if deployment else request.body
        try:
            _BODY(body, "")
        except Wrong as wrong:
            raise refused(400, f"Invalid '{wrong.path}': {wrong.detail}.", wrong.path) from None
        if not deployment and body["model"] not in (*self.models, *self.thinking):
            name = body["model"]
            raise refused(404, f"The model `{name}` does not exist.", code="model_not_found")
        self._check_options(body)
        _check_form(body)
        return body

    def _check_options(self, body: Mapping[str, Any]) -> None:
        is_thinking = body["model"] in self.thinking
        unknown = {"max_tokens", "max_completion_tokens"} - {*self.knows}
        for name in {*unknown, *(("max_tokens",) if is_thinking else ())}:
            if name in body:
                message = f"Unsupported parameter: '{name}' is not supported with this model."
                raise refused(400, message, name, "unsupported_parameter")
        if is_thinking and body.get("temperature", 1) != 1:
            message = (
                "Unsupported value: 'temperature' does not support this. Only the default (1) is supported."
            )
            raise refused(400, message, "temperature", "unsupported_value")
        for name in ("max_tokens", "max_completion_tokens"):
            if body.get(name, 1) > MOST_TOKENS:
                raise refused(400, f"{name} is too large: {body[name]}.", name, "invalid_value")
        if "response_format" in body and not self.takes_forms:
            raise refused(400, "extra fields not permitted")

    # --- answering --------------------------------------------------------------------------------

    def _completion(self, body: Mapping[str, Any]) -> Answer:
        with self.changed:
            saying = self._sayings.popleft() if self._sayings else Saying(self.usual)
        message = {"role": "assistant", "content": saying.content, "refusal": saying.refusal}
        choice = {"index": 0, "message": message, "finish_reason": saying.finish_reason, "logprobs": None}
        told = {
            "id": f"chatcmpl-{len(self.requests)}",
            "object": "chat.completion",
            "created": 1_790_000_000,
            "model": f"{body['model']}-2026-01-01",
            "choices": [choice],
        }
        told["usage"] = _usage(body, saying) if saying.usage == "counted" else saying.usage
        return answer_json(told)


def refused(status: int, message: str, param: str | None = None, code: str | None = None) -> Refusal:
    """The error as OpenAI writes it."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Refusal(answer_json({"error": error}, status))


def _saying(content: str | Mapping[str, Any] | Saying) -> Saying:
    if isinstance(content, Saying):
        return content
    return Saying(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False))


def _usage(body: Mapping[str, Any], saying: Saying) -> dict[str, int]:
    """A made-up count that grows with what was said."""
    prompt = sum(4 + len(message["content"]) // 4 for message in body["messages"])
    completion = 1 + len(saying.content or "") // 4
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


# --- shapes ----------------------------------------------------------------------------------------


_MESSAGE = an_object(
    {"role": one_of("system", "developer", "user", "assistant"), "content": text()}, {"name": text(1, 64)}
)


def _matching(pattern: re.Pattern[str]) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise Wrong("value", path, f"does not match {pattern.pattern}")

    return check


_FORM = an_object(
    {"type": one_of("text", "json_object", "json_schema")},
    {
        "json_schema": an_object(
            {"name": _matching(_NAME), "schema": anything}, {"strict": boolean, "description": text()}
        )
    },
)

_BODY = an_object(
    {"model": text(1), "messages": a_list(_MESSAGE, 1)},
    {
        "max_completion_tokens": number(1),
        "max_tokens": number(1),
        "temperature": number(0, 2, whole=False),
        "response_format": all_of(_FORM),
    },
)


def _check_form(body: Mapping[str, Any]) -> None:
    form = body.get("response_format", {"type": "text"})
    if form["type"] == "json_object":
        words = " ".join(message["content"] for message in body["messages"])
        if "json" not in words.lower():
            message = "'messages' must contain the word 'json' in some form, to use 'response_format'."
            raise refused(400, message, "messages")
    if (form["type"] == "json_schema") is not ("json_schema" in form):
        raise refused(400, "Missing required parameter: 'response_format.json_schema'.", "response_format")
    if form["type"] == "json_schema":
        _check_schema(form["json_schema"])


def _check_schema(form: Mapping[str, Any]) -> None:
    schema = form["schema"]
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise _bad_schema(form, "schema must be a JSON Schema of 'type: \"object\"'")
    if form.get("strict"):
        _check_strict(form, schema)
        if sum(map(len, _enums_in(schema))) > MOST_ENUM_VALUES:
            raise _bad_schema(form, f"expected at most {MOST_ENUM_VALUES} enum values in total")
    for names in _enums_in(schema):
        if len(set(map(str, names))) < len(names):
            raise _bad_schema(form, f"{names} has non-unique elements")


def _enums_in(schema: Any) -> list[list[Any]]:
    parts = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    own = [schema["enum"]] if isinstance(schema, dict) and isinstance(schema.get("enum"), list) else []
    return own + [names for part in parts for names in _enums_in(part)]


def _check_strict(form: Mapping[str, Any], schema: Any) -> None:
    """The subset to which OpenAI holds a model."""
    if isinstance(schema, list):
        for each in schema:
            _check_strict(form, each)
    if not isinstance(schema, dict):
        return
    if unknown := _NOT_STRICT & schema.keys():
        raise _bad_schema(form, f"'{min(unknown)}' is not permitted")
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            raise _bad_schema(form, "'additionalProperties' is required to be supplied and to be false")
        if set(schema.get("required", ())) != set(schema.get("properties", {})):
            raise _bad_schema(form, "'required' is required to be supplied and to include every key")
    for name, below in schema.items():
        _check_strict(form, list(below.values()) if name == "properties" else below)


def _bad_schema(form: Mapping[str, Any], why: str) -> Refusal:
    message = f"Invalid schema for response_format '{form['name']}': In context=(), {why}."
    return refused(400, message, "response_format")
