"""The client that sets up the demo is patient with a machine that is slow to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.local.admin_api import PATIENCE, AdminApi
from infra.local.errors import StartError
from tests.standins.server import Answer, Incoming, StandIn, answer_json


class SlowStart(StandIn):
    """An API whose Lambdas are too late for the gateway, a few times."""

    late = 0

    def answer(self, request: Incoming) -> Answer:
        self.late -= 1
        return (
            answer_json({"message": "Endpoint request timed out"}, 504) if self.late >= 0 else answer_json({})
        )

    def is_send(self, request: Incoming) -> bool:
        return False


@pytest.fixture
def slow() -> Iterator[SlowStart]:
    with SlowStart() as server:
        yield server


def test_a_read_that_comes_too_early_is_asked_again(slow: SlowStart) -> None:
    slow.late = PATIENCE - 1
    with AdminApi(slow.url, "token") as api:
        assert api.get("/api/bots") == {}


def test_patience_ends(slow: SlowStart) -> None:
    slow.late = PATIENCE
    with AdminApi(slow.url, "token") as api, pytest.raises(StartError, match="504"):
        api.get("/api/bots")


def test_a_change_is_never_asked_for_twice(slow: SlowStart) -> None:
    slow.late = 1
    with AdminApi(slow.url, "token") as api, pytest.raises(StartError, match="504"):
        api.post("/api/bots", {})
    assert len(slow.requests) == 1
