"""Models of OpenAI, of Azure OpenAI, and of whoever else speaks chat completions, by the `openai` package.

Nothing but the tasks worker imports this: the package takes more than a second to load.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn, cast

import httpx
import msgspec
import openai

from shared.errors import AddressRefused, AnswerTooLarge, NotAnswered, TaskFailed
from shared.guard import Guard
from shared.llm.base import AnswerLost, Completion, End, Form, Question, Said
from shared.llm.settings import ModelSettings
from shared.llm.tokens import tokens_in, tokens_of
from shared.outbound_http import GuardedTransport
from shared.tasks.retrying import TryAgain

OPENAI = "https://api.openai.com/v1"
MAX_ANSWER_BYTES = 1_000_000

_ENDS: Mapping[str, End] = {
    "length": "too_long",
    "content_filter": "filtered",
    "tool_calls": "refused",
    "function_call": "refused",
}
"""By the `finish_reason`; whatever else servers write there means that they are done."""

_PASSING = frozenset({408, 409, 425})
_PAYMENT_REQUIRED = 402
_UNPAID = frozenset({"insufficient_quota", "billing_not_active"})
_FAULTS = 500
_LEAST_SECONDS = 0.001
_MOST_TOKENS = 100_000_000
_LONGEST_NAME = 200
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_LIMITS = ("max_completion_tokens", "max_tokens")
_OLD_LIMITS = ("max_tokens", "max_completion_tokens")
"""What the limit of tokens is called, in the order of trying: the newer name is OpenAI's."""

_OPTIONAL = (*_LIMITS, "temperature", "response_format")
"""What a question can be asked without."""

MOST_REMEMBERED = 1_000
"""Of what was refused; beyond that all of it is learnt anew."""


class _Message(msgspec.Struct, frozen=True):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message
    finish_reason: str | None = None


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: Any = None
    completion_tokens: Any = None


class _Answer(msgspec.Struct, frozen=True):
    """A chat completion, as far as it matters: servers leave out what they do not have."""

    choices: list[_Choice]
    model: str | None = None
    usage: _Usage | None = None


class OpenAiProvider:
    """One bot's way to its models. It learns what each does not take, and leaves that out from then on.

    That is an option with its value: a limit that is too high, or a schema that is refused, says nothing of
    others.
    """

    def __init__(
        self, settings: ModelSettings, guard: Guard, *, most_remembered: int = MOST_REMEMBERED
    ) -> None:
        _require_secrecy(settings, guard)
        transport = GuardedTransport(guard, most_bytes=MAX_ANSWER_BYTES)
        self._client = _client_of(settings, httpx.Client(transport=transport, trust_env=False))
        is_compatible = settings.provider == "openai" and bool(settings.base_url)
        self._limits = _OLD_LIMITS if is_compatible else _LIMITS
        self._refused: set[int] = set()
        self._most_remembered = most_remembered

    def ask(self, question: Question, seconds_left: Callable[[], float]) -> Completion:
        """See `Provider`. What the server refuses to be asked with is left out, and it is asked once more."""
        while True:
            body = _body(question, _options(question, self._limits, self._refused))
            try:
                with _in_our_words(question):
                    return _completion(self._send(body, seconds_left()), question)
            except openai.APIStatusError as error:
                answer = error  # which is dealt with outside, so that nothing raised there drags it along
            name = _refused_option(answer, body) or _fail(answer)
            self._remember(_mark(question.model, name, body[name]))

    def _remember(self, mark: int) -> None:
        if len(self._refused) >= self._most_remembered:
            self._refused.clear()
        self._refused.add(mark)

    def _send(self, body: Mapping[str, Any], seconds: float) -> bytes:
        answer = self._client.chat.completions.with_raw_response.create(
            **body, timeout=max(seconds, _LEAST_SECONDS)
        )
        return answer.content


def _require_secrecy(settings: ModelSettings, guard: Guard) -> None:
    """A key goes unencrypted only where the deployment itself says so. Raises `TaskFailed`."""
    if not guard.keeps_secret(settings.base_url or OPENAI):
        raise TaskFailed("The address of the model's provider has to begin with https://.")


def _client_of(settings: ModelSettings, http: httpx.Client) -> openai.OpenAI:
    client = cast("Any", http)  # its annotation names the fork of httpx that is its own default
    if settings.provider == "azure":
        return openai.AzureOpenAI(
            azure_endpoint=settings.base_url,
            api_version=settings.api_version,
            api_key=settings.api_key,
            http_client=client,
            max_retries=0,
        )
    return openai.OpenAI(
        api_key=settings.api_key,
        base_url=settings.base_url or OPENAI,
        http_client=client,
        max_retries=0,
    )


# --- what is sent ----------------------------------------------------------------------------------


