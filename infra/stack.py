"""What a deployed stack tells of itself, for commands on somebody's own machine."""

from __future__ import annotations

import sys
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

UNREADABLE: Final = 2
"""The exit code where no answer can be had: no such stack, no region, no credentials."""


def outputs_of(stack: str) -> dict[str, str]:
    """The stack's outputs."""
    return {output["OutputKey"]: output["OutputValue"] for output in _described(stack).get("Outputs", [])}


def parameters_of(stack: str) -> dict[str, str]:
    """What the stack was deployed with, defaults included."""
    return {each["ParameterKey"]: each["ParameterValue"] for each in _described(stack).get("Parameters", [])}


def _described(stack: str) -> Any:
    """By boto3: no Lambda needs CloudFormation. Ends the command where nothing can be told."""
    try:
        return boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        sys.stderr.write(f"the stack {stack} cannot be read: {error}\n")
        raise SystemExit(UNREADABLE) from None
