"""Answers of models: each for its time, over DynamoDB as in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.llm.answers import KnownAnswer, KnownAnswers
from shared.storage.memory import MemoryModelAnswers
from shared.storage.model_answers import DynamoModelAnswers

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WARM = KnownAnswer({"text": "warm"}, "small", 17)
COLD = KnownAnswer({"object": {"degrees": -3}, "route": "home"}, "large", 40)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["dynamodb", "memory"])
def answers(request: pytest.FixtureRequest, clock: Clock) -> KnownAnswers:
    if request.param == "memory":
        return MemoryModelAnswers(clock)
    request.getfixturevalue("aws_account")
    return DynamoModelAnswers(clock)


def test_an_answer_is_found_by_its_name_alone(answers: KnownAnswers) -> None:
    answers.keep("a", WARM, 60)
    answers.keep("b", COLD, 60)
    assert (answers.find("a"), answers.find("b"), answers.find("c")) == (WARM, COLD, None)


def test_an_answer_is_known_for_its_time(answers: KnownAnswers, clock: Clock) -> None:
    answers.keep("a", WARM, 60)
    clock.now += timedelta(seconds=59)
    assert answers.find("a") == WARM
    clock.now += timedelta(seconds=1)
    assert answers.find("a") is None


def test_a_newer_answer_takes_the_place_of_an_older(answers: KnownAnswers) -> None:
    answers.keep("a", WARM, 60)
    answers.keep("a", COLD, 60)
    assert answers.find("a") == COLD
