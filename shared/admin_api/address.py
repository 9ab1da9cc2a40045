"""Where this API is to be reached from outside."""

from __future__ import annotations

from fastapi import Request

from shared.errors import Conflict

_UNKNOWN = "The address of this API is not known here. Deploy with the parameter PublicUrl."


def base_url_of(request: Request) -> str:
    """The address that the deployment names, else the domain by which API Gateway was reached.

    Never the header Host: whoever calls writes that. Raises `Conflict` where there is neither.
    """
    named: str = request.app.state.public_url
    context = request.scope.get("aws.event", {}).get("requestContext", {})
    domain = context.get("domainName")
    if not (named or domain):
        raise Conflict(_UNKNOWN)
    return named.rstrip("/") or f"https://{domain}"
