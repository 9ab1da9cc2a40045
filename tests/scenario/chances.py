"""Whatever may happen to a dialog, by chance: answers of every kind, timers, tasks, people of the account."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from shared.dialog.state import Ask, Pending
from shared.scenario.compiled import CompiledHttp, CompiledInput, CompiledLlm, CompiledStep
from tests.dialog.talk import Talk

WORDS = ["Ann", "x", "Moscow", "", "1", "apple", "Банан", "yes", "*b*", "{{ n }}", "\x00", "1,2", "done", "⁠"]
COMMANDS = ["/start", "/start ref", "/help", "menu", "/back", "/HELP!", "/nothing"]

RIGHT: dict[str, list[str]] = {
    "text": ["Ann", "abc"],
    "number": ["1.5", "1 234,5", "-2"],
    "integer": ["3", "100"],
    "date": ["2026-12-31", "tomorrow", "29.02.2028"],
    "time": ["18:30", "9:00"],
    "email": ["ann@example.com"],
    "phone": ["+4915123456789"],
    "url": ["https://example.com/x"],
    "any": ["whatever"],
}

Chance = Callable[[Talk, Random], None]


def _one_of(random: Random, *chances: Callable[[], object]) -> None:
    random.choice(chances)()


def happen(talk: Talk, random: Random, *, jumps: bool = True) -> None:
    """Let one thing happen, mostly one that the dialog waits for.

    `jumps` says whether an operator may send the dialog to any step.
    """
    dialog = talk.dialog
    likely: Chance = _begin
    if dialog.handoff:
        likely = _jump if jumps and random.random() < 0.2 else _be_handed_back
    elif dialog.pending:
        likely = _work
    elif dialog.ask:
        likely = _reply
    chances: list[Chance] = (
        [likely] * 12 + [_wait] * 3 + [_write, _press, _command, _interfere, _send, _stray]
    )
    random.choice(chances)(talk, random)


def _begin(talk: Talk, random: Random) -> None:
    _one_of(random, talk.start, lambda: talk.say("Hello"), lambda: talk.run_by_api(name="Ann", zz=1))


def _be_handed_back(talk: Talk, random: Random) -> None:
    _one_of(random, talk.give_back, lambda: talk.operator("Hi"), lambda: _wait(talk, random))


def _jump(talk: Talk, random: Random) -> None:
    talk.give_back(random.choice([*talk.processor.scenario.steps]))


def _write(talk: Talk, random: Random) -> None:
    talk.say(random.choice(WORDS))


def _command(talk: Talk, random: Random) -> None:
    talk.say(random.choice(COMMANDS))


def _press(talk: Talk, random: Random) -> None:
    """A button shown now or long ago."""
    carried = [button.data for button in talk.shown if button.data] or [""]
    talk.press_data(random.choice([carried[-1], random.choice(carried)]))


def _wait(talk: Talk, random: Random) -> None:
    """Until the next timer is due, if there is one, and it comes."""
    timer = talk._next_timer()
    if timer is None:
        talk.fire(random.randrange(5))
        return
    talk.passed += timer.due - talk.now
    talk.fire(timer.number)


def _interfere(talk: Talk, random: Random) -> None:
    _one_of(random, lambda: talk.hand_off("x"), lambda: talk.operator("Hi"), talk.give_back)


def _send(talk: Talk, random: Random) -> None:
    album = random.choice(["", "1"])
    _one_of(
        random,
        lambda: talk.send_file("image", "A cat", album=album, size=10, media_id="m"),
        lambda: talk.share_contact("+4915123456789"),
        lambda: talk.share_place(1.5, 2.5),
        lambda: talk.say("", "sticker"),
    )


def _stray(talk: Talk, random: Random) -> None:
    """What comes for something that is over, or never was."""
    _one_of(
        random,
        lambda: talk.fire(1),
        lambda: talk.fire(1, epoch="ffffffff"),
        lambda: talk.finish_task(1, text="x"),
    )


# --- what is waited for ----------------------------------------------------------------------------


def _reply(talk: Talk, random: Random) -> None:
    ask = talk.dialog.ask
    step = _step_of(talk, ask.step_id) if ask else None
    if ask is None or step is None or step.input is None:
        _write(talk, random)
    elif ask.choices and random.random() < 0.8:
        _choose(talk, random, ask, step.input)
    else:
        _answer(talk, random, step.input)


def _choose(talk: Talk, random: Random, ask: Ask, asked: CompiledInput) -> None:
    place = random.randrange(len(ask.choices))
    if asked.type == "buttons":
        talk.say(",".join(map(str, random.sample(range(1, len(ask.choices) + 1), min(2, len(ask.choices))))))
    else:
        talk.say(ask.choices[place].label)


def _answer(talk: Talk, random: Random, asked: CompiledInput) -> None:
    match asked.type:
        case "media":
            talk.send_file(random.choice(["image", "file"]), "?", album=random.choice(["", "2"]), size=5)
        case "location":
            talk.share_place(52.5, 13.4)
        case "contact":
            talk.share_contact("+4915123456789", first_name="Ann")
        case kind:
            talk.say(random.choice([*RIGHT.get(kind, WORDS), random.choice(WORDS)]))


def _work(talk: Talk, random: Random) -> None:
    pending = talk.dialog.pending
    if pending is None or pending.kind == "wait":
        _wait(talk, random)
    elif random.random() < 0.25:
        talk.fail()
    else:
        talk.finish(**_result(talk, random, pending))


def _result(talk: Talk, random: Random, pending: Pending) -> dict[str, Any]:
    step = _step_of(talk, pending.step_id)
    if pending.kind == "understand" and step and step.input:
        return {"values": {name: random.choice(["Ann", "3", "2026-12-31", None]) for name in step.input.fill}}
    match step.action if step else None:
        case CompiledLlm() as llm:
            return _words(random, llm)
        case CompiledHttp():
            return {"status": random.choice([200, 200, 500]), "body": {"x": [1]}, "headers": {}}
    return {}


def _words(random: Random, llm: CompiledLlm) -> dict[str, Any]:
    values = {"text": "Words", "choice": random.choice([*llm.options, "none"]), "object": {"x": 1}}
    result: dict[str, Any] = {llm.output: values[llm.output]}
    route = random.choice([None, *llm.routes, "gone"])
    return random.choice([result, {"route": route}, result | {"route": route}]) if llm.routes else result


def _step_of(talk: Talk, step_id: str) -> CompiledStep | None:
    calls = talk.dialog.calls
    processor = talk.processor
    scenario = processor.called[calls[-1].scenario_id] if calls else processor.scenario
    return scenario.steps.get(step_id)
