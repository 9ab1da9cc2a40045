"""What is linted, with what several checks need of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from shared.scenario.compiled import CompiledScenario
from shared.scenario.compiler import compile_scenario
from shared.scenario.expressions import ExpressionError
from shared.scenario.findings import Finding, severity_of
from shared.scenario.graph import Graph, Ways, way_to
from shared.scenario.linting.edges import Passage, Passages

_STEP = re.compile(r"/steps/(\d+)(?=/|$)")


class MediaLimits(Protocol):
    """Which files of one type a messenger shows as such; no `content_types` means any, 0 no limit."""

    @property
    def max_bytes(self) -> int: ...
    @property
    def content_types(self) -> frozenset[str]: ...
    @property
    def max_sides(self) -> int: ...
    @property
    def max_ratio(self) -> int: ...


class Capabilities(Protocol):
    """What a messenger can show, as its adapter says: see `shared.platforms.base`."""

    @property
    def max_text(self) -> int: ...
    @property
    def max_buttons(self) -> int: ...
    @property
    def max_button_label(self) -> int: ...
    @property
    def link_buttons(self) -> bool: ...
    @property
    def shares(self) -> frozenset[str]: ...
    @property
    def edits_in_place(self) -> bool: ...
    @property
    def media(self) -> Mapping[str, MediaLimits]: ...

    def shown_as(
        self, file_type: str, content_type: str = "", size: int = 0, width: int = 0, height: int = 0
    ) -> str:
        """The type that a file is shown as: its own, else "file"; "" where only its address can be told."""
        ...


@dataclass(frozen=True, slots=True)
class LibraryFile:
    """What is known of a file of the library; `size` is in bytes, `width` and `height` in pixels.

    `fitted` names the messengers for which an image has been made smaller.
    """

    file_type: str
    is_ready: bool = True
    content_type: str = ""
    size: int = 0
    width: int = 0
    height: int = 0
    fitted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Library:
    """What a scenario's bot has beside it; nothing is said of what is None.

    `scenarios` are the documents that may be called, by id, `scenario_id` the id of the one that is linted,
    `media` the files that it names and the library has, by id, `messengers` the capabilities of the connected
    platforms, by name. `contact` has the types of what may be known of people, by name, `secrets` are the
    names of those that its requests may hold.
    """

    scenarios: Mapping[str, Mapping[str, Any]] | None = None
    media: Mapping[str, LibraryFile] | None = None
    messengers: Mapping[str, Capabilities] | None = None
    contact: Mapping[str, str] | None = None
    has_model: bool | None = None
    secrets: Collection[str] | None = None
    scenario_id: str = ""


def _unknown(_scenario_id: str) -> Passage:
    return Passage()


@dataclass(slots=True)
class Subject:
    """One document, compiled, with its graph and what did not compile."""

    document: Mapping[str, Any]
    library: Library = field(default_factory=Library)
    passage: Passages = _unknown
    graph: Graph = field(init=False)
    compiled: CompiledScenario = field(init=False)
    reports: list[tuple[str, ExpressionError]] = field(init=False, default_factory=list)
    ways: Ways = field(init=False)

    def __post_init__(self) -> None:
        self.graph = Graph(self.document, self.passage)
        self.ways = self.graph.ways()
        self.compiled = compile_scenario(self.document, self._report, self.library.contact or {})

    def _report(self, pointer: str, error: ExpressionError) -> None:
        self.reports.append((pointer, error))

    def steps(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every step with its pointer."""
        return ((f"/steps/{index}", step) for index, step in enumerate(self.document["steps"]))

    def raw(self, step_id: str) -> Mapping[str, Any]:
        """A step that can be reached, as it is written."""
        raw: Mapping[str, Any] = self.document["steps"][self.graph.nodes[step_id].index]
        return raw

    def finding(self, code: str, pointer: str, message: str, path: tuple[str, ...] | None = None) -> Finding:
        """Told with the step that the pointer is in, and the shortest way there unless another is given."""
        match = _STEP.match(pointer)
        step_id = self.document["steps"][int(match[1])]["id"] if match else None
        shortest = way_to(self.ways, step_id) if step_id else ()
        return Finding(
            severity=severity_of(code),
            code=code,
            message=message,
            pointer=pointer,
            step_id=step_id,
            path=shortest if path is None else path,
        )


def broken(pointer: str, error: ExpressionError) -> tuple[str, str, str]:
    """What an expression's error is told by: its code, place and words."""
    code = "unknown_name" if error.undeclared else "bad_expression"
    return code, pointer, f"{error.message} (character {error.column})"
