"""The template's tables are those that the models read and write."""

from typing import Any

from shared.storage.tables import TABLES
from tests.conftest import Aws
from tests.infra.template import Template
from tests.infra.test_template import TABLE_VARIABLES


def test_the_template_has_a_table_for_every_model(template: Template, aws_account: Aws) -> None:
    assert {table.Meta.variable for table in TABLES} == set(TABLE_VARIABLES)
    for table in TABLES:
        declared = template.properties(TABLE_VARIABLES[table.Meta.variable])
        modelled = aws_account.dynamodb.describe_table(TableName=table.Meta.table_name)["Table"]
        assert _shape(declared) == _shape(dict(modelled)), table.__name__


def test_what_models_let_expire_does(template: Template, aws_account: Aws) -> None:
    for table in TABLES:
        declared = template.properties(TABLE_VARIABLES[table.Meta.variable])
        time_to_live = table._ttl_attribute()  # type: ignore[no-untyped-call]
        expires = declared.get("TimeToLiveSpecification", {}).get("AttributeName")
        assert expires == (time_to_live.attr_name if time_to_live else None), table.__name__


def _shape(table: dict[str, Any]) -> dict[str, Any]:
    return {
        "keys": _keys(table),
        "types": {d["AttributeName"]: d["AttributeType"] for d in table["AttributeDefinitions"]},
        "indexes": {
            index["IndexName"]: (_keys(index), index["Projection"]["ProjectionType"])
            for index in table.get("GlobalSecondaryIndexes", [])
        },
    }


def _keys(of: dict[str, Any]) -> set[tuple[str, str]]:
    return {(key["AttributeName"], key["KeyType"]) for key in of["KeySchema"]}
