"""The commands for scenarios: what they print, and the exit code that a script goes by."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest

from infra.scenario.__main__ import main
from infra.scenario.chat import Chat
from infra.scenario.errors import Unreadable
from infra.scenario.replaying import TABLES, replayed
from shared.dialog.programs import CompiledScenarios
from shared.storage.scenarios import DynamoScenarios
from tests.conftest import ENVIRONMENT, Aws
from tests.dialog.world import DIALOG_ID, World
from tests.simulation.play import ask, begin, say, scenario

Json = dict[str, Any]
Written = Callable[..., str]
Printed = pytest.CaptureFixture[str]

CHILD_ID = "3f2c4d1e-0000-4000-8000-000000000001"
COLOUR = ask(
    "colour",
    "button",
    buttons=[
        {"text": "Красный 🔴", "value": "red", "next_step": "bye"},
        {"text": "Blue", "value": "blue"},
        {"text": "More", "url": "https://parley.example"},
    ],
    next_step="bye",
)
BYE = say("bye", "Bye", end=True)
PASSING = {"name": "a red one", "turns": [{"send": "/start"}, {"press": "red"}, {"expect": "Bye"}]}
FAILING = {"name": "синий", "turns": [{"send": "/start"}, {"press": "Blue"}, {"expect": "Пока"}]}


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes a document into a file; its path."""

    def write(document: Any, name: str = "scenario.json") -> str:
        path = tmp_path / name
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return str(path)

    return write


class TestTest:
    def test_tells_what_passed_and_what_was_covered(self, written: Written, capsys: Printed) -> None:
        assert main(["test", written(scenario(COLOUR, BYE, tests=[PASSING]))]) == 0

        told = capsys.readouterr().out.splitlines()
        assert "1 of 1 tests passed" in told[0]
        assert told[1:] == [
            "  ✓ a red one",
            "  covered: steps 2 of 2 (100 %), branches 2 of 3 (66 %)",
            "  not covered: colour → next_step",
        ]

    def test_tells_where_a_test_fails(self, written: Written, capsys: Printed) -> None:
        assert main(["test", written(scenario(COLOUR, BYE, tests=[PASSING, FAILING]))]) == 1

        told = capsys.readouterr().out.splitlines()
        assert told[2:5] == [
            "  ✗ синий",
            '      turn 3, {"expect":"Пока"}:',
            "      expected the message “Пока”, but this was said: “Bye”",
        ]

    def test_of_several_files_fails_if_one_does(self, written: Written) -> None:
        good = written(scenario(COLOUR, BYE, tests=[PASSING]), "good.json")
        bad = written(scenario(COLOUR, BYE, tests=[FAILING]), "bad.json")
        assert main(["test", bad, good]) == 1

    def test_without_tests_says_so(self, written: Written, capsys: Printed) -> None:
        assert main(["test", written(scenario(BYE))]) == 0
        assert "there are no tests" in capsys.readouterr().out

    def test_knows_the_scenarios_that_are_called(self, written: Written) -> None:
        call = {"id": "call", "scenario": {"id": CHILD_ID}, "next_step": "bye"}
        tests = [{"name": "t", "turns": [{"send": "/start"}, {"expect": "Inside"}, {"expect": "Bye"}]}]
        path = written(scenario(call, BYE, tests=tests))
        inside = written(scenario(say("in", "Inside")), "inside.json")
        assert main(["test", path, "--called", f"{CHILD_ID.upper()}={inside}"]) == 0
        assert main(["test", path]) == 1


UNREADABLE: dict[str, tuple[Any, list[str]]] = {
    "not JSON": ('{"version": ', ["this is not JSON", "line 1 column 13"]),
    "not a scenario": ({"version": "1", "stpes": []}, ["/stpes: unknown field", "/steps: this field is"]),
    "not an object": ("[]", ["a scenario is a JSON object"]),
    "not a number": ('{"version": "1", "steps": NaN}', ["/steps"]),
    "too deep": ("[" * 100_000, ["is not JSON"]),
}


