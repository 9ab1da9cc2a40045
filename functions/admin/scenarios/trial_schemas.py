"""Trials of a scenario as the API takes and shows them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field, model_validator

from functions.admin.scenarios.schemas import MAX_REVISION
from shared.admin_api.fields import Draft, View
from shared.dialog.messages import Button, Message
from shared.scenario.caps import MAX_TEST_TURNS
from shared.scenario.fields import Given, Language
from shared.scenario.models import TestTurn
from shared.simulation.conversation import NOON, Conversation, Opening, Outcome
from shared.simulation.coverage import Share
from shared.simulation.testing import Report, Result
from shared.storage.bots import Bot


class Trial(Draft):
    """What to try out: a document that need not be saved, or a revision, the latest unless it is named."""

    revision: Annotated[int, Field(ge=1, le=MAX_REVISION)] | None = None
    scenario_data: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Trial:
        if self.revision is not None and self.scenario_data is not None:
            raise ValueError("either a revision or scenario_data is tried out, not both")
        return self


class Simulation(Trial):
    """A conversation by its acts, in the words of a scenario's tests; they are done from the beginning."""

    platform: Literal["telegram", "whatsapp", "viber", "webchat"] = "telegram"
    language: Language = "en"
    now: Annotated[datetime, Field(strict=False)] = NOON
    random: Annotated[float, Field(ge=0, lt=1)] = 0.5
    given: Annotated[dict[Given, Any], Field(default_factory=dict)]
    acts: Annotated[list[TestTurn], Field(default_factory=list, max_length=MAX_TEST_TURNS)]

    def opening(self, bot: Bot) -> Opening:
        return Opening(
            platform=self.platform,
            language=self.language,
            now=self.now,
            given=self.given,
            random=self.random,
            bot_name=bot.name,
            timezone=bot.timezone,
            contact_fields=bot.contact_fields,
        )


class TaskView(View):
    """Work that waits for the act `respond`."""

    kind: str
    request: dict[str, Any]
    timeout: int


class TurnView(View):
    """What one act brought about, and how the dialog stands after it.

    A choice in `messages` has its `value`. `task` waits to be answered; at `due` something happens by itself.
    """

    messages: list[dict[str, Any]]
    notes: tuple[str, ...]
    ended_runs: tuple[dict[str, Any], ...]
    step: str | None
    status: str
    variables: dict[str, Any]
    task: TaskView | None
    due: tuple[datetime, ...]
    now: datetime


class SimulationView(View):
    """A turn for every act."""

    turns: list[TurnView]


class FailureView(View):
    """Where a test fails; `pointer` leads into `scenario_data`, `turn` counts from 0."""

    turn: int
    pointer: str
    message: str


class TestView(View):
    __test__ = False

    name: str
    passed: bool
    failure: FailureView | None


class BranchView(View):
    """A way out of a step, or a condition of the scenario; `pointer` leads into `scenario_data`."""

    step_id: str | None
    way: str
    pointer: str


class StepsView(View):
    total: int
    covered: int
    missed: tuple[str, ...]


class BranchesView(View):
    total: int
    covered: int
    missed: tuple[BranchView, ...]


class CoverageView(View):
    """What all tests together have gone through."""

    steps: StepsView
    branches: BranchesView


class ReportView(View):
    """`passed` if every test has."""

    passed: bool
    tests: list[TestView]
    coverage: CoverageView


def simulation_view(conversation: Conversation, outcomes: Iterable[Outcome]) -> SimulationView:
    return SimulationView(turns=[_turn(conversation, outcome) for outcome in outcomes])


def _turn(conversation: Conversation, outcome: Outcome) -> TurnView:
    messages = [_message(conversation, message) for message in outcome.messages]
    fields = {name: getattr(outcome, name) for name in TurnView.model_fields}
    return TurnView.model_validate({**fields, "messages": messages})


def _message(conversation: Conversation, message: Message) -> dict[str, Any]:
    buttons = [_button(conversation, button) for button in message.buttons]
    shown: dict[str, Any] = msgspec.to_builtins(message)
    return {**shown, "buttons": buttons}


def _button(conversation: Conversation, button: Button) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(button)
    value = conversation.board.value_of(button)
    shown.pop("data", None)
    return shown if value is None else {**shown, "value": value}


def report_view(report: Report) -> ReportView:
    found = report.coverage
    return ReportView.model_validate(
        {
            "passed": report.has_passed,
            "tests": [_test(index, result) for index, result in enumerate(report.results)],
            "coverage": {
                "steps": _share(found.steps, found.missed_steps),
                "branches": _share(found.branches, found.missed_branches),
            },
        }
    )


def _test(index: int, result: Result) -> TestView:
    failure = result.failure
    if failure is None:
        return TestView(name=result.name, passed=True, failure=None)
    pointer = f"/tests/{index}/turns/{failure.turn}"
    shown = FailureView(turn=failure.turn, pointer=pointer, message=failure.message)
    return TestView(name=result.name, passed=False, failure=shown)


def _share(share: Share, missed: tuple[Any, ...]) -> dict[str, Any]:
    return {"total": share.total, "covered": share.covered, "missed": missed}
