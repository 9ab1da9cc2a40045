"""A webhook to try the stand-ins on: remembers what it gets and answers what it is told to."""

from __future__ import annotations

from tests.standins.server import Answer, Incoming, StandIn


class Webhook(StandIn):
    def __init__(self) -> None:
        super().__init__()
        self.answers = Answer(200)

    def is_send(self, request: Incoming) -> bool:
        return True

    def answer(self, request: Incoming) -> Answer:
        return self.answers
