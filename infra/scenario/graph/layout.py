"""Where the boxes of a picture stand: in rows from top to bottom, each below those that lead to it.

The way of Sugiyama, made simple: circles are cut where a walk first meets itself, a box's row is the
longest way to it, and boxes of a row are ordered by where their neighbours stand. Arrows that pass rows
get no room of their own: they are drawn beneath the boxes, and each box tells in words where it leads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Ways = Mapping[str, Sequence[str]]

MAX_IN_ROW = 8
SWEEPS = 6


@dataclass(frozen=True, slots=True)
class Place:
    """The upper left corner of a box."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Grid:
    """The width of every box, the heights of each, and the room between them."""

    width: float
    heights: Mapping[str, float]
    gap: float
    row_gap: float


def places_of(ways: Ways, grid: Grid) -> dict[str, Place]:
    """A place for every key of `ways`; parts that nothing joins stand below one another."""
    places: dict[str, Place] = {}
    top = 0.0
    for part in _parts(ways):
        own = {box: [other for other in ways[box] if other in part] for box in part}
        rows = list(_rows(own))
        for row, across in zip(rows, _across(rows, own, grid), strict=True):
            places.update({box: Place(x, top) for box, x in zip(row, across, strict=True)})
            top += max(grid.heights[box] for box in row) + grid.row_gap
    return places


def _parts(ways: Ways) -> list[dict[str, None]]:
    """The boxes in sets that arrows join, each in the given order."""
    joined: dict[str, list[str]] = {box: list(others) for box, others in ways.items()}
    for box, others in ways.items():
        for other in others:
            joined[other].append(box)
    part_of: dict[str, int] = {}
    for number, root in enumerate(ways):
        waiting = [root] if root not in part_of else []
        while waiting:
            box = waiting.pop()
            if box not in part_of:
                part_of[box] = number
                waiting.extend(joined[box])
    parts: dict[int, dict[str, None]] = {}
    for box in ways:
        parts.setdefault(part_of[box], {})[box] = None
    return list(parts.values())


def _rows(ways: Ways) -> Iterator[list[str]]:
    """The boxes by row; a row that is too wide goes on below."""
    ranks = _ranks(ways)
    by_rank: dict[int, list[str]] = {}
    for box in ways:
        by_rank.setdefault(ranks[box], []).append(box)
    for row in _ordered([by_rank[rank] for rank in sorted(by_rank)], ways):
        for start in range(0, len(row), MAX_IN_ROW):
            yield row[start : start + MAX_IN_ROW]


def _ranks(ways: Ways) -> dict[str, int]:
    """The longest way to each box, over arrows that do not lead back."""
    order = _walked(ways)
    position = {box: number for number, box in enumerate(order)}
    ranks = dict.fromkeys(order, 0)
    for box in order:
        for other in ways[box]:
            if position[other] > position[box]:
                ranks[other] = max(ranks[other], ranks[box] + 1)
    return ranks | _lowered(order, position, ways, ranks)


def _lowered(
    order: Sequence[str], position: Mapping[str, int], ways: Ways, ranks: Mapping[str, int]
) -> dict[str, int]:
    """What nothing leads to stands just above what it leads to itself, but for where all begins."""
    first = next(iter(ways))
    led_to = {other for box in order for other in ways[box] if position[other] > position[box]}
    found = {}
    for box in order:
        below = [ranks[other] for other in ways[box] if position[other] > position[box]]
        if box != first and box not in led_to and below:
            found[box] = min(below) - 1
    return found


def _walked(ways: Ways) -> list[str]:
    """The boxes so that each stands before those it leads to, but for ways that lead back."""
    finished: dict[str, None] = {}
    seen: set[str] = set()
    for root in ways:
        waiting = [(root, iter(ways[root]))] if root not in seen else []
        seen.add(root)
        while waiting:
            box, others = waiting[-1]
            onward = next((other for other in others if other not in seen), None)
            if onward is None:
                finished[box] = None
                waiting.pop()
            else:
                seen.add(onward)
                waiting.append((onward, iter(ways[onward])))
    return list(reversed(finished))


def _ordered(rows: list[list[str]], ways: Ways) -> list[list[str]]:
    """The rows with each box near its neighbours of the rows already ordered, sweeping to and fro."""
    neighbours = _neighbours(ways)
    for sweep in range(SWEEPS):
        middle: dict[str, float] = {}
        for row in rows:
            middle.update({box: (number + 0.5) / len(row) for number, box in enumerate(row)})
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = {box: _mean((middle[n] for n in neighbours[box]), middle[box]) for box in row}
            row.sort(key=wanted.__getitem__)
            middle.update({box: (number + 0.5) / len(row) for number, box in enumerate(row)})
    return rows


def _neighbours(ways: Ways) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {box: [] for box in ways}
    for box, others in ways.items():
        for other in others:
            if other != box:
                found[box].append(other)
                found[other].append(box)
    return found


def _across(rows: Sequence[Sequence[str]], ways: Ways, grid: Grid) -> list[list[float]]:
    """How far to the right each box stands: below the middle of those that lead to it, where it can."""
    before: dict[str, list[str]] = {box: [] for box in ways}
    for box, others in ways.items():
        for other in others:
            before[other].append(box)
    step = grid.width + grid.gap
    placed: dict[str, float] = {}
    for row in rows:
        wanted = [_mean((placed[b] for b in before[box] if b in placed), 0.0) for box in row]
        placed.update(zip(row, _apart(wanted, step), strict=True))
    left = min(placed.values())
    return [[placed[box] - left for box in row] for row in rows]


def _apart(wanted: Sequence[float], step: float) -> list[float]:
    """The wanted places in their order, moved apart as little as is needed."""
    found: list[float] = []
    for place in wanted:
        found.append(max(place, found[-1] + step) if found else place)
    moved = _mean((f - w for f, w in zip(found, wanted, strict=True)), 0.0)
    return [place - moved for place in found]


def _mean(values: Iterable[float], otherwise: float) -> float:
    found = list(values)
    return sum(found) / len(found) if found else otherwise
