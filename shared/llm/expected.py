"""What a model has to answer with, and the reading of what it did answer with."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from shared.json_schema import MAX_DEPTH, JsonSchema, depth_of
from shared.llm.base import Form
from shared.llm.forms import object_of, one_of, or_null

Output = Literal["text", "choice", "object"]

_FENCE = "```"
_OPENING = re.compile(rf"{_FENCE}[a-zA-Z]*\s*")


class Unfit(Exception):
    """An answer is not what was asked for; says to the model why not."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What an llm step takes: an answer of one kind, a route of those declared, or both.

    `schema` is the author's, for an object; `only_route` says that nobody uses the answer itself.
    """

    output: Output
    options: Sequence[str] = ()
    schema: Mapping[str, Any] | None = None
    routes: Mapping[str, str] | None = None
    only_route: bool = False

    def form(self) -> Form | None:
        """None where any words will do."""
        if self.routes:
            return self._form_with_route(list(self.routes))
        if self.output == "choice":
            return Form(object_of({"choice": one_of(self.options)}), "exact")
        if self.output == "object":
            schema = self.schema or {"type": "object"}
            return Form(schema, "near" if self.schema and schema.get("type") == "object" else "told")
        return None

    def _form_with_route(self, names: Sequence[str]) -> Form:
        route = or_null(one_of(names))
        if self.only_route:
            return Form(object_of({"route": route}), "exact")
        if self.output != "object":
            answer = {"type": "string"} if self.output == "text" else one_of(self.options)
            return Form(object_of({self.output: or_null(answer), "route": route}), "exact")
        # What it refers to would be looked for in the wrong place: it is no document of its own any more.
        described = object_of({"object": self.schema or {"type": "object"}, "route": route})
        return Form(described, "told" if "$ref" in json.dumps(self.schema) else "near")

    def instructions(self) -> str:
        """What the form does not say by itself."""
        if not self.routes:
            return ""
        ways = "\n".join(f"- {json.dumps(name)}: {when}" for name, when in self.routes.items())
        answer = "" if self.only_route else f', and give your answer as "{self.output}"'
        return (
            f'As "route" name the one of these ways whose description fits, or null if none does{answer}. '
            f"The ways:\n{ways}"
        )

    def read(self, words: str) -> dict[str, Any]:
        """The answer by its kind, and the route where one was taken. Raises `Unfit`."""
        if self.form() is None:
            return {"text": _text(words)}
        value = json_in(words)
        if self.output == "object" and not self.routes:
            return {"object": self._object(value)}
        return self._routed(value) if self.routes else {"choice": self._choice(value.get("choice"))}

    def _routed(self, value: Mapping[str, Any]) -> dict[str, Any]:
        route, answer = value.get("route"), value.get(self.output)
        ways = list(self.routes or ())
        if route is not None and route not in ways:
            raise Unfit(f'"route" is none of {json.dumps(ways, ensure_ascii=False)}')
        found = {} if route is None else {"route": route}
        if self.only_route or (answer is None and found):
            return found
        return {self.output: self._answer(answer), **found}

    def _answer(self, answer: Any) -> Any:
        if self.output == "choice":
            return self._choice(answer)
        if self.output == "object":
            return self._object(answer)
        return _text(answer)

    def _choice(self, answer: Any) -> str:
        """The option that is meant, whatever its capitals."""
        if answer in self.options:
            return str(answer)
        for option in self.options:
            if isinstance(answer, str) and answer.strip().casefold() == option.strip().casefold():
                return option
        raise Unfit(f'"choice" is none of {json.dumps(list(self.options), ensure_ascii=False)}')

    def _object(self, answer: Any) -> dict[str, Any]:
        if not isinstance(answer, dict):
            raise Unfit("it is no JSON object")
        if self.schema and (flaws := JsonSchema(self.schema).flaws(answer)):
            raise Unfit("; ".join(flaws))
        return answer


def json_in(words: str) -> dict[str, Any]:
    """The JSON object that the words are, also between fences. Raises `Unfit`."""
    try:
        value = msgspec.json.decode(_unfenced(words))
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise Unfit("it is not JSON, or not JSON alone") from None
    if not isinstance(value, dict):
        raise Unfit("it is no JSON object")
    if depth_of(value, MAX_DEPTH) > MAX_DEPTH:
        raise Unfit(f"it is nested deeper than {MAX_DEPTH} levels")
    return value


def _unfenced(words: str) -> str:
    opening, _, rest = words.strip().partition("\n")
    return rest.removesuffix(_FENCE) if _OPENING.fullmatch(opening) else words


def _text(words: Any) -> str:
    if not isinstance(words, str) or not words.strip():
        raise Unfit("there are no words in it")
    return words.strip()
