"""An http step, from the request that the engine shows to what its scenario sees of the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

from shared.errors import AddressRefused, AnswerTooLarge, BadSchema, NotAnswered, TaskFailed
from shared.exchange import Ask, Http, Reply, wait_named
from shared.guard import Guard
from shared.http_steps.replies import SUCCESS, result_of
from shared.http_steps.requests import SAFE, ask_of
from shared.queueing.envelopes import TaskEnvelope
from shared.tasks.performing import Attempt
from shared.tasks.retrying import TryAgain, retried

MAX_ANSWER_BYTES = 64_000
"""A run collects hardly more."""

_PASSING = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)

SecretOf = Callable[[str, str], str | None]
"""The secret of a bot by the name that its scenarios call it."""


@dataclass(frozen=True, slots=True)
class HttpSteps:
    """Performs them; one for a process."""

    http: Http
    guard: Guard
    secret_of: SecretOf
    retried: Callable[[Callable[[], Reply], Attempt], Reply] = retried

    def perform(self, work: TaskEnvelope, attempt: Attempt) -> dict[str, Any]:
        """`status`, `body` and `headers` of the answer, whatever the status. Raises `TaskFailed`."""
        request = work.task.request
        require_fit = _judge(request.get("schema"))
        secrets = self._secrets(work.bot_id, request)
        ask = ask_of(request, secrets, work.id)
        if secrets and not self.guard.keeps_secret(ask.url):
            raise TaskFailed("the address has to begin with https://, for a secret is sent there")
        result = result_of(self.retried(partial(self._asked, ask, attempt), attempt), secrets.values())
        if result["status"] in SUCCESS:
            require_fit(result["body"])
        return result

    def _secrets(self, bot_id: str, request: Mapping[str, Any]) -> dict[str, str]:
        names = dict.fromkeys(mark["name"] for mark in request["secrets"])
        return {name: self._secret(bot_id, name) for name in names}

    def _secret(self, bot_id: str, name: str) -> str:
        value = self.secret_of(bot_id, name)
        if value is None:
            raise TaskFailed(f"the bot has no secret “{name}”")
        return value

    def _asked(self, ask: Ask, attempt: Attempt) -> Reply:
        """Raises `TaskFailed`, and `TryAgain` for a fault that may pass, where asking twice does no harm."""
        try:
            reply = self.http.request(
                ask, timeout_seconds=attempt.seconds_left(), most_bytes=MAX_ANSWER_BYTES
            )
        except (AddressRefused, AnswerTooLarge) as why:
            raise TaskFailed(str(why)) from None
        except NotAnswered as why:
            raise _fault(ask, f"the server gave no answer ({why})") from None
        if reply.status in _PASSING and ask.method in SAFE:
            raise TryAgain(
                f"the server answered {reply.status}", wait_named(reply.headers.get("retry-after"))
            )
        return reply


def _fault(ask: Ask, reason: str) -> TryAgain | TaskFailed:
    return TryAgain(reason) if ask.method in SAFE else TaskFailed(reason)


def _judge(schema: Mapping[str, Any] | None) -> Callable[[Any], None]:
    """What raises `TaskFailed` for a body that does not fit. Raises that itself for a schema that is none."""
    if schema is None:
        return lambda _body: None
    from shared.json_schema import JsonSchema  # noqa: PLC0415 (most steps have no schema)

    try:
        checked = JsonSchema(schema)
    except BadSchema as why:
        raise TaskFailed(f"the schema of the answer cannot be used: {why}") from None

    def require_fit(body: Any) -> None:
        if flaws := checked.flaws(body):
            raise TaskFailed(f"the answer does not fit its schema: {'; '.join(flaws)}")

    return require_fit
