"""What the stand-in messengers share: a real HTTP server on loopback that refuses, fails and remembers.

Nothing here knows Parley: the stand-ins are written from the messengers' documentation alone.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import MIMEPart
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; header names are lower-case."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def answer_json(value: object, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"content-type": "application/json", **headers})


@dataclass(frozen=True)
class Part:
    """A field of a multipart form; a file has a name, though it may be empty."""

    field: str
    content: bytes
    content_type: str
    file_name: str | None


@dataclass(frozen=True)
class Incoming:
    """A request as it came; `body` is its JSON, or None if it is none."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        try:
            return json.loads(self.raw)
        except (ValueError, RecursionError):
            return None

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def parts(self) -> list[Part]:
        """What is in a multipart form, in order; nothing of anything else."""
        if self.media_type != "multipart/form-data":
            return []
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        form = BytesParser(policy=HTTP).parsebytes(head + self.raw)
        return [_part(each) for each in form.iter_parts()]


def _part(each: MIMEPart) -> Part:
    field = each.get_param("name", header="content-disposition") or ""
    content = each.get_payload(decode=True)
    assert isinstance(field, str)
    assert isinstance(content, bytes)
    return Part(field, content, each.get_content_type(), each.get_filename())


@dataclass(frozen=True)
class Recorded:
    """A request and how it was answered; `status` is 0 where the answer was dropped."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    raw: bytes
    status: int
    answer: Any


class Refusal(Exception):
    """The messenger's own way of saying no."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body.decode(errors="replace"))
        self.answer = answer


@dataclass(frozen=True)
class Update:
    """What a messenger posts to a webhook: the very bytes, with their proof."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Shown:
    """A button as the person sees it; `carries` is what comes back, or the address of a link.

    `shares` is "phone" or "location" for a button of the messenger's own, which carries nothing.
    """

    label: str
    carries: str
    is_link: bool = False
    whole_label: str = ""
    shares: str = ""


@dataclass(frozen=True)
class Said:
    """A message as the person sees it, and the request's body that it came in."""

    text: str
    buttons: tuple[Shown, ...]
    message_id: str
    body: Any

    @property
    def labels(self) -> list[str]:
        return [button.label for button in self.buttons]


