from __future__ import annotations

from shared import aws
from shared.storage.tables import TABLES
from tests.conftest import Aws


def test_all_models_share_the_one_client(aws_account: Aws) -> None:
    clients = {id(table._get_connection().connection.client) for table in TABLES}

    assert clients == {id(aws.client("dynamodb"))}
