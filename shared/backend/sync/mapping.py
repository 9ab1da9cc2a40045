"""From variables and facts of a run to columns or fields of the main system."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from shared.backend.sync.runs import OF_ONE_RUN, Run

Row = dict[str, Any]
"""Values by column or field, as JSON."""

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
"""NUL, which no text of PostgreSQL holds, and halves of characters, which are no UTF-8."""


def row_of(run: Run, mapping: Mapping[str, str]) -> Row:
    """What has a value; what has none is not touched, so that a run broken off early erases nothing."""
    found = {target: run.value_of(source) for source, target in mapping.items()}
    return {target: storable(value) for target, value in found.items() if value is not None}


def storable(value: Any) -> Any:
    """The value without the characters that a database refuses."""
    match value:
        case str():
            return _UNSTORABLE.sub("", value)
        case list() | tuple():
            return [storable(each) for each in value]
        case dict():
            return {storable(key): storable(each) for key, each in value.items()}
    return value


def has_row_for_each_run(mapping: Mapping[str, str], key: Collection[str]) -> bool:
    """Whether the key tells the runs of a dialog apart, so that none of them writes over another."""
    return any(mapping.get(fact) in key for fact in OF_ONE_RUN)
