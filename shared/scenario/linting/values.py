"""Ways on which a variable has no value yet where it is printed, or decides whether the run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from shared.scenario.findings import Finding
from shared.scenario.graph import Node, Ways, way_to
from shared.scenario.linting.edges import Edge
from shared.scenario.linting.places import printed_after_work, printed_before_work
from shared.scenario.linting.reading import reading
from shared.scenario.linting.steps import consulted, leads_on
from shared.scenario.linting.subject import Subject

Names = frozenset[str]


def check(subject: Subject, written: Iterable[str]) -> Iterator[Finding]:
    """`written` are the variables that something in the document gives a value."""
    return _Values(subject, frozenset(written)).findings()


class _Values:
    def __init__(self, subject: Subject, written: Names) -> None:
        self.subject = subject
        self.graph = subject.graph
        self.written = written - {"start_payload"} - frozenset(subject.compiled.initial)
        self.bits = {name: 1 << place for place, name in enumerate(sorted(self.written))}
        self.main = frozenset(self.graph.ways(interludes=False))
        self.unset = _Unset(self.graph.nodes, self.mask, self._is_open)
        self.ways: dict[tuple[Names, bool], Ways] = {}
        self.unset.flow_from(self.graph.roots, (1 << len(self.bits)) - 1)
        level = enumerate(subject.document.get("conditions", []))
        self.needed_by_level = {index: reading(each["if"]).needs & self.written for index, each in level}

    def _is_open(self, node: Node, edge: Edge) -> bool:
        """No scenario-level condition is consulted on what only a command that returns leads to."""
        return node.id in self.main or not edge.pointer.startswith("/conditions/")

    def mask(self, names: Iterable[str]) -> int:
        return sum(self.bits.get(name, 0) for name in names)

    def findings(self) -> Iterator[Finding]:
        for node in self.graph.nodes.values():
            if self.unset.at.get(node.id):
                yield from self._printed(node)
                yield from self._ending(node)

    # --- what is printed ------------------------------------------------------------------------

    def _printed(self, node: Node) -> Iterator[Finding]:
        raw, values = self.subject.raw(node.id), node.values
        early, late = set(printed_before_work(raw)), set(printed_after_work(raw))
        needed = self._needed(early) - values.before
        needed |= self._needed(late) - values.before - values.sure
        for name in self._unset_of(node, needed):
            message = f"on this way “{name}” has no value yet, and nothing is shown in its place"
            yield from self._if_unset(node, frozenset({name}), message)

    def _needed(self, sources: Iterable[str]) -> set[str]:
        return set().union(*(reading(source).needs & self.written for source in sources))

    def _unset_of(self, node: Node, names: Iterable[str]) -> list[str]:
        return sorted(name for name in names if self.unset.at[node.id] & self.bits[name])

    # --- what decides ---------------------------------------------------------------------------

    def _ending(self, node: Node) -> Iterator[Finding]:
        """Where a run may end because nothing is decided."""
        raw, values = self.subject.raw(node.id), node.values
        if leads_on(raw):
            return
        own = values.before | values.sure | values.answer | values.set
        consulted_here = [index for index, _ in consulted(self.subject.document, raw)]
        if not consulted_here:
            needed = self._needed(c["if"] for c in raw.get("conditions", [])) - own
            for name in self._unset_of(node, needed):
                message = f"on this way “{name}” has no value yet, so the run may end here"
                yield from self._if_unset(node, frozenset({name}), message, interludes=False)
            return
        lacking = [self.needed_by_level[index] - own for index in consulted_here]
        here = self.unset.at[node.id]
        if all(names and here & self.mask(names) for names in lacking):
            names = frozenset().union(*lacking)
            listed = ", ".join(f"“{name}”" for name in sorted(names))
            message = f"on this way {listed} has no value yet: no condition is decided, and the run ends here"
            yield from self._if_unset(node, names, message, interludes=False)

    # --- ways -----------------------------------------------------------------------------------

    def _if_unset(
        self, node: Node, names: Names, message: str, *, interludes: bool = True
    ) -> Iterator[Finding]:
        ways = self._ways_without(names, interludes=interludes)
        if path := way_to(ways, node.id):
            yield self.subject.finding("maybe_unset", node.pointer, message, path)

    def _ways_without(self, names: Names, *, interludes: bool) -> Ways:
        """The ways on which none of the variables has a value yet."""
        key = names, interludes
        if key not in self.ways:

            def may_pass(node: Node, edge: Edge) -> bool:
                return names.isdisjoint(edge.gives) and self._is_open(node, edge)

            self.ways[key] = self.graph.ways(may_pass, interludes=interludes)
        return self.ways[key]


class _Unset:
    """For every step that can be reached, the variables that may be unset when it is entered, as bits."""

    def __init__(
        self,
        nodes: Mapping[str, Node],
        mask: Callable[[Iterable[str]], int],
        is_open: Callable[[Node, Edge], bool],
    ) -> None:
        self.at: dict[str, int] = {}
        self.onward = {
            node.id: [
                (e.target, ~mask(e.gives)) for e in node.edges if e.target in nodes and is_open(node, e)
            ]
            for node in nodes.values()
        }

    def flow_from(self, roots: Iterable[str], everything: int) -> None:
        waiting = [step for root in roots for step in self._add(root, everything)]
        while waiting:
            step = waiting.pop()
            for target, kept in self.onward[step]:
                waiting += self._add(target, self.at[step] & kept)

    def _add(self, step: str, unset: int) -> list[str]:
        """Note what may be unset there; the step itself if that is news."""
        known = self.at.get(step)
        self.at[step] = unset | (known or 0)
        return [step] if known != self.at[step] else []
