"""Scenario documents read from files, with words for whoever wrote them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from infra.scenario.errors import Unreadable
from shared.errors import Invalid
from shared.scenario.document import read

Document = dict[str, Any]


def load(path: Path) -> Document:
    """The document in the file, its form checked. Raises `Unreadable` with everything that is wrong."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        read(document)
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{path}: this is not JSON: {error}") from None
    except Invalid as error:
        wrong = (f"\n  {violation.pointer or '/'}: {violation.message}" for violation in error.violations)
        raise Unreadable(f"{path}: {error}{''.join(wrong)}") from None
    return dict(document)


def called_of(named: Iterable[str]) -> dict[str, Document]:
    """The scenarios given as `ID=FILE`, by id. Raises `Unreadable`."""
    found = {}
    for each in named:
        scenario_id, is_given, path = each.partition("=")
        if not is_given:
            raise Unreadable(f"--called {each}: say which scenario it is, as ID=FILE")
        found[scenario_id.lower()] = load(Path(path))
    return found