@pytest.mark.parametrize(("document", "words"), UNREADABLE.values(), ids=UNREADABLE.keys())
@pytest.mark.parametrize("command", ["test", "lint", "chat", "graph"])
def test_file_that_holds_no_scenario_says_why(
    written: Written, capsys: Printed, command: str, document: Any, words: list[str]
) -> None:
    assert main([command, written(document)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    for each in words:
        assert each in told.err


def test_file_that_is_not_there_is_named(capsys: Printed, tmp_path: Path) -> None:
    assert main(["test", str(tmp_path / "nowhere.json")]) == 2
    assert "nowhere.json: No such file" in capsys.readouterr().err


def test_called_scenario_needs_its_id(written: Written, capsys: Printed) -> None:
    path = written(scenario(BYE))
    assert main(["test", path, "--called", path]) == 2
    assert "say which scenario it is" in capsys.readouterr().err


class TestLint:
    def test_finds_nothing_in_what_is_right(self, written: Written, capsys: Printed) -> None:
        assert main(["lint", written(scenario(COLOUR, BYE))]) == 0
        assert "nothing to mend" in capsys.readouterr().out

    def test_tells_errors_with_their_place(self, written: Written, capsys: Printed) -> None:
        assert main(["lint", written(scenario({**BYE, "end": False, "next_step": "nowhere"}))]) == 1
        assert "  error unknown_step at /steps/0/next_step: " in capsys.readouterr().out

    def test_of_warnings_alone_is_no_failure(self, written: Written, capsys: Printed) -> None:
        assert main(["lint", written(scenario(BYE, say("alone", "Alone")))]) == 0
        assert "  warning unreachable_step at /steps/1: " in capsys.readouterr().out

    def test_knows_whether_what_is_called_is_there(self, written: Written) -> None:
        path = written(scenario({"id": "call", "scenario": {"id": CHILD_ID}}))
        other = written(scenario(BYE), "other.json")
        assert main(["lint", path]) == 0
        assert main(["lint", path, "--called", f"{CHILD_ID}={other}"]) == 0
        assert main(["lint", path, "--called", f"{CHILD_ID[:-1]}2={other}"]) == 1


class TestGraph:
    def test_is_mermaid_unless_a_picture_is_asked_for(
        self, written: Written, capsys: Printed, tmp_path: Path
    ) -> None:
        path, picture = written(scenario(COLOUR, BYE)), tmp_path / "scenario.svg"
        assert main(["graph", path]) == 0
        drawn = capsys.readouterr().out
        assert drawn.startswith("flowchart")
        assert "colour" in drawn

        assert main(["graph", path, "--svg", str(picture)]) == 0
        assert capsys.readouterr().out == ""
        assert "<svg" in picture.read_text(encoding="utf-8")[:200]

        assert main(["graph", path, "--svg", str(picture), "--mermaid"]) == 0
        assert capsys.readouterr().out == drawn

    def test_has_the_findings_in_it(self, written: Written, capsys: Printed) -> None:
        alone = say("alone", "Alone", end=True)
        main(["graph", written(scenario(BYE, alone))])
        with_warning = capsys.readouterr().out
        main(["graph", written(scenario({**BYE, "end": False, "next_step": "alone"}, alone))])
        assert with_warning.count("class ") > capsys.readouterr().out.count("class ")

    def test_picture_that_cannot_be_written_is_told_of(self, written: Written, capsys: Printed) -> None:
        assert main(["graph", written(scenario(BYE)), "--svg", "/nowhere/at/all.svg"]) == 2
        assert "/nowhere/at/all.svg: No such file" in capsys.readouterr().err


def test_schema_is_the_languages(capsys: Printed) -> None:
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["title"] == "A scenario of Parley"
    assert "steps" in schema["required"]


# --- chat -------------------------------------------------------------------------------------------


def chatted(document: Json, *lines: str, **opening: Any) -> list[str]:
    """What is shown of a chat, after its first message."""
    told: list[str] = []
    chat = Chat(begin(document, **opening), told.append)
    chat.run([])
    told.clear()
    for line in lines:
        chat.take(line)
    return told


class TestChat:
    def test_shows_messages_and_numbered_buttons(self) -> None:
        told: list[str] = []
        Chat(begin(scenario(COLOUR, BYE)), told.append).run([])
        assert told == [
            "bot: colour?",
            "  [1] Красный 🔴",
            "  [2] Blue",
            "  ↗ More: https://parley.example",
        ]

    @pytest.mark.parametrize("line", ["красный", "1", ":press 1", ":press red", ":press Красный 🔴"])
    def test_choice_is_typed_or_pressed(self, line: str) -> None:
        assert chatted(scenario(COLOUR, BYE), line) == ["bot: Bye", "— run 1 is completed"]

    def test_time_passes_when_it_is_told_to(self) -> None:
        timeout = {"after": "24h", "remind": "Still there?"}
        document = scenario(ask("name", input={"timeout": timeout}))
        told = chatted(document, ":where", ":wait 23h", ":wait 1h", ":where")
        assert told == [
            "2026-01-01 12:00:00 UTC, step name, active; due: 2026-01-02 12:00:00",
            "bot: Still there?",
            "2026-01-02 12:00:00 UTC, step name, active",
        ]

    @pytest.mark.parametrize(
        ("kind", "line", "expected"),
        [
            ("media", ":photo Моё фото", {"type": "image", "caption": "Моё фото"}),
            ("media", ":file", {"type": "file"}),
            ("contact", ":contact", {"phone": "+12025550123"}),
            ("contact", ":contact +79990000000", {"phone": "+79990000000"}),
            ("location", ":location", {"latitude": 0.0, "longitude": 0.0}),
            ("location", ":location 55.75, 37.6", {"latitude": 55.75, "longitude": 37.6}),
            ("text", "a :) b", "a :) b"),
            ("text", ":) hi", ":) hi"),
        ],
    )
    def test_things_are_sent(self, kind: str, line: str, expected: Any) -> None:
        document = scenario(ask("it", kind, next_step="end"), {"id": "end", "wait": "1h"})
        (told,) = chatted(document, line, ":vars")
        value = msgspec.json.decode(told)["it"]
        found = value if kind == "text" else {name: value[name] for name in expected}
        assert found == expected

    def test_task_shows_its_request_and_is_answered(self) -> None:
        call = {"http": {"method": "GET", "url": "https://api.example"}, "next_step": "bye"}
        told = chatted(scenario(ask("name", next_step="call"), {"id": "call", **call}, BYE), "Ann")
        assert told[0].startswith('— a task waits: {"http":{')
        assert '"method":"GET"' in told[0]
        assert '"url":"https://api.example"' in told[0]
        assert told[1] == '  answer it: :respond {"http": {"status": 200, "body": {}}}'
        document = scenario(ask("name", next_step="call"), {"id": "call", **call}, BYE)
        assert chatted(document, "Ann", ':respond {"http": {"status": 200}}')[2:] == [
            "bot: Bye",
            "— run 1 is completed",
        ]

    @pytest.mark.parametrize(
        ("asked", "answer", "then"),
        [
            (
                {"llm": {"prompt": "?", "reply": True}},
                '{"llm": "words of the model"}',
                "bot: words of the model",
            ),
            (
                {"llm": {"prompt": "?", "routes": {"on": {"step": "bye", "when": "always"}}}},
                '{"llm": {"text": "words of the model", "route": "on"}}',
                "bot: Bye",
            ),
            (
                {"llm": {"prompt": "?", "output": {"type": "choice", "options": ["да", "нет"]}}},
                '{"llm": "да"}',
                "bot: Bye",
            ),
            (
                {"llm": {"prompt": "?", "output": {"type": "object", "schema": {}}}},
                '{"llm": {"object": {}}}',
                "bot: Bye",
            ),
            ({"sync": {}}, '{"sync": {}}', "bot: Bye"),
        ],
    )
    def test_the_answer_that_is_proposed_is_one(self, asked: Json, answer: str, then: str) -> None:
        document = scenario(ask("name", next_step="do"), {"id": "do", **asked, "next_step": "bye"}, BYE)
        told = chatted(document, "Ann", f":respond {answer}")
        assert told[1] == f"  answer it: :respond {answer}"
        assert told[2] == then

    def test_values_are_proposed_for_what_is_to_be_understood(self) -> None:
        fill = {"understand": {"fill": ["colour", "name"]}}
        first = {"id": "wish", "message": {"text": "?"}, "expected_input": {"type": "text", **fill}}
        document = scenario({**first, "next_step": "colour"}, {**COLOUR, "next_step": "name"}, ask("name"))
        told = chatted(document, "I am Ann and like it red")
        assert told[1] == '  answer it: :respond {"understand": {"colour": "Красный 🔴", "name": null}}'

    def test_operator_takes_over_and_gives_back(self) -> None:
        told = chatted(scenario(ask("name")), ":take", ":operator Hello", ":back")
        assert told == [
            "— an operator has the dialog: :operator WORDS, :back",
            "operator: Hello",
            "— an operator has the dialog: :operator WORDS, :back",
            "bot: name?",
        ]

    def test_file_and_share_button_and_delay_are_shown(self) -> None:
        media = [{"url": "https://parley.example/a.png", "type": "image"}]
        messages = [{"text": "Look", "media": media}, {"text": "Phone?", "delay": "3s"}]
        step = ask("phone", "phone") | {"message": messages}
        told: list[str] = []
        Chat(begin(scenario(step)), told.append).run([])
        assert told[:4] == [
            "bot: Look",
            "  (image: https://parley.example/a.png)",
            "  … 3 s later",
            "bot: Phone?",
        ]
        assert told[4].startswith("  [:contact] ")

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            (":press 7", "! no button “7” is shown"),
            (":wait soon", "! a duration is a whole number"),
            (":location here", "! "),
            (":location 1 2 3", "! "),
            (":location 100 0", "! "),
            (":respond {", "! "),
            (":respond {}", "! respond answers one task"),
            (':respond {"llm": "x"}', "! no task waits"),
            (":back", "! nobody has taken the dialog over"),
            (":contact " + "9" * 10_000, "bot: "),
            (":dance", "There is no :dance; see :help."),
        ],
    )
    def test_line_that_cannot_be_done_says_why_and_the_chat_goes_on(self, line: str, words: str) -> None:
        told = chatted(scenario(COLOUR, BYE), line, "blue")
        assert told[0].startswith(words)
        assert told[-2:] == ["bot: Bye", "— run 1 is completed"]

    def test_help_names_every_command(self) -> None:
        (told,) = chatted(scenario(BYE), ":help")
        for name in (":press", ":wait", ":photo", ":respond", ":take", ":back", ":vars", ":where", ":quit"):
            assert name in told

    def test_goes_through_a_pipe(
        self, written: Written, capsys: Printed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(":press 2\n:quit\nnever\n"))
        arguments = ["chat", written(scenario(COLOUR, BYE)), "--language", "ru", "--platform", "viber"]
        assert main([*arguments, "--now", "2026-12-31T23:59Z", "--random", "0.9"]) == 0
        assert capsys.readouterr().out.splitlines()[4:] == [
            "> :press 2",
            "bot: Bye",
            "— run 1 is completed",
            "> :quit",
        ]

    @pytest.mark.parametrize(
        "wrong", [("--random", "1"), ("--now", "soon"), ("--platform", "icq"), ("--called", "x")]
    )
    def test_wrong_options_are_refused(self, written: Written, wrong: tuple[str, str]) -> None:
        path = written(scenario(BYE))
        try:
            code = main(["chat", path, *wrong])
        except SystemExit as left:
            code = int(str(left.code))
        assert code == 2


