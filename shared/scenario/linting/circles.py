"""Steps that go round, or follow one another, without a word from the person; steps nobody gets to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from shared.scenario.caps import MAX_SILENT_TURNS, MAX_TURN_MESSAGES, MAX_TURN_STEPS
from shared.scenario.findings import Finding
from shared.scenario.graph import Graph, Node
from shared.scenario.linting.reading import reading
from shared.scenario.linting.steps import choices_of, consulted, may_be_empty, may_be_skipped, waits
from shared.scenario.linting.subject import Subject

OUTCOME = "\0outcome"
"""Stands among the names for how a task ends, which is another time another way."""

_EACH_TURN = frozenset({"now", "today", "random"})


def check(subject: Subject) -> Iterator[Finding]:
    circles = subject.graph.circles(subject.graph.nodes)
    turnings = {node.id: _turning(subject, node) for node in subject.graph.nodes.values()} if circles else {}
    for circle in circles:
        yield from _circle(subject, circle, turnings)
    circling = {step for circle in circles for step in circle}
    yield from _unreachable(subject)
    yield from _too_long(subject, circling)
    yield from _too_silent(subject, circling)


# --- circles ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Turning:
    """What a step does to a circle that it is in, as far as nothing is heard from the person.

    It leads on to `targets`, of which those `in_time` only by a timeout; `decided_by` tells by which names,
    `changes` which of them it changes. `ends` is whether the run may end at it, `waits` whether it may wait
    for the person, `takes_turns` whether the circle then goes on in another turn.
    """

    targets: frozenset[str]
    in_time: frozenset[str]
    decided_by: frozenset[str]
    changes: frozenset[str]
    ends: bool
    waits: bool
    takes_turns: bool

    @property
    def decides_itself(self) -> bool:
        return not self.decided_by.isdisjoint(self.changes | {OUTCOME})

    def may_leave(self, circle: AbstractSet[str]) -> bool:
        can_wait = self.waits and self.in_time.isdisjoint(circle)
        return self.ends or can_wait or not self.targets <= circle


def _turning(subject: Subject, node: Node) -> _Turning:
    raw = subject.raw(node.id)
    onward = [edge for edge in node.edges if edge.silent]
    return _Turning(
        targets=frozenset(edge.target for edge in onward),
        in_time=frozenset(edge.target for edge in onward if "/timeout/" in edge.pointer),
        decided_by=frozenset(_decided_by(subject, node)),
        changes=frozenset({*raw.get("before", {}), *raw.get("set", {})}) | node.values.result,
        ends=node.ends,
        waits=waits(raw),
        takes_turns=any(edge.turns for edge in onward),
    )


def _circle(subject: Subject, circle: tuple[str, ...], turnings: Mapping[str, _Turning]) -> Iterator[Finding]:
    """An error for what can only go round for ever; a warning where a condition may end it."""
    endless = list(_endless(subject.graph, circle, turnings))
    for each in endless:
        yield _going_round(subject, "endless_cycle", each, "")
    if not endless:
        yield _going_round(subject, "cycle", circle, "; make sure that it ends")


def _endless(
    graph: Graph, circle: tuple[str, ...], turnings: Mapping[str, _Turning]
) -> Iterator[tuple[str, ...]]:
    """What is left of a circle without the steps at which it may end, and then goes round still."""
    waiting = [circle]
    while waiting:
        steps = waiting.pop()
        if guards := _guards(set(steps), turnings):
            waiting += reversed(graph.circles(set(steps) - guards))
        else:
            yield steps


def _guards(circle: AbstractSet[str], turnings: Mapping[str, _Turning]) -> set[str]:
    """The steps at which a circle can be left by what it changes."""
    changed = {OUTCOME}.union(*(turnings[step].changes for step in circle))
    if any(turnings[step].takes_turns for step in circle):
        changed |= _EACH_TURN
    able = (step for step in circle if not changed.isdisjoint(turnings[step].decided_by))
    guards = {step for step in able if turnings[step].may_leave(circle)}
    return guards | _led_to(guards, circle, turnings)


def _led_to(guards: AbstractSet[str], circle: AbstractSet[str], turnings: Mapping[str, _Turning]) -> set[str]:
    """The steps that can leave the rest of the circle to a guard, by what they change themselves.

    The next look at what is left would find them all, but only one after the other.
    """
    before: dict[str, list[str]] = {}
    for step in circle:
        for target in turnings[step].targets if turnings[step].decides_itself else ():
            before.setdefault(target, []).append(step)
    found: set[str] = set()
    waiting = list(guards)
    while waiting:
        new = [step for step in before.get(waiting.pop(), ()) if step not in found and step not in guards]
        found.update(new)
        waiting += new
    return found


def _decided_by(subject: Subject, node: Node) -> set[str]:
    """What decides which way a step is left without a word from the person."""
    raw = subject.raw(node.id)
    sources = [b[name] for _, b in choices_of(raw) for name in ("show_if", "for_each") if b.get(name)]
    sources = sources if may_be_empty(raw) else []
    if not node.asks:
        sources += [condition["if"] for condition in raw.get("conditions", [])]
        sources += [condition["if"] for _, condition in consulted(subject.document, raw)]
    names = set().union(*(reading(source).reads for source in sources))
    if may_be_skipped(raw):
        names |= node.values.answer
    if any("/on_error" in edge.pointer or "/llm/routes/" in edge.pointer for edge in node.edges):
        names.add(OUTCOME)
    return names


def _going_round(subject: Subject, code: str, circle: Iterable[str], advice: str) -> Finding:
    steps = list(circle)
    way = subject.graph.circle_through(steps[0], set(steps))
    message = f"{' → '.join((*way, steps[0]))} goes round without a word from the person{advice}"
    return subject.finding(code, subject.graph.nodes[steps[0]].pointer, message)


# --- ways ------------------------------------------------------------------------------------------


def _unreachable(subject: Subject) -> Iterator[Finding]:
    for node in subject.graph.nodes.values():
        if node.id not in subject.ways:
            message = f"no way leads to the step “{node.id}”"
            yield subject.finding("unreachable_step", node.pointer, message)


def _too_long(subject: Subject, circling: set[str]) -> Iterator[Finding]:
    """A turn that may be broken off for its length, where no circle is to blame."""
    for what, limit, lengths in (
        ("messages", MAX_TURN_MESSAGES, messages_at_once(subject.graph, circling)),
        ("steps", MAX_TURN_STEPS, steps_at_once(subject.graph, circling)),
    ):
        long = [step for step in lengths if lengths[step] > limit and step in subject.ways]
        if long:
            first = max(long, key=lambda step: (lengths[step], -subject.graph.nodes[step].index))
            message = f"from here more than {limit} {what} may follow without a word from the person"
            yield subject.finding("long_turn", subject.graph.nodes[first].pointer, message)


def messages_at_once(graph: Graph, circling: Collection[str]) -> Mapping[str, int]:
    """The most messages that a turn may say from each step on, but for those in circles."""
    return _lengths(graph, circling, lambda node: (node.messages, node.replies, node.called.messages))


def steps_at_once(graph: Graph, circling: Collection[str]) -> Mapping[str, int]:
    return _lengths(graph, circling, lambda node: (1, 0, node.called.steps))


def _lengths(
    graph: Graph, circling: Collection[str], own: Callable[[Node], tuple[int, int, int]]
) -> Mapping[str, int]:
    """`own` tells of a node what it says or does, what it adds in a later turn, what it calls."""
    at_once: dict[str, int] = {}
    longest: dict[str, int] = {}
    for step in graph.backwards(graph.nodes.keys() - circling):
        node = graph.nodes[step]
        says, replies, calls = own(node)
        following = [at_once.get(e.target, 0) for e in node.edges if e.silent and not e.turns]
        in_a_later_turn = [at_once.get(e.target, 0) for e in node.edges if not e.silent or e.turns]
        at_once[step] = says + calls + max(following, default=0)
        longest[step] = max(at_once[step], replies + calls + max(in_a_later_turn, default=0))
    return longest


def _too_silent(subject: Subject, circling: set[str]) -> Iterator[Finding]:
    """More timers and tasks on end than a dialog goes on with by itself."""
    turns = silent_turns(subject.graph, circling)
    silent = [step for step in turns if turns[step] > MAX_SILENT_TURNS and step in subject.ways]
    if silent:
        first = max(silent, key=lambda step: (turns[step], -subject.graph.nodes[step].index))
        message = f"from here more than {MAX_SILENT_TURNS} turns may follow without a word from the person"
        yield subject.finding("long_silence", subject.graph.nodes[first].pointer, message)


def silent_turns(graph: Graph, circling: Collection[str]) -> Mapping[str, int]:
    """The most turns that timers and tasks may bring about from each step on, but for those in circles."""
    found: dict[str, int] = {}
    for step in graph.backwards(graph.nodes.keys() - circling):
        onward = [e.turns + found.get(e.target, 0) for e in graph.nodes[step].edges if e.silent]
        found[step] = max(onward, default=0)
    return found
