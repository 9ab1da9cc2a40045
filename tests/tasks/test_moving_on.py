"""Tasks that lie in their queue still when their dialogs have gone on: nothing leaves for them any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.dialog.events import GivenBack, HandedOff
from shared.queueing.envelopes import TaskEnvelope
from shared.tasks.performing import Attempt, Job
from tests.conftest import Aws
from tests.dialog.world import World
from tests.scenario.documents import ask, say, scenario

DOCUMENT = scenario(
    ask("name", "name", "Name?", next_step="think"),
    say("think", "One moment.", llm={"prompt": "Greet {{ name }}", "variable": "word"}, next_step="bye"),
    say("bye", "{{ word }}"),
    say("help", "Just wait."),
    commands={"/help": {"next_step": "help", "resume": True}},
)


def talking(asked: list[int]) -> World:
    """A dialog whose model remembers which tasks it was asked for."""

    def think(work: TaskEnvelope, _attempt: Attempt) -> dict[str, Any]:
        asked.append(work.task.number)
        return {"text": f"Good morning, {work.task.request['prompt']}"}

    world = World(DOCUMENT, jobs={"llm": Job(think)})
    world.say("hello")
    world.settle()
    return world


def start_over(world: World) -> None:
    world.say("Ann", "/start", "Eve")


def ask_for_help(world: World) -> None:
    world.say("Ann", "/help", "/help")


def take_over_for_a_moment(world: World) -> None:
    world.say("Ann")
    world.operate(HandedOff)
    world.operate(GivenBack)


@pytest.mark.parametrize("go_on", [start_over, ask_for_help, take_over_for_a_moment])
def test_a_model_is_asked_only_for_what_the_dialog_waits_for(
    go_on: Callable[[World], None], aws_account: Aws
) -> None:
    asked: list[int] = []
    world = talking(asked)
    go_on(world)
    world.settle()
    assert len(asked) == 1
    assert world.texts[-1].startswith("Good morning")
    assert world.difference() is None
    assert world.dead_tasks.bodies == []


def test_a_task_of_a_dialog_that_was_taken_over_is_left(aws_account: Aws) -> None:
    asked: list[int] = []
    world = talking(asked)
    world.say("Ann")
    world.operate(HandedOff)
    world.settle()
    assert (asked, world.dialog.status) == ([], "handed_off")
