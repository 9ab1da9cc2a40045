from __future__ import annotations

import pytest

from shared.admin_api.collaborators import handed_to
from shared.errors import NotAccepted, Unavailable, Wait


def test_queue_that_takes_nothing_is_not_available_for_a_while() -> None:
    refused = pytest.raises(Unavailable, match="the queue of tasks is not available")
    with refused as caught, handed_to("the queue of tasks"):
        raise NotAccepted("parley-tasks.fifo", ["InternalError"])

    assert caught.value.retry_after_seconds == 5
    assert "parley-tasks" not in str(caught.value)


def test_anything_else_that_fails_is_what_it_is() -> None:
    with pytest.raises(Wait), handed_to("the queue of tasks"):
        raise Wait(1, "of something else")
