"""An account to delete things from."""

from __future__ import annotations

import pytest
from moto.backends import get_backend

from tests.conftest import Aws
from tests.deletion.account import GROUP, Account


@pytest.fixture
def account(aws_account: Aws) -> Account:
    for regions in get_backend("scheduler").values():
        for backend in regions.values():
            backend.reset()
    made = Account(aws_account)
    made.scheduler.create_schedule_group(Name=GROUP)
    return made
