"""Where the boxes stand: apart from one another, below those that lead to them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.scenario.graph.layout import MAX_IN_ROW, Grid, Place, places_of

GRID = Grid(width=10, heights={str(n): 5 + n % 3 for n in range(1000)}, gap=2, row_gap=4)


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    boxes = [str(n) for n in range(draw(st.integers(1, 25)))]
    return {box: draw(st.lists(st.sampled_from(boxes), max_size=4, unique=True)) for box in boxes}


def apart(one: tuple[str, Place], other: tuple[str, Place]) -> bool:
    (box, a), (rival, b) = one, other
    beside = abs(a.x - b.x) >= GRID.width + GRID.gap - 1e-6
    return beside or a.y + GRID.heights[box] < b.y or b.y + GRID.heights[rival] < a.y


@settings(max_examples=60)
@given(graphs())
def test_every_box_has_a_place_of_its_own(ways: dict[str, list[str]]) -> None:
    places = places_of(ways, GRID)
    assert set(places) == set(ways)
    assert all(place.x >= 0 and place.y >= 0 for place in places.values())
    found = list(places.items())
    assert all(apart(one, other) for index, one in enumerate(found) for other in found[index + 1 :])


def test_a_chain_goes_straight_down() -> None:
    places = places_of({str(n): [str(n + 1)] if n < 9 else [] for n in range(10)}, GRID)
    assert {place.x for place in places.values()} == {0}
    assert all(places[str(a)].y < places[str(b)].y for a, b in pairwise(range(10)))


def test_a_circle_is_cut_where_it_comes_back_to_its_beginning() -> None:
    places = places_of({"0": ["1"], "1": ["2"], "2": ["0", "2"]}, GRID)
    assert places["0"].y < places["1"].y < places["2"].y


def test_branches_stand_beside_one_another_below_their_step() -> None:
    places = places_of({"0": ["1", "2"], "1": ["3"], "2": ["3"], "3": []}, GRID)
    assert places["1"].y == places["2"].y
    assert places["1"].x < places["0"].x == places["3"].x < places["2"].x


def test_what_leads_into_the_middle_stands_just_above_it() -> None:
    places = places_of({"0": ["1"], "1": ["2"], "2": ["3"], "3": [], "4": ["3"]}, GRID)
    assert places["4"].y == places["2"].y


def test_parts_stand_below_one_another() -> None:
    places = places_of({"0": ["1"], "1": [], "2": ["3"], "3": []}, GRID)
    assert places["1"].y < places["2"].y < places["3"].y


def test_a_wide_row_goes_on_below() -> None:
    ways = {"0": [str(n) for n in range(1, 30)], **{str(n): [] for n in range(1, 30)}}
    rows: dict[float, int] = {}
    for place in places_of(ways, GRID).values():
        rows[place.y] = rows.get(place.y, 0) + 1
    assert max(rows.values()) == MAX_IN_ROW


def test_a_long_chain_is_no_trouble() -> None:
    assert len(places_of({str(n): [str((n + 1) % 1000)] for n in range(1000)}, GRID)) == 1000
