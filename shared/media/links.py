"""Where files lie in the store, and the public addresses of those of a library.

Both are one path, so that what stands in front of the bucket needs to know nothing else.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from urllib.parse import quote

from shared.platforms import PLATFORMS

_KEY_BYTES = 24
_VARIANTS = frozenset(f"{platform}.jpg" for platform in PLATFORMS)


def new_link_key() -> str:
    """What nobody guesses."""
    return secrets.token_urlsafe(_KEY_BYTES)


def folder_in_library(media_id: str) -> str:
    """What all that lies in the store of a library's file is under."""
    return f"media/{media_id}/"


def path_in_library(media_id: str, link_key: str, file_name: str) -> str:
    name = f"file-{file_name}" if file_name in _VARIANTS else file_name
    return f"{folder_in_library(media_id)}{link_key}/{name}"


def path_of_variant(media_id: str, link_key: str, platform: str) -> str:
    return f"{folder_in_library(media_id)}{link_key}/{platform}.jpg"


def path_of_upload(media_id: str) -> str:
    """Where a file is put that nobody has looked at yet."""
    return f"uploads/{media_id}"


def addresses_below(media_url: str) -> Callable[[str], str]:
    """Makes a path in the store a public address below that one."""
    return partial(_address, media_url.rstrip("/"))


def _address(base: str, path: str) -> str:
    return f"{base}/{quote(path)}"
