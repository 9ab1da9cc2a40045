"""Requests to addresses that the deployment's own settings name: whoever runs it vouches for them."""

from __future__ import annotations

from http.client import HTTPException, HTTPResponse
from typing import Final
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from shared.errors import AnswerTooLarge, NotAnswered
from shared.exchange import Ask, Reply

_SAFE: Final = ("https://", "http://127.0.0.1:", "http://localhost:")


class _NoRedirect(HTTPRedirectHandler):
    """What is asked for comes from the address that was configured, or not at all."""

    def redirect_request(self, *_: object) -> None:
        return None


class ConfiguredHttp:
    """A client without a library: the cold start of whoever asks once in a while counts."""

    def request(
        self,
        ask: Ask,
        *,
        timeout_seconds: float,
        most_bytes: int,
        most_redirects: int = 0,  # noqa: ARG002 - as other clients have it
    ) -> Reply:
        """The answer; a redirect is one. Raises `NotAnswered`, `AnswerTooLarge`."""
        if not ask.url.startswith(_SAFE):
            raise NotAnswered("not an https address")
        request = Request(ask.url, ask.content or None, dict(ask.headers), method=ask.method)  # noqa: S310
        try:
            with _opened(request, timeout_seconds) as answer:
                return _reply(answer, most_bytes)
        except OSError as error:
            raise NotAnswered(f"{error}") from None
        except HTTPException:
            raise NotAnswered("what it answers is no HTTP") from None
        except ValueError:  # whose words quote the header, which may be a key
            raise NotAnswered("its address or its key has a character that none may have") from None


def _opened(request: Request, timeout_seconds: float) -> HTTPResponse | HTTPError:
    """A refusal is an answer, too."""
    try:
        answer: HTTPResponse = build_opener(_NoRedirect).open(request, timeout=timeout_seconds)
    except HTTPError as refusal:
        return refusal
    return answer


def _reply(answer: HTTPResponse | HTTPError, most_bytes: int) -> Reply:
    body = answer.read(most_bytes + 1)
    if len(body) > most_bytes:
        raise AnswerTooLarge(most_bytes)
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Reply(answer.status or 0, headers, body)
