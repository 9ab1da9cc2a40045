"""What the emulator does not take from the template, or takes and cannot live with."""

import json
import re
from collections.abc import Iterator
from typing import Any

from infra.local.deployment import STACK, physical_id
from infra.local.emulator import Emulator
from infra.local.template import parse_template

BATCHED_ACTIONS = {"sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"}
GROUP_OF_SCHEDULE = re.compile(r"(:schedule/)[^/]+/")
FUNCTION_OF_URI = re.compile(r"\$\{(\w+)\.Arn\}")


def api_id(emulator: Emulator) -> str:
    return physical_id(emulator, "HttpApi")


def connect_routes(emulator: Emulator) -> None:
    """Make the routes, which the emulator misses: SAM writes them into the API's OpenAPI body."""
    wanted = deployed_routes(emulator)
    api, gateway = api_id(emulator), emulator.client("apigatewayv2")
    for route in _pages(gateway, "get_routes", api):
        gateway.delete_route(ApiId=api, RouteId=route["RouteId"])
    for integration in _pages(gateway, "get_integrations", api):
        gateway.delete_integration(ApiId=api, IntegrationId=integration["IntegrationId"])
    targets = {function: _integrate(emulator, api, function) for function in set(wanted.values())}
    for key, function in wanted.items():
        gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{targets[function]}")


def deployed_routes(emulator: Emulator) -> dict[str, str]:
    """Route key → logical id of the function, as SAM wrote them."""
    return dict(_routes_of(_deployed_template(emulator)))


def allow_plain_http(emulator: Emulator) -> None:
    """Lift the bucket's rule that only TLS may reach it: the emulator speaks HTTP, on loopback."""
    bucket = physical_id(emulator, "MediaBucket")
    emulator.client("s3").delete_bucket_policy(Bucket=bucket)


def bound_by_numbers(emulator: Emulator) -> None:
    """Say how many batches of a queue may run at once: what a parameter says stays a text there."""
    client = emulator.client("lambda")
    for page in client.get_paginator("list_event_source_mappings").paginate():
        for mapping in page["EventSourceMappings"]:
            bound = {"MaximumConcurrency": int(mapping["ScalingConfig"]["MaximumConcurrency"])}
            client.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig=bound)


def allow_as_asked(emulator: Emulator) -> None:
    """Word the roles' rights as the emulator asks for them.

    Where IAM has one action for a call and its batch form, as SQS has, it asks for two. And it takes every
    schedule for one of the default group, whichever the call names.
    """
    iam = emulator.client("iam")
    for role in _roles(emulator):
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            policy = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for statement in policy["Statement"]:
                statement["Action"] = _with_batches(statement["Action"])
                statement["Resource"] = _in_default_group(statement["Resource"])
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))


def _with_batches(actions: str | list[str]) -> list[str]:
    listed = [actions] if isinstance(actions, str) else actions
    return [*listed, *(f"{action}Batch" for action in listed if action in BATCHED_ACTIONS)]


def _in_default_group(resources: str | list[str]) -> list[str]:
    listed = [resources] if isinstance(resources, str) else resources
    return [GROUP_OF_SCHEDULE.sub(r"\1default/", resource) for resource in listed]


def _roles(emulator: Emulator) -> list[str]:
    resources = emulator.client("cloudformation").describe_stack_resources(StackName=STACK)
    return [
        found["PhysicalResourceId"]
        for found in resources["StackResources"]
        if found["ResourceType"] == "AWS::IAM::Role"
    ]


def _deployed_template(emulator: Emulator) -> dict[str, Any]:
    body = emulator.client("cloudformation").get_template(StackName=STACK, TemplateStage="Processed")
    template = body["TemplateBody"]
    parsed: dict[str, Any] = parse_template(template) if isinstance(template, str) else template
    return parsed


def _routes_of(template: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Pairs of a route's key and its function's logical id."""
    for path, methods in template["Resources"]["HttpApi"]["Properties"]["Body"]["paths"].items():
        for method, operation in methods.items():
            uri = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
            function = FUNCTION_OF_URI.search(uri)
            assert function is not None, uri  # noqa: S101 - SAM's own form
            yield f"{method.upper()} {path}", function[1]


def _integrate(emulator: Emulator, api: str, function: str) -> str:
    name = physical_id(emulator, function)
    arn = emulator.client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
    made = emulator.client("apigatewayv2").create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationMethod="POST",
        IntegrationUri=arn,
        PayloadFormatVersion="2.0",
    )
    return str(made["IntegrationId"])


def _pages(gateway: Any, operation: str, api: str) -> list[dict[str, Any]]:
    pages = gateway.get_paginator(operation).paginate(ApiId=api)
    return [item for page in pages for item in page["Items"]]
