"""The README's table of folders has every one of them."""

from __future__ import annotations

import re

import pytest

from infra.local.commands import ROOT

FOLDERS = sorted(f"shared/{door.parent.name}/" for door in (ROOT / "shared").glob("*/__init__.py"))
TABLE = re.findall(r"^\| `shared/.*?\|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
NAMED = re.findall(r"shared/\w+/", " ".join(TABLE))


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_named_once_in_the_table(folder: str) -> None:
    assert NAMED.count(folder) == 1


def test_no_folder_is_named_that_is_not_there() -> None:
    assert set(NAMED) <= set(FOLDERS)