def test_what_would_command_the_terminal_is_shown(written: Written, capsys: Printed) -> None:
    failing = {"name": "\x1b[2J\x9b", "turns": [{"expect": "x"}]}
    assert main(["test", written(scenario(BYE, tests=[failing]))]) == 1
    told = capsys.readouterr().out
    assert "✗ \\x1b[2J\\x9b" in told
    assert not {"\x1b", "\x9b"} & set(told)


def test_chat_through_a_pipe_takes_any_bytes(written: Written) -> None:
    done = subprocess.run(  # noqa: PLW1510 (the code is what is looked at)
        [sys.executable, "-m", "infra.scenario", "chat", written(scenario(COLOUR, BYE))],
        input=b"\xff\xfe green\nblue\n",
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().endswith("bot: Bye\n— run 1 is completed\n")


def test_commands_work_as_a_program(written: Written) -> None:
    path = written(scenario(COLOUR, BYE, tests=[FAILING]))
    done = subprocess.run(  # noqa: PLW1510 (the code is what is looked at)
        [sys.executable, "-m", "infra.scenario", "test", path],
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "✗ синий" in done.stdout


SENSITIVE = {"type": "string", "sensitive": True}
STACK = {**TABLES, "HistoryKeyId": "HISTORY_KEY_ID"}


# --- replay -----------------------------------------------------------------------------------------


def program_of(scenario_id: str, revision: int, called: Any, contact: Any) -> Any:
    return CompiledScenarios(DynamoScenarios()).get(scenario_id, revision, called, contact)


class TestReplay:
    def test_of_a_stored_dialog_makes_no_difference(self, aws_account: Aws) -> None:
        world = World(scenario(ask("name", next_step="bye"), BYE))
        world.say("/start", *(f"/start {n}" for n in range(3)), "Ann")
        world.settle()
        assert replayed(DIALOG_ID, world.dialogs, world.history, program_of) is None

    def test_tells_the_first_difference(self, aws_account: Aws) -> None:
        world = World(scenario(ask("name", next_step="bye"), BYE))
        world.say("/start", "Ann")
        world.settle()
        said = next(entry for entry in world.entries if entry.turn == 2 and entry.n == 1)
        world.history.record(msgspec.structs.replace(said, message_data={**said.message_data, "text": "Hi"}))

        difference = replayed(DIALOG_ID, world.dialogs, world.history, program_of)

        assert difference is not None
        assert (difference.turn, difference.what) == (2, "messages/1")

    def test_of_a_dialog_that_is_not_there_says_so(self, aws_account: Aws) -> None:
        world = World(scenario(BYE))
        with pytest.raises(Unreadable, match="there is no dialog"):
            replayed(DIALOG_ID, world.dialogs, world.history, program_of)

    def test_finds_the_tables_of_a_stack(
        self, aws_account: Aws, capsys: Printed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = World(scenario(ask("name", next_step="bye"), BYE, variables={"name": SENSITIVE}))
        world.say("/start", "Ann")
        world.settle()
        for variable in STACK.values():
            monkeypatch.setenv(variable, ENVIRONMENT[variable])
        outputs = {output: {"Value": ENVIRONMENT[variable]} for output, variable in STACK.items()}
        topic = {"Topic": {"Type": "AWS::SNS::Topic"}}
        boto3.client("cloudformation").create_stack(
            StackName="a-stack", TemplateBody=json.dumps({"Resources": topic, "Outputs": outputs})
        )
        assert main(["replay", DIALOG_ID, "--stack", "a-stack"]) == 1
        assert capsys.readouterr().out == "turn 2: erased at turn 2\n"

    def test_asks_for_a_stack_where_nothing_runs(
        self, capsys: Printed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert main(["replay", DIALOG_ID]) == 2
        assert "no Parley runs here" in capsys.readouterr().err