class StandIn(ABC):
    """A messenger's API on loopback. Start it with `with`; then it is at `url`.

    `requests` has every request in order; `refusals` those that were wrong. `fail_next` and
    `drop_answer_next` concern calls that send a message, not the others.
    """

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.refusals: list[Recorded] = []
        self.url = ""
        self.is_closing = False
        self.changed = threading.Condition(threading.RLock())
        self._failures: deque[Answer] = deque()
        self._drops = 0
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(
            target=self._server.serve_forever, args=(0.005,), name=repr(self), daemon=True
        ).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self.changed:
            self.is_closing = True
            self.changed.notify_all()
        if self._server is not None:
            self._server.stop()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self.url}>"

    @abstractmethod
    def answer(self, request: Incoming) -> Answer:
        """Do what the request asks, as the messenger would. Raises `Refusal`."""

    @abstractmethod
    def is_send(self, request: Incoming) -> bool:
        """Whether the request would send a message to a person."""

    def fail_next(self, status: int, body: object, times: int = 1, **headers: str) -> None:
        """Answer the next sends with this error, and do not take the message."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        with self.changed:
            self._failures.extend(
                [Answer(status, raw, {"content-type": "application/json", **names})] * times
            )

    def drop_answer_next(self, times: int = 1) -> None:
        """Take the next messages, and close the connection without an answer."""
        with self.changed:
            self._drops += times

    def wait_until(self, claim: Callable[[], bool], timeout_seconds: float = 10.0) -> None:
        """Wait until something that requests change is so. Raises `TimeoutError`."""
        with self.changed:
            if not self.changed.wait_for(claim, timeout_seconds):
                raise TimeoutError(f"not within {timeout_seconds} s; {len(self.requests)} requests so far")

    def handle(self, request: Incoming) -> Answer | None:
        """Answer and remember; None where the answer is to be dropped."""
        with self.changed:
            failure = self._failures.popleft() if self._failures and self.is_send(request) else None
        answer, is_refused = (failure, False) if failure else self._judged(request)
        with self.changed:
            is_dropped = failure is None and not is_refused and self._drops > 0 and self.is_send(request)
            self._drops -= is_dropped
            self._record(request, answer, is_refused=is_refused, is_dropped=is_dropped)
        return None if is_dropped else answer

    def _judged(self, request: Incoming) -> tuple[Answer, bool]:
        try:
            return self.answer(request), False
        except Refusal as refusal:
            return refusal.answer, True

    def _record(self, request: Incoming, answer: Answer, *, is_refused: bool, is_dropped: bool) -> None:
        recorded = Recorded(
            request.method,
            request.path,
            request.headers,
            request.body,
            request.raw,
            0 if is_dropped else answer.status,
            Incoming("", "", {}, {}, answer.body).body,
        )
        self.requests.append(recorded)
        if is_refused:
            self.refusals.append(recorded)
        self.changed.notify_all()


class Person(ABC):
    """Somebody at the other end: writes and presses through the bot's webhook, and hears the bot."""

    def __init__(self, messenger: StandIn, webhook_url: str) -> None:
        self.messenger = messenger
        self.webhook_url = webhook_url
        self.heard: list[Said] = []
        self._read = 0

    @abstractmethod
    def written(self, text: str) -> Update:
        """The update that a message of this text makes; not posted yet."""

    @abstractmethod
    def pressed(self, label: str) -> Update:
        """The update that a press makes on the last button heard of that has this label."""

    @abstractmethod
    def shared(self, kind: str) -> Update:
        """The update that sharing the own phone or location by the last message's button makes."""

    @abstractmethod
    def leave(self) -> None:
        """Become somebody the bot cannot write to any more; no update tells of it."""

    def say(self, text: str) -> Answer:
        return self.post(self.written(text))

    def press(self, label: str) -> Answer:
        return self.post(self.pressed(label))

    def post(self, update: Update) -> Answer:
        """Deliver the update to the webhook, as often as you like."""
        return call("POST", self.webhook_url, update.headers, update.body)

    def hear(self, said: Said) -> None:
        with self.messenger.changed:
            self.heard.append(said)
            self.messenger.changed.notify_all()

    def hear_instead(self, said: Said) -> None:
        """See a message of before changed, in its place."""
        with self.messenger.changed:
            places = [n for n, heard in enumerate(self.heard) if heard.message_id == said.message_id]
            self.heard[places[-1]] = said
            self.messenger.changed.notify_all()

    def next(self, timeout_seconds: float = 10.0) -> Said:
        """The first message not read yet, waited for. Raises `TimeoutError`."""
        self.messenger.wait_until(lambda: len(self.heard) > self._read, timeout_seconds)
        self._read += 1
        return self.heard[self._read - 1]

    def unread(self) -> list[Said]:
        """What was heard beyond what `next` has given, without waiting."""
        return self.heard[self._read :]

    def button(self, label: str) -> tuple[Said, Shown]:
        """The newest button of that label. Raises `LookupError`."""
        for said in reversed(self.heard):
            for shown in said.buttons:
                if not (shown.is_link or shown.shares) and label in (shown.label, shown.whole_label):
                    return said, shown
        last = self.heard[-1].labels if self.heard else []
        raise LookupError(f"no button “{label}”; the last message has {last}")

    def sharing(self, kind: str) -> Shown:
        """The button of the last message that shares this. Raises `LookupError`."""
        for shown in self.heard[-1].buttons if self.heard else ():
            if shown.shares == kind:
                return shown
        raise LookupError(f"the last message does not ask for a {kind}")


def call(
    method: str, url: str, headers: Mapping[str, str], body: bytes = b"", timeout_seconds: float = 60.0
) -> Answer:
    """One HTTP call, whatever comes of it; redirects are not followed."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=timeout_seconds)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, body or None, dict(headers))
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, response.read(), names)
    finally:
        connection.close()


def form_of(fields: Mapping[str, str], *files: Part) -> tuple[bytes, str]:
    """A multipart form, and its content type."""
    boundary = "----stand-in-boundary"
    texts = [Part(name, value.encode(), "", None) for name, value in fields.items()]
    body = b"".join(_encoded(part, boundary) for part in (*texts, *files))
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _encoded(part: Part, boundary: str) -> bytes:
    named = "" if part.file_name is None else f'; filename="{part.file_name}"'
    kind = "" if part.file_name is None else f"Content-Type: {part.content_type}\r\n"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{part.field}"{named}\r\n{kind}\r\n'
    return head.encode() + part.content + b"\r\n"


def now_seconds() -> int:
    return int(time.time())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or an answer's body waits 40 ms for its headers to be acknowledged
    server: _Server

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        request = Incoming(
            self.command,
            parts.path,
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length),
        )
        answer = self.server.standin.handle(request)
        if answer is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 (http.server's names)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
        """Silence: what matters is in `requests`."""


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, standin: StandIn) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.standin = standin
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news; anything else is a bug of the stand-in's."""
        import sys  # noqa: PLC0415

        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """Stop listening, hang up on idle clients, and wait for the requests under way."""
        self.shutdown()
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue
        self.server_close()
