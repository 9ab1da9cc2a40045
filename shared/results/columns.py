"""The columns of results: the variables of the revisions that their runs have followed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared.dialog.ports import RevisionRepository
from shared.dialog.results import RunResult
from shared.errors import NotFound
from shared.scenario.columns import Column, columns_of, union

Columns = tuple[Column, ...]

_REMEMBERED = 256
"""Revisions whose columns a container knows; beyond that it forgets all, and reads anew."""


class ResultColumns:
    """What revisions have for columns, each read once; revisions never change."""

    def __init__(self, revisions: RevisionRepository) -> None:
        self._revisions = revisions
        self._known: dict[tuple[str, int], Columns] = {}

    def of(self, scenario_id: str | None, revision: int | None) -> Columns:
        """The variables of a revision; none of one that is not known, or gone."""
        if scenario_id is None or revision is None:
            return ()
        key = scenario_id, revision
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = self._read(*key)
        return self._known[key]

    def covering(self, results: Sequence[RunResult], known: Columns = ()) -> Columns:
        """The known columns, then what the results' revisions have more, then what only the values tell."""
        followed = dict.fromkeys((each.scenario_id, each.revision) for each in results)
        named = dict.fromkeys(name for each in results for name in each.values)
        told = [Column(name, "any") for name in named]
        tables: list[Iterable[Column]] = [known, *(self.of(*each) for each in followed)]
        columns = union(tables)
        names = {column.name for column in columns}
        return (*columns, *(column for column in told if column.name not in names))

    def _read(self, scenario_id: str, revision: int) -> Columns:
        try:
            return columns_of(self._revisions.document(scenario_id, revision))
        except NotFound:
            return ()
