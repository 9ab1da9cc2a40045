"""A stack that cannot be asked is told in a line, not in a traceback."""

from __future__ import annotations

import pytest

from infra.stack import UNREADABLE, outputs_of


@pytest.mark.usefixtures("aws_account")
def test_a_stack_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        outputs_of("nosuch")

    assert left.value.code == UNREADABLE
    assert capsys.readouterr().err.startswith("the stack nosuch cannot be read: ")
