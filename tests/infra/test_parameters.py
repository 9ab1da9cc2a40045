"""What a deployer is told before anything is made: parameters that cannot be, or do not go together."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.infra.template import Template

SIGNED = {"SupabaseJwtSecret": "/parley/secret"}
STORE = {"MediaEndpointUrl": "https://store.example", "MediaCdn": "off", "PublicUrl": "https://bots.example"}
WHOLE_STORE = {**STORE, "MediaBucketName": "b", "MediaRegion": "r", "MediaCredentials": "/parley/store"}


def _holds(condition: Any, given: dict[str, str]) -> Any:
    """A condition of CloudFormation's, with these parameters."""
    if not isinstance(condition, dict):
        return condition
    [(function, arguments)] = condition.items()
    if function == "Ref":
        return given[arguments]
    values = [_holds(each, given) for each in arguments]
    match function.removeprefix("Fn::"):
        case "Equals":
            return values[0] == values[1]
        case "Not":
            return not values[0]
        case "And":
            return all(values)
        case "Or":
            return any(values)
    raise AssertionError(function)


def _broken(template: Template, parameters: dict[str, str]) -> set[str]:
    declared = template.document["Parameters"]
    given = {name: str(each.get("Default", "")) for name, each in declared.items()} | parameters
    return {
        name
        for name, rule in template.document["Rules"].items()
        if _holds(rule.get("RuleCondition", True), given)
        and not all(_holds(each["Assert"], given) for each in rule["Assertions"])
    }


@pytest.mark.parametrize(
    ("parameters", "broken"),
    [
        ({}, {"AdminsAreKnown"}),
        (SIGNED, set()),
        ({"SupabaseUrl": "https://project.example"}, set()),
        ({**SIGNED, "MembershipsTable": "members"}, {"MembershipsHaveADatabase"}),
        ({**SIGNED, "MediaCdn": "off"}, {"PublicLinksHaveAnAddress"}),
        ({**SIGNED, **STORE}, {"StoreIsWhole"}),
        ({**SIGNED, **WHOLE_STORE, "MediaRegion": ""}, {"StoreIsWhole"}),
        ({**SIGNED, **WHOLE_STORE}, set()),
        ({**SIGNED, "HostedZoneId": "Z1"}, {"ZoneHasADomain"}),
        ({**SIGNED, "HostedZoneId": "Z1", "DomainName": "bots.example"}, set()),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(
    template: Template, parameters: dict[str, str], broken: set[str]
) -> None:
    assert _broken(template, parameters) == broken


@pytest.mark.parametrize(
    ("parameter", "value", "fits"),
    [
        ("PublicUrl", "", True),
        ("PublicUrl", "https://bots.example/parley", True),
        ("PublicUrl", "http://127.0.0.1:8000", True),
        ("PublicUrl", "bots.example", False),
        ("SupabaseUrl", "https://project.supabase.co", True),
        ("SupabaseUrl", "project.supabase.co", False),
        ("TelegramApiUrl", "https://api.telegram.org", True),
        ("TelegramApiUrl", "", False),
        ("ViberApiUrl", "chatapi.viber.com", False),
        ("WhatsAppApiUrl", "https://graph.facebook.com v25.0", False),
        ("DomainName", "bots.example", True),
        ("DomainName", "https://bots.example", False),
    ],
)
def test_an_address_is_looked_at_before_anything_is_made(
    template: Template, parameter: str, value: str, *, fits: bool
) -> None:
    pattern = template.document["Parameters"][parameter]["AllowedPattern"]
    assert (re.fullmatch(pattern, value) is not None) is fits
