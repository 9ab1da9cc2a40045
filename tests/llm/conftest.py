"""A model's server on loopback, for each test its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.standins.openai import OpenAiStandIn


@pytest.fixture
def server() -> Iterator[OpenAiStandIn]:
    with OpenAiStandIn() as standin:
        yield standin
