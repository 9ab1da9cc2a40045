"""What a deployed stack tells of itself, for commands on somebody's own machine."""

from __future__ import annotations

from typing import Any

import boto3


def outputs_of(stack: str) -> dict[str, str]:
    """The stack's outputs."""
    return {output["OutputKey"]: output["OutputValue"] for output in _described(stack).get("Outputs", [])}


def parameters_of(stack: str) -> dict[str, str]:
    """What the stack was deployed with, defaults included."""
    return {each["ParameterKey"]: each["ParameterValue"] for each in _described(stack).get("Parameters", [])}


def _described(stack: str) -> Any:
    """By boto3: no Lambda needs CloudFormation."""
    return boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
