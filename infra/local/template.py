from typing import Any

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]


def parse_template(text: str) -> dict[str, Any]:
    """A template as plain data, with CloudFormation's short forms (`!Ref`) written out."""
    parsed: dict[str, Any] = yaml_parse(text)
    return parsed
