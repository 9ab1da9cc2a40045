"""Coverage counts the ways that a document offers, and those that its tests went."""

from __future__ import annotations

import pytest

from shared.simulation.coverage import Share, branches_of
from shared.simulation.testing import run_tests
from tests.simulation.play import Json, ask, say, scenario

END = say("end", "Bye", end=True)
YES_NO = [{"text": "Yes", "value": True}, {"text": "No", "value": False}]
LEADING = [{**button, "next_step": "end"} for button in YES_NO]

BRANCHES: dict[str, tuple[Json, list[str]]] = {
    "next step": (ask("a", next_step="end"), ["next_step"]),
    "end": (say("a", "A", end=True), ["end"]),
    "nothing": (say("a", "A"), []),
    "buttons that lead somewhere": (
        ask("a", "button", buttons=LEADING, next_step="end"),
        ["buttons/bool:True", "buttons/bool:False"],
    ),
    "quick reply": (
        ask("a", buttons=LEADING[:1], next_step="end"),
        ["buttons/bool:True", "next_step"],
    ),
    "buttons that only answer": (ask("a", "button", buttons=YES_NO, next_step="end"), ["next_step"]),
    "choices of a list": (
        ask(
            "a",
            "button",
            buttons=[{"for_each": "[1]", "text": "x", "value": "item", "next_step": "end"}],
            when_empty="end",
        ),
        ["when_empty", "buttons/*"],
    ),
    "conditions": (
        ask("a", conditions=[{"if": "a == 'x'", "then": "end"}], next_step="end"),
        ["conditions/0/then", "next_step"],
    ),
    "nothing after an else": (
        ask("a", conditions=[{"if": "a == 'x'", "then": "end", "else": None}], next_step="end"),
        ["conditions/0/then", "conditions/0/else"],
    ),
    "too many attempts": (
        ask("a", input={"max_attempts": 2, "on_failure": "end"}, next_step="end"),
        ["on_failure", "next_step"],
    ),
    "timeout": (
        ask("a", input={"timeout": {"after": "1h", "next_step": "end"}}, next_step="end"),
        ["timeout", "next_step"],
    ),
    "reminder that leads nowhere": (
        ask("a", input={"timeout": {"after": "1h", "remind": "?"}}, next_step="end"),
        ["next_step"],
    ),
    "error and routes": (
        {
            "id": "a",
            "llm": {"prompt": "?", "on_error": "end", "routes": {"a/b": {"step": "end", "when": "w"}}},
            "next_step": "end",
        },
        ["on_error", "routes/a/b", "next_step"],
    ),
    "time of a hand-off": (
        {"id": "a", "handoff": {"timeout": "1h", "next_step": "end"}, "next_step": "end"},
        ["timeout", "next_step"],
    ),
}


@pytest.mark.parametrize(("step", "ways"), BRANCHES.values(), ids=BRANCHES.keys())
def test_step_has_the_branches_that_it_offers(step: Json, ways: list[str]) -> None:
    found = [branch for branch in branches_of(scenario(step, END)) if branch.step_id == "a"]
    assert [branch.way for branch in found] == ways


@pytest.mark.parametrize(("step", "ways"), BRANCHES.values(), ids=BRANCHES.keys())
def test_pointer_of_a_branch_leads_into_the_document(step: Json, ways: list[str]) -> None:
    for branch in branches_of(scenario(step, END)):
        here: object = scenario(step, END)
        for token in branch.pointer.split("/")[1:]:
            name = token.replace("~1", "/").replace("~0", "~")
            here = here[int(name)] if isinstance(here, list) else here[name]  # type: ignore[index]


def test_conditions_of_the_scenario_are_branches_of_no_step() -> None:
    conditions = [{"if": "a == 'x'", "then": "end", "else": None}]
    (branch,) = [b for b in branches_of(scenario(ask("a"), END, conditions=conditions)) if b.step_id is None]
    assert (branch.way, branch.pointer) == ("scenario/conditions/0/then", "/conditions/0/then")


def test_tests_cover_together_what_each_has_gone_through() -> None:
    choice = ask("a", "button", buttons=LEADING, input={"timeout": {"after": "1h", "next_step": "late"}})
    conditions = [{"if": "a", "then": "more"}]
    late = say("late", "Late")
    document = scenario(choice, late, say("more", "More"), say("never", "Never", next_step="end"), END)
    document["conditions"] = conditions
    tests = [
        {"name": "yes", "turns": [{"send": "/start"}, {"press": True}]},
        {"name": "late", "turns": [{"send": "/start"}, {"advance": "1h"}]},
    ]

    coverage = run_tests({**document, "tests": tests}).coverage

    assert coverage.steps == Share(5, 3)
    assert coverage.missed_steps == ("more", "never")
    assert coverage.branches == Share(6, 3)
    missed = [(branch.step_id, branch.way) for branch in coverage.missed_branches]
    assert missed == [
        ("a", "buttons/bool:False"),
        ("never", "next_step"),
        (None, "scenario/conditions/0/then"),
    ]


def test_branch_of_listed_choices_is_covered_by_any_of_them() -> None:
    choices = {"for_each": "[1, 2]", "text": "{{ item }}", "value": "item", "next_step": "end"}
    document = scenario(ask("a", "button", buttons=[choices], when_empty="end"), END)
    tests = [{"name": "two", "turns": [{"send": "/start"}, {"press": 2}]}]
    missed = run_tests({**document, "tests": tests}).coverage.missed_branches
    assert [branch.way for branch in missed] == ["when_empty"]


def test_condition_of_the_scenario_is_covered_wherever_it_decides() -> None:
    document = scenario(ask("a"), END, conditions=[{"if": "a == 'x'", "then": "end"}])
    tests = [{"name": "x", "turns": [{"send": "/start"}, {"send": "x"}]}]
    assert run_tests({**document, "tests": tests}).coverage.missed_branches == ()