def _options(question: Question, limits: tuple[str, ...], refused: Collection[int]) -> dict[str, Any]:
    """What the question is asked with beside its words, but for what is refused; the limit by one name."""
    wanted = {
        **dict.fromkeys(limits, question.max_tokens),
        "temperature": question.temperature,
        "response_format": _response_format(question.form),
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    taken = {name: v for name, v in given.items() if _mark(question.model, name, v) not in refused}
    for name in [name for name in limits if name in taken][1:]:
        del taken[name]
    return taken


def _mark(model: str, name: str, value: Any) -> int:
    """Stands for an option with its value."""
    return hash((model, name, msgspec.json.encode(value)))


def _body(question: Question, options: Mapping[str, Any]) -> dict[str, Any]:
    form = question.form
    messages = [_message(said) for said in question.messages]
    if form and ("response_format" not in options or form.held == "told"):
        messages[0]["content"] += f"\n\n{_told(form)}"
    return {"model": question.model, "messages": messages, **options}


def _message(said: Said) -> dict[str, str]:
    return {"role": said.role, "content": said.words}


def _response_format(form: Form | None) -> dict[str, Any] | None:
    if form is None:
        return None
    if form.held == "told":
        return {"type": "json_object"}
    schema = {"name": "answer", "schema": form.schema, "strict": form.held == "exact"}
    return {"type": "json_schema", "json_schema": schema}


def _told(form: Form) -> str:
    schema = json.dumps(form.schema, ensure_ascii=False)
    return f"Answer with nothing but JSON that fits this JSON Schema: {schema}"


# --- what comes back -------------------------------------------------------------------------------


def _completion(body: bytes, question: Question) -> Completion:
    try:
        answer = msgspec.json.decode(body, type=_Answer)
        choice = answer.choices[0]
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError):
        raise AnswerLost("The model's server answers with something else than an answer.") from None
    words = choice.message.content or ""
    usage = answer.usage or _Usage()
    return Completion(
        words=words,
        end=_end_of(choice),
        model=(answer.model or question.model)[:_LONGEST_NAME],
        prompt_tokens=_counted(usage.prompt_tokens, tokens_of(question.messages)),
        completion_tokens=_counted(usage.completion_tokens, tokens_in(words)),
    )


def _counted(tokens: Any, estimate: int) -> int:
    """What the server counts, if it does, and not beyond belief."""
    return tokens if type(tokens) is int and 0 <= tokens <= _MOST_TOKENS else estimate


def _end_of(choice: _Choice) -> End:
    if choice.message.refusal:
        return "refused"
    return _ENDS.get(choice.finish_reason or "", "done")


@contextmanager
def _in_our_words(question: Question) -> Iterator[None]:
    """What comes in between us and an answer: the words of others may quote what was asked."""
    try:
        yield
    except (openai.APITimeoutError, openai.APIConnectionError) as error:
        raise _unreachable(error) from None
    except NotAnswered as error:
        raise TryAgain(f"The model's server does not answer: {error}.") from None
    except (AddressRefused, AnswerTooLarge) as error:
        raise TaskFailed(f"The model cannot be asked: {error}.") from None
    except openai.NotFoundError:
        raise TaskFailed(
            f"There is no model “{question.model[:_LONGEST_NAME]}” where it is looked for."
        ) from None


def _unreachable(error: openai.APIConnectionError) -> TryAgain:
    """Where the connection was never made, nothing was asked."""
    if isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout):
        return TryAgain("The model's server cannot be reached.")
    if isinstance(error, openai.APITimeoutError):
        return AnswerLost("The model did not answer in time.")
    return AnswerLost("The model's server hung up.")


# --- what it refuses -------------------------------------------------------------------------------


def _refused_option(error: openai.APIStatusError, body: Mapping[str, Any]) -> str | None:
    """What of the request the server does not take, if it can be left out."""
    if error.status_code not in (400, 422) or error.code in ("content_filter", "context_length_exceeded"):
        return None
    sent = [name for name in _OPTIONAL if name in body]
    named = str(error.param or "").partition(".")[0]
    mentioned = (name for name in sent if name == named or name in str(error.message))
    return next(mentioned, "response_format" if "response_format" in sent and not named else None)


def _fail(error: openai.APIStatusError) -> NoReturn:
    """Raises what the status means."""
    code = found[0] if (found := _NAME.fullmatch(str(error.code or ""))) else ""
    match error.status_code:
        case 401 | 403:
            raise TaskFailed("The model's provider refuses the bot's key; it is set at …/llm.")
        case status if status == _PAYMENT_REQUIRED or code in _UNPAID:
            raise TaskFailed("The bot's account at the model's provider has no quota left.")
        case 429:
            raise TryAgain("The model's provider takes no more requests for now.", _retry_after(error))
        case status if status in _PASSING or status >= _FAULTS:
            raise TryAgain(f"The model's server has a fault ({status}).", _retry_after(error))
        case _ if code == "content_filter":
            raise TaskFailed("The content filter of the model's provider refuses the prompt.")
        case _ if code == "context_length_exceeded":
            raise TaskFailed("The prompt is too long for the model.")
        case status:
            raise TaskFailed(f"The model's provider refuses the request ({code or status}).")


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Seconds, as vendors write them; a date counts as nothing said."""
    headers = error.response.headers
    if "retry-after-ms" in headers:
        return _number(headers["retry-after-ms"], 1000)
    return _number(headers.get("retry-after", ""))


def _number(text: str, parts: int = 1) -> float | None:
    found = _DECIMAL.fullmatch(text.strip())
    return float(found[0]) / parts if found else None
