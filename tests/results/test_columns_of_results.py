from __future__ import annotations

from typing import Any

from shared.errors import NotFound
from shared.results.columns import ResultColumns
from shared.scenario.columns import Column
from tests.results.runs import SCENARIO, run
from tests.scenario.documents import ask, scenario


class Revisions:
    """Two revisions, of which the second has renamed a variable."""

    def __init__(self) -> None:
        self.read: list[tuple[str, int]] = []

    def document(self, scenario_id: str, revision: int) -> dict[str, Any]:
        self.read.append((scenario_id, revision))
        if (scenario_id, revision) == (SCENARIO, 1):
            return scenario(ask("s", "name", "Name?"), ask("t", "town", "Town?"))
        if (scenario_id, revision) == (SCENARIO, 2):
            return scenario(ask("s", "name", "Name?"), ask("t", "city", "City?"))
        raise NotFound("revision")


def test_columns_are_those_of_the_revisions_that_runs_have_followed() -> None:
    columns = ResultColumns(Revisions())

    assert columns.covering([run(2, revision=2), run(1, revision=1)]) == (
        Column("name", "string", "Name?"),
        Column("city", "string", "City?"),
        Column("town", "string", "Town?"),
    )


def test_what_no_revision_tells_of_follows_from_the_values() -> None:
    gone = run(scenario_id="gone", values={"b": 1, "a": 2})
    unknown = run(scenario_id=None, revision=None, values={"start_payload": "ref"})

    found = ResultColumns(Revisions()).covering([gone, unknown], (Column("a", "integer"),))

    assert found == (Column("a", "integer"), Column("b", "any"), Column("start_payload", "any"))


def test_a_revision_is_read_once() -> None:
    revisions = Revisions()
    columns = ResultColumns(revisions)
    for _ in range(2):
        columns.covering([run(1), run(2), run(3, scenario_id="gone")])

    assert revisions.read == [(SCENARIO, 1), ("gone", 1)]
