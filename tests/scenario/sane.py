"""Scenarios as careful authors write them, made up by hypothesis: the linter has nothing to say of them.

A scenario is a chain of sections. Each has its own steps and variables, is entered at one step, and leads
to the next section on every way. What earlier ones have surely set is printed as it is, what they may have
set is asked about by `answered` first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.scenario.documents import CALLED_ID, Document, ask, choose, say, scenario

CHILD = scenario(
    choose("mood", "mood", "good", "bad", text="How are you, <{{ who }}>?", next_step="why"),
    ask("why", "why", "Why <{{ mood }}>?", next_step="thanks"),
    say("thanks", "Thanks.", set={"words": "who + ': ' + why"}),
    variables={"who": {"type": "string"}},
)
"""What sane scenarios call."""

LIBRARY = {CALLED_ID: CHILD}
REQUEST = {"method": "GET", "url": "https://example.com/{{ start_payload }}"}


@dataclass
class Sections:
    """A scenario in the making: `sure` are the variables that have a value by now, `maybe` those that may."""

    draw: st.DrawFn
    steps: list[Document] = field(default_factory=list)
    sure: list[str] = field(default_factory=list)
    maybe: list[str] = field(default_factory=list)

    def words(self) -> str:
        """Something to say, with what is known by now."""
        known = [f"<{{{{ {name} }}}}>" for name in self.sure[-3:]]
        known += [f"{{{{ answered.{name} ? 'something' : 'nothing' }}}}" for name in self.maybe[-2:]]
        return self.draw(st.sampled_from(["Well?", "*Well*, _then_:", *known]))

    def chance(self) -> bool:
        return self.draw(st.booleans())

    def pick(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))


Section = Callable[[Sections, str, str], None]
"""Adds steps whose ids begin with the second argument, the first step being it, and lead to the third."""

LIMITS: dict[str, Document] = {
    "text": {"min_length": 1, "max_length": 50, "pattern": "[^<>]+"},
    "number": {"min": -10.5, "max": "100 * 100"},
    "integer": {"min": 0, "rules": [{"reject_if": "value == 13", "message": "Not that one"}]},
    "date": {"min": "2020-01-01", "max": "today + days(3660)"},
    "time": {"min": "00:00", "max": "23:59"},
    "phone": {"region": "DE"},
    "contact": {"own": True},
    "media": {"max": 3, "accept": ["image", "file"]},
}
TYPES = "text number integer date time email phone url location contact media any".split()


def _question(into: Sections, at: str, onward: str) -> None:
    kind = into.pick(*TYPES)
    expected: Document = {"type": kind}
    if kind in LIMITS and into.chance():
        expected["validation"] = LIMITS[kind]
    if into.chance():
        expected["error_message"] = "Once more, please."
    if into.chance():
        expected["timeout"] = {"after": "1h", "remind": "Still there?", "every": "2h", "times": 2}
    into.steps.append(ask(at, at, into.words(), expected_input=expected, next_step=onward))
    into.sure.append(at)


def _optional(into: Sections, at: str, onward: str) -> None:
    """A question that may be skipped, given up, or answered wrongly too often."""
    skip = {"text": "Skip", "value": "-", "next_step": onward}
    expected = {
        "max_attempts": 2,
        "on_failure": onward,
        "timeout": {"after": into.pick("30s", "5h"), "next_step": onward},
    }
    into.steps.append(ask(at, at, into.words(), buttons=[skip], expected_input=expected, next_step=onward))
    into.maybe.append(at)


def _menu(into: Sections, at: str, onward: str) -> None:
    """A menu that is returned to."""
    hours = {"text": "Hours", "value": "hours", "next_step": f"{at}_hours"}
    leave = {"text": "Go on", "value": "on", "next_step": onward}
    into.steps.append(choose(at, at, hours, leave, text=into.words()))
    into.steps.append(say(f"{at}_hours", f"9-18, {{{{ label({at}) }}}}", next_step=at))
    into.sure.append(at)


def _retry(into: Sections, at: str, onward: str) -> None:
    """A question that is asked until the answer is right, or a few times."""
    enough = f"{at} == 'x' || {at}_n > 2" if into.chance() else f"{at} == 'x'"
    again = {"if": enough, "then": onward, "else": at}
    count = {f"{at}_n": f"answered.{at}_n ? 1 : 0"}
    into.steps.append(ask(at, at, into.words(), before=count, next_step=f"{at}_check"))
    into.steps.append(say(f"{at}_check", "Let me see.", conditions=[again]))
    into.sure.append(at)


def _branches(into: Sections, at: str, onward: str) -> None:
    """A variable set on one branch, and printed on another only if it is there."""
    condition = {"if": f"{at} == 'cat'", "then": f"{at}_cat", "else": onward}
    into.steps.append(choose(at, at, "cat", "none", text=into.words(), conditions=[condition]))
    into.steps.append(ask(f"{at}_cat", f"{at}_name", "Its name?", next_step=onward))
    into.sure.append(at)
    into.maybe.append(f"{at}_name")


def _several(into: Sections, at: str, onward: str) -> None:
    expected = {"type": "buttons", "validation": {"min": 1, "max": 2}}
    step = choose(
        at, at, "tea", "milk", "water", text=into.words(), expected_input=expected, next_step=onward
    )
    into.steps.append(step)
    into.sure.append(at)


def _from_list(into: Sections, at: str, onward: str) -> None:
    each = {"for_each": "['tea', 'milk']", "text": "{{ index + 1 }}. {{ item }}", "value": "item"}
    into.steps.append(choose(at, at, each, text=into.words(), when_empty=onward, next_step=onward))
    into.maybe.append(at)


def _understood(into: Sections, at: str, onward: str) -> None:
    fill = [f"{at}_day", f"{at}_count"]
    into.steps.append(
        ask(at, at, into.words(), expected_input={"understand": {"fill": fill}}, next_step=fill[0])
    )
    for name, kind, target in ((fill[0], "date", fill[1]), (fill[1], "integer", onward)):
        expected = {"type": kind, "skip_if_set": True}
        into.steps.append(ask(name, name, "And this?", expected_input=expected, next_step=target))
    into.sure += [at, *fill]


def _request(into: Sections, at: str, onward: str) -> None:
    """Work outside that may fail, and is then begun again when the person says so."""
    again = choose(
        f"{at}_again", f"{at}_choice", "again", {"text": "Leave it", "value": "no", "next_step": onward}
    )
    into.steps.append(
        say(
            at, into.words(), http=REQUEST | {"variable": at, "on_error": again["id"]}, next_step=f"{at}_told"
        )
    )
    into.steps.append(again | {"next_step": at})
    into.steps.append(say(f"{at}_told", f"Status <{{{{ {at}.status }}}}>", next_step=onward))
    into.maybe.append(at)


def _model(into: Sections, at: str, onward: str) -> None:
    """A model that talks with the person until it knows where to go."""
    routes = {
        "book": {"step": f"{at}_book", "when": "to book"},
        "leave": {"step": onward, "when": "to leave"},
    }
    llm = {
        "prompt": "Talk with the person: {{ input.text }}",
        "reply": True,
        "routes": routes,
        "on_error": onward,
    }
    into.steps.append(
        say(at, into.words(), llm=llm, expected_input={"type": "text", "variable": at}, next_step=at)
    )
    into.steps.append(say(f"{at}_book", "Booked.", next_step=onward))
    into.maybe.append(at)


def _chosen(into: Sections, at: str, onward: str) -> None:
    output = into.pick({"type": "choice", "options": ["good", "bad"]}, {"type": "object"}, {"type": "text"})
    llm = {"prompt": into.words(), "variable": at, "output": output, "on_error": onward}
    into.steps.append({"id": at, "llm": llm, "next_step": f"{at}_told"})
    into.steps.append(say(f"{at}_told", f"It says <{{{{ {at} }}}}>", next_step=onward))
    into.maybe.append(at)


def _pause(into: Sections, at: str, onward: str) -> None:
    work: Document = into.pick({"wait": "10m"}, {"wait": "20h"}, {"sync": {}})
    into.steps.append(say(at, into.words(), **work, next_step=onward))


def _person(into: Sections, at: str, onward: str) -> None:
    into.steps.append(say(at, "A colleague comes.", handoff={"reason": into.words()}, next_step=onward))


def _call(into: Sections, at: str, onward: str) -> None:
    call = {"id": CALLED_ID, "inputs": {"who": "'Ann'"}, "outputs": {at: "words"}}
    into.steps.append(say(at, into.words(), scenario=call, next_step=onward))
    into.sure.append(at)


def _computed(into: Sections, at: str, onward: str) -> None:
    source = into.pick("1 + 2", "'a' + 'b'", "today + days(1)", "[1, 2]")
    into.steps.append(say(at, into.words(), **{into.pick("before", "set"): {at: source}}, next_step=onward))
    into.sure.append(at)


def _asked_once(into: Sections, at: str, onward: str) -> None:
    """A question that is passed over when it comes up again."""
    into.steps.append(ask(at, at, into.words(), next_step=f"{at}_again"))
    expected = {"skip_if_set": True}
    into.steps.append(ask(f"{at}_again", at, "Once more?", expected_input=expected, next_step=onward))
    into.sure.append(at)


SECTIONS: list[Section] = [
    _question, _question, _optional, _menu, _retry, _branches, _several, _from_list, _understood,
    _request, _model, _chosen, _pause, _person, _call, _computed, _asked_once,
]  # fmt: skip

HELP = say("help", "I can help. {{ answered.first ? 'Go on!' : '' }}")
COMMANDS = {"/help": {"next_step": "help", "resume": True, "description": "Help"}, "/back": {"back": True}}


@st.composite
def sane_scenarios(draw: st.DrawFn) -> Document:
    into = Sections(draw)
    ids = [f"s{number}" for number in range(draw(st.integers(1, 6)))]
    for at, onward in zip(ids, [*ids[1:], "bye"], strict=True):
        draw(st.sampled_from(SECTIONS))(into, at, onward)
    fields: Document = {
        "after_end": draw(st.sampled_from(["tell", "restart", "ignore"])),
        "first_message": draw(st.sampled_from(["start", "answer"])),
        "timezone": draw(st.sampled_from(["UTC", "Europe/Berlin"])),
        "variables": {"first": {"type": "string"}},
    }
    if draw(st.booleans()):
        fields["commands"] = COMMANDS
    steps = [*into.steps, say("bye", into.words()), *([HELP] if "commands" in fields else [])]
    return scenario(*steps, **fields)
