"""Headers of a scenario's requests."""

from __future__ import annotations

OURS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Those that say where and how a request is sent, not what it says: no scenario sets them."""
