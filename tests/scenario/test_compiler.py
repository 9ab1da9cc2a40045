"""What a document is compiled to: types of variables above all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cel_expr_python import cel

from shared.scenario.compiled import CompiledScenario
from shared.scenario.compiler import compile_scenario
from shared.scenario.expressions import Environment
from shared.scenario.variables import MAX_ROUNDS, environment_of
from tests.scenario.documents import CALLED_ID, COMPLETED, EVERYTHING, Document, ask, choose, say, scenario

T = cel.Type
ROOT = Path(__file__).parents[2]


VALIDATION = "/steps/0/expected_input/validation"
RULE = f"{VALIDATION}/rules/0"


def with_input(**expected: Any) -> Document:
    return scenario(ask("a", "x", expected_input=expected))


def environment(document: Document) -> tuple[Environment, list[tuple[str, str]]]:
    reports: list[tuple[str, str]] = []
    found = environment_of(document, lambda pointer, error: reports.append((pointer, error.message)))
    return found, reports


def compiled(document: Document) -> tuple[CompiledScenario, list[tuple[str, str]]]:
    reports: list[tuple[str, str]] = []
    found = compile_scenario(document, lambda pointer, error: reports.append((pointer, error.message)))
    return found, reports


KNOWN = {"name": "string", "hired": "date", "of old": "string", "odd": "sort"}


@pytest.mark.parametrize(
    ("source", "kind"),
    [("contact.name", T.STRING), ("contact.hired + days(1)", T.TIMESTAMP), ("contact.odd", T.DYN)],
)
def test_an_assignment_of_what_is_known_of_a_person_has_its_type(source: str, kind: cel.Type) -> None:
    found = compile_scenario(scenario(say("a", set={"x": source})), contact=KNOWN)
    assert found.environment.variables["x"] == kind
    assert found.reads_contact


def test_fields_that_no_expression_could_name_are_passed_over() -> None:
    types = compile_scenario(scenario(say("a")), contact=KNOWN).environment.types
    known = [name for name in types if name.startswith("contact")]
    assert known == ["contact.name", "contact.hired", "contact.odd"]


@pytest.mark.parametrize(
    ("document", "types"),
    [
        (scenario(ask("a", "x")), {"x": T.STRING}),
        (scenario(choose("a", "x", "one", "two")), {"x": T.STRING}),
        (scenario(choose("a", "x", 1, 2)), {"x": T.INT}),
        (scenario(choose("a", "x", *[True, False])), {"x": T.BOOL}),
        (scenario(choose("a", "x", 1, "two")), {"x": T.DYN}),
        (scenario(choose("a", "x", *[1, True])), {"x": T.DYN}),
        (scenario(choose("a", "x", "one"), ask("b", "x")), {"x": T.STRING}),
        (scenario(choose("a", "x", 1), ask("b", "x")), {"x": T.DYN}),
        (scenario(choose("a", "x")), {"x": T.DYN}),
        (scenario(ask("a", "x", buttons=[{"text": "5", "value": 5}])), {"x": T.STRING}),
        (scenario(say("a"), variables={"x": {"type": "number"}}), {"x": T.DOUBLE}),
        (scenario(ask("a", "x"), variables={"x": {"type": "any"}}), {"x": T.DYN}),
        (scenario(say("a", set={"x": "1"})), {"x": T.INT}),
        (scenario(say("a", set={"x": "'a' + user.first_name"})), {"x": T.STRING}),
        (scenario(say("a", set={"x": "now"})), {"x": T.TIMESTAMP}),
        (scenario(say("a", set={"x": "duration('1h')"})), {"x": T.STRING}),
        (scenario(ask("a", "x", expected_input={"type": "integer"})), {"x": T.INT}),
        (scenario(ask("a", "x", expected_input={"type": "number"})), {"x": T.DOUBLE}),
        (scenario(ask("a", "x", expected_input={"type": "date"})), {"x": T.TIMESTAMP}),
        (scenario(ask("a", "x", expected_input={"type": "time"})), {"x": T.STRING}),
        (scenario(ask("a", "x", expected_input={"type": "any"})), {"x": T.DYN}),
        (
            scenario(ask("a", "x", expected_input={"type": "date"}, set={"y": "x + days(7)"})),
            {"y": T.TIMESTAMP},
        ),
        (scenario(say("a"), variables={"x": {}}), {"x": T.DYN}),
        (scenario(say("a"), variables={"x": {"type": "date"}}), {"x": T.TIMESTAMP}),
        (scenario(say("a", llm={"prompt": "?", "variable": "x"})), {"x": T.STRING}),
        (scenario(say("a", scenario={"id": CALLED_ID, "outputs": {"x": "y"}})), {"x": T.DYN}),
        (scenario(say("a", set={"x": "random < 0.5"})), {"x": T.BOOL}),
        (
            scenario(say("a", set={"z": "y + 1", "y": "x * 2", "x": "1"})),
            {"x": T.INT, "y": T.INT, "z": T.INT},
        ),
        (scenario(say("a", set={"x": "x + 1"}), say("b", before={"x": "0"})), {"x": T.INT}),
        (scenario(say("a", set={"x": "1"}, before={"x": "'a'"})), {"x": T.DYN}),
        (scenario(say("a", set={"x": "nobody + 1"})), {"x": T.DYN}),
        (scenario(say("a", set={"x": "answered.x ? 'again' : 'first'"})), {"x": T.STRING}),
        (scenario(say("a", set={"x": "answered.y", "y": "answered.x"})), {"x": T.BOOL, "y": T.BOOL}),
        (scenario(choose("a", "x", "one"), say("b", set={"y": "label(x)"})), {"y": T.STRING}),
        (scenario(say("a", set={"x": "start_payload"})), {"x": T.STRING, "start_payload": T.STRING}),
        (scenario(say("a", set={"x": "'y'", "y": "r'x'"})), {"x": T.STRING, "y": T.STRING}),
    ],
)
def test_a_variable_has_the_type_of_what_writes_it(document: Document, types: dict[str, Any]) -> None:
    found, reports = environment(document)
    assert {name: found.types[name] for name in types} == types
    assert reports == []


@pytest.mark.parametrize(
    ("assignments", "in_circles"),
    [
        ({"x": "x + 1"}, ["x"]),
        ({"x": "answered.x ? x + 1 : 1"}, ["x"]),
        ({"x": "y + 1", "y": "x + 1", "z": "x"}, ["x", "y"]),
    ],
)
def test_a_type_that_follows_only_from_itself_is_told(
    assignments: dict[str, str], in_circles: list[str]
) -> None:
    found, reports = environment(scenario(say("a", set=assignments)))
    assert [pointer for pointer, _ in reports] == [f"/steps/0/set/{name}" for name in in_circles]
    assert all("declare it in variables" in message for _, message in reports)
    assert all(found.types[name] == T.DYN for name in assignments)


def test_a_declaration_opens_the_circle() -> None:
    document = scenario(say("a", set={"x": "x + 1"}), variables={"x": {"type": "integer"}})
    assert compiled(document)[1] == []


def test_a_chain_of_assignments_has_an_end() -> None:
    chain = {f"v{n}": f"v{n + 1} + 1" for n in range(MAX_ROUNDS + 10)} | {f"v{MAX_ROUNDS + 10}": "1"}
    found, _ = environment(scenario(say("a", set=chain)))
    assert found.types[f"v{MAX_ROUNDS + 10}"] == T.INT
    assert found.types["v0"] == T.DYN


@pytest.mark.parametrize(
    ("document", "pointer", "message"),
    [
        (scenario(say("a", "{{ zz }}")), "/steps/0/message/text", "“zz”"),
        (scenario(say("a", {"en": "x", "ru": "{{ zz }}"})), "/steps/0/message/text/ru", "“zz”"),
        (
            scenario({"id": "a", "message": [{"text": "x"}, {"text": "{{"}]}),
            "/steps/0/message/1/text",
            "closed",
        ),
        (scenario(choose("a", "x", {"text": "{{ zz }}", "value": 1})), "/steps/0/buttons/0/text", "“zz”"),
        (scenario(say("a", buttons=[{"text": "x", "url": "{{ zz }}"}])), "/steps/0/buttons/0/url", "“zz”"),
        (
            scenario(choose("a", "x", {"text": "x", "value": 1, "show_if": "zz"})),
            "/steps/0/buttons/0/show_if",
            "“zz”",
        ),
        (
            scenario(choose("a", "x", {"text": "x", "value": 1, "show_if": "x"})),
            "/steps/0/buttons/0/show_if",
            "this must be true or false, and is of type integer",
        ),
        (
            scenario(ask("a", "x", expected_input={"error_message": "{{ zz }}"})),
            "/steps/0/expected_input/error_message",
            "“zz”",
        ),
        (scenario(say("a", before={"x": "zz"})), "/steps/0/before/x", "“zz”"),
        (scenario(say("a", set={"x": "zz"})), "/steps/0/set/x", "“zz”"),
        (scenario(say("a", conditions=[{"if": "zz", "then": None}])), "/steps/0/conditions/0/if", "“zz”"),
        (
            scenario(say("a", conditions=[{"if": "now", "then": None}])),
            "/steps/0/conditions/0/if",
            "this must be true or false, and is of type date",
        ),
        (
            scenario(ask("a", "x"), conditions=[{"if": "x", "then": "a"}]),
            "/conditions/0/if",
            "this must be true or false, and is of type string",
        ),
        (scenario(say("a"), fallbacks={"ended": "{{ zz }}"}), "/fallbacks/ended", "“zz”"),
        (
            scenario(ask("a"), defaults={"timeout": {"after": "1h", "remind": "{{ zz }}"}}),
            "/defaults/timeout/remind",
            "“zz”",
        ),
        (
            scenario(ask("a", expected_input={"timeout": {"after": "1h", "remind": {"en": "{{ zz }}"}}})),
            "/steps/0/expected_input/timeout/remind/en",
            "“zz”",
        ),
        (
            scenario(say("a"), commands={"/x~": {"next_step": "a", "description": "{{ zz }}"}}),
            "/commands/~1x~0/description",
            "“zz”",
        ),
        (
            with_input(type="integer", validation={"rules": [{"reject_if": "zz", "message": "?"}]}),
            f"{RULE}/reject_if",
            "“zz”",
        ),
        (
            with_input(type="integer", validation={"rules": [{"reject_if": "value", "message": "?"}]}),
            f"{RULE}/reject_if",
            "true or false",
        ),
        (
            with_input(validation={"rules": [{"reject_if": "value == 1", "message": "?"}]}),
            f"{RULE}/reject_if",
            "string",
        ),
        (
            with_input(validation={"rules": [{"reject_if": "true", "message": "{{ zz }}"}]}),
            f"{RULE}/message",
            "“zz”",
        ),
        (with_input(type="number", validation={"max": "zz"}), f"{VALIDATION}/max", "“zz”"),
        (with_input(type="date", validation={"min": "today + day"}), f"{VALIDATION}/min", "“day”"),
        (scenario(say("a", "{{ value }}")), "/steps/0/message/text", "“value”"),
        (scenario(say("a", "{{ item }}")), "/steps/0/message/text", "“item”"),
        (
            scenario(choose("a", "x", {"for_each": "zz", "text": "x", "value": "item"})),
            "/steps/0/buttons/0/for_each",
            "“zz”",
        ),
        (
            scenario(choose("a", "x", {"for_each": "1", "text": "x", "value": "item"})),
            "/steps/0/buttons/0/for_each",
            "this must be a list",
        ),
        (
            scenario(choose("a", "x", {"for_each": "[1]", "text": "{{ zz }}", "value": "index"})),
            "/steps/0/buttons/0/text",
            "“zz”",
        ),
        (
            scenario(choose("a", "x", {"for_each": "[1]", "text": "x", "value": "zz"})),
            "/steps/0/buttons/0/value",
            "“zz”",
        ),
        (
            scenario({"id": "a", "message": {"media": [{"url": "https://x/{{ zz }}", "type": "file"}]}}),
            "/steps/0/message/media/0/url",
            "“zz”",
        ),
        (
            scenario(
                {
                    "id": "a",
                    "message": {
                        "text": "x",
                        "whatsapp_template": {"name": "x", "language": "en", "parameters": ["{{ zz }}"]},
                    },
                }
            ),
            "/steps/0/message/whatsapp_template/parameters/0",
            "“zz”",
        ),
        (scenario(say("a", llm={"prompt": "{{ zz }}"})), "/steps/0/llm/prompt", "“zz”"),
        (scenario(say("a", llm={"prompt": "x", "system": "{{ zz }}"})), "/steps/0/llm/system", "“zz”"),
        (
            scenario(say("a", http={"method": "GET", "url": "https://x/{{ zz }}"})),
            "/steps/0/http/url",
            "“zz”",
        ),
        (
            scenario(say("a", http={"method": "GET", "url": "https://x", "headers": {"X-Y": "{{ zz }}"}})),
            "/steps/0/http/headers/X-Y",
            "“zz”",
        ),
        (
            scenario(say("a", http={"method": "POST", "url": "https://x", "body": {"a": ["{{ zz }}"]}})),
            "/steps/0/http/body/a/0",
            "“zz”",
        ),
        (scenario(say("a", handoff={"reason": "{{ zz }}"})), "/steps/0/handoff/reason", "“zz”"),
        (
            scenario(say("a", scenario={"id": CALLED_ID, "inputs": {"x": "zz"}})),
            "/steps/0/scenario/inputs/x",
            "“zz”",
        ),
    ],
)
def test_what_does_not_compile_is_reported_with_its_place(
    document: Document, pointer: str, message: str
) -> None:
    _, reports = compiled(document)
    assert [each for each, _ in reports] == [pointer]
    assert message in reports[0][1]


def test_what_does_not_compile_raises_nothing_when_nobody_asks() -> None:
    step = choose("a", "x", {"text": "{{ zz }}", "value": 1, "show_if": "zz"}, set={"x": "zz"})
    found = compile_scenario(scenario(step))
    assert found.steps["a"].set == ()
    assert found.steps["a"].buttons[0].is_conditional


def test_a_choice_without_an_input_asks_for_a_button() -> None:
    step = compile_scenario(scenario({"id": "a", "buttons": [{"text": "x", "value": 1}]})).steps["a"]
    assert step.input is not None
    assert (step.input.type, step.input.variable) == ("button", None)


def test_links_alone_ask_for_nothing() -> None:
    link = {"text": "x", "url": "https://example.com"}
    assert compile_scenario(scenario({"id": "a", "buttons": [link]})).steps["a"].input is None


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, (3, "b")),
        ({"max_attempts": 1}, (1, "b")),
        ({"max_attempts": None}, (None, "b")),
        ({"on_failure": "a"}, (3, "a")),
    ],
)
def test_defaults_hold_where_a_step_says_nothing(own: Document, expected: tuple[Any, Any]) -> None:
    document = scenario(
        ask("a", expected_input=own), say("b"), defaults={"max_attempts": 3, "on_failure": "b"}
    )
    found = compile_scenario(document).steps["a"].input
    assert found is not None
    assert (found.max_attempts, found.on_failure) == expected


@pytest.mark.parametrize(
    ("fields", "languages"),
    [
        ({}, ()),
        ({"languages": ["en", "ru"]}, ("en", "ru")),
        ({"languages": ["en", "ru"], "default_language": "ru"}, ("ru", "en")),
        ({"default_language": "ru"}, ("ru",)),
    ],
)
def test_the_default_language_comes_first(fields: Document, languages: tuple[str, ...]) -> None:
    assert compile_scenario(scenario(say("a"), **fields)).languages == languages


def test_a_declared_null_is_no_initial_value() -> None:
    variables = {"x": {"type": "any", "initial": None}, "y": {"type": "integer", "initial": 0}}
    assert compile_scenario(scenario(say("a"), variables=variables)).initial == {"y": 0}


def test_the_start_is_the_first_step_unless_named() -> None:
    assert compile_scenario(COMPLETED).start == "welcome"
    assert compile_scenario(COMPLETED | {"start": "ask_project"}).start == "ask_project"


def test_compiling_leaves_the_document_as_it_was() -> None:
    before = repr(COMPLETED)
    compile_scenario(COMPLETED)
    assert repr(COMPLETED) == before


def test_everything_of_the_language_is_compiled() -> None:
    found, reports = compiled(EVERYTHING)
    assert reports == []
    assert found.moments == {"born", "day"}
    assert found.kept == {"score"}
    assert found.sensitive == {"size"}
    assert found.commands.keys() == {"/help", "menu", "/back"}
    actions = [type(step.action).__name__ for step in found.steps.values() if step.action]
    assert sorted(set(actions)) == [f"Compiled{name}" for name in "Call Handoff Http Llm Sync Wait".split()]


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [
        ({"after": "1h", "next_step": "b"}, (3600, 3600, 1)),
        ({"after": "1h", "every": "5m", "times": 3, "remind": "?"}, (3600, 300, 3)),
        ({"after": "1d", "times": 3, "remind": "?"}, (86400, 86400, 3)),
    ],
)
def test_a_timeout_is_in_seconds(timeout: Document, expected: tuple[int, int, int]) -> None:
    found = compile_scenario(scenario(ask("a", expected_input={"timeout": timeout}), say("b"))).steps["a"]
    assert found.input is not None
    assert found.input.timeout is not None
    own = found.input.timeout
    assert (own.after, own.every, own.times) == expected


def test_running_a_scenario_needs_none_of_the_heavy_libraries() -> None:
    program = (
        "import sys; from shared.dialog.processor import ScenarioProcessor;"
        "from shared.scenario.compiler import compile_scenario;"
        "compile_scenario({'steps': [{'id': 'a', 'message': {'text': '{{ platform }}'}}]});"
        "print(*sorted({'pydantic', 'fastapi', 'httpx', 'boto3', 'difflib', 'shared.scenario.slips'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == ""
