from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import Request

from shared.admin_api.address import base_url_of
from shared.errors import Conflict


def request(public_url: str, context: dict[str, Any] | None) -> Request:
    event = {} if context is None else {"aws.event": {"requestContext": context}}
    app = SimpleNamespace(state=SimpleNamespace(public_url=public_url))
    return Request({"type": "http", "app": app, "headers": [(b"host", b"evil.example")], **event})


@pytest.mark.parametrize(
    ("public_url", "context", "found"),
    [
        ("https://chat.example.com", {"domainName": "abc.execute-api.aws"}, "https://chat.example.com"),
        ("https://chat.example.com/", None, "https://chat.example.com"),
        ("", {"domainName": "abc.execute-api.aws"}, "https://abc.execute-api.aws"),
    ],
)
def test_the_deployment_s_address_comes_before_that_of_the_gateway(
    public_url: str, context: dict[str, Any] | None, found: str
) -> None:
    assert base_url_of(request(public_url, context)) == found


@pytest.mark.parametrize("context", [None, {}, {"domainName": ""}])
def test_no_header_stands_in_for_it(context: dict[str, Any] | None) -> None:
    with pytest.raises(Conflict, match="PublicUrl"):
        base_url_of(request("", context))
