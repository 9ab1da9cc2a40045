import asyncio
import socket
import threading
import time

import uvicorn
from starlette.applications import Starlette

from infra.local.errors import StartError

STOPPED_WITHIN_SECONDS = 30


class Server:
    """Serves an application on sockets that are already bound, in a thread of its own."""

    def __init__(self, name: str, sockets: list[socket.socket]) -> None:
        self._name = name
        self._sockets = sockets
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, app: Starlette) -> None:
        config = uvicorn.Config(app, log_level="error", access_log=False, server_header=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._serve, args=(self._server,), name=self._name, daemon=True
        )
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise StartError(f"The {self._name} did not start.")
            time.sleep(0.01)

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(STOPPED_WITHIN_SECONDS)
        for bound in self._sockets:
            bound.close()

    def _serve(self, server: uvicorn.Server) -> None:
        asyncio.run(server.serve(sockets=self._sockets))
