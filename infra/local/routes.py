"""The emulator ignores an API's OpenAPI body, which is where SAM writes the routes: they are made here."""

import re
from collections.abc import Iterator
from typing import Any

from infra.local.deployment import STACK, physical_id
from infra.local.emulator import Emulator
from infra.local.template import parse_template

FUNCTION_OF_URI = re.compile(r"\$\{(\w+)\.Arn\}")


def api_id(emulator: Emulator) -> str:
    return physical_id(emulator, "HttpApi")


def connect_routes(emulator: Emulator) -> int:
    """Give the deployed API the routes of the deployed template; return how many."""
    wanted = dict(_routes_of(_deployed_template(emulator)))
    api, gateway = api_id(emulator), emulator.client("apigatewayv2")
    for route in _pages(gateway, "get_routes", api):
        gateway.delete_route(ApiId=api, RouteId=route["RouteId"])
    for integration in _pages(gateway, "get_integrations", api):
        gateway.delete_integration(ApiId=api, IntegrationId=integration["IntegrationId"])
    targets = {function: _integrate(emulator, api, function) for function in set(wanted.values())}
    for key, function in wanted.items():
        gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{targets[function]}")
    return len(wanted)


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
