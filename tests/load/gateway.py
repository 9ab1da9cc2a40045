"""Stands where API Gateway stands: `python -m tests.load.gateway PORT`, before the web chat's webhook."""

from __future__ import annotations

import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from functions.webhooks.webchat.handler import lambda_handler


class Gateway(BaseHTTPRequestHandler):
    """Hands each request to the handler as an HTTP API does (payload format 2.0)."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._invoke()

    def do_POST(self) -> None:
        self._invoke()

    def _invoke(self) -> None:
        answer: Any = lambda_handler(self._event(), None)
        body = answer.get("body", "").encode()
        self.send_response(answer["statusCode"])
        for name, value in answer.get("headers", {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _event(self) -> dict[str, Any]:
        address = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return {
            "version": "2.0",
            "routeKey": f"{self.command} /api/webhook/webchat/{{bot_id}}",
            "rawPath": address.path,
            "rawQueryString": address.query,
            "queryStringParameters": dict(parse_qsl(address.query)),
            "pathParameters": {"bot_id": address.path.rsplit("/", 1)[-1]},
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "requestContext": {
                "domainName": "api.invalid",
                "http": {"method": self.command, "path": address.path, "sourceIp": "127.0.0.1"},
                "requestId": "load",
            },
            "body": body.decode(),
            "isBase64Encoded": False,
        }

    def log_message(self, *_: object) -> None:
        """Say nothing: thousands come."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True


def main() -> None:
    server = _Server(("127.0.0.1", int(sys.argv[1])), Gateway)
    signal.signal(signal.SIGTERM, lambda *_: Thread(target=server.shutdown).start())
    server.serve_forever()


if __name__ == "__main__":
    main()
