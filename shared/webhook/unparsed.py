"""Where updates go that were authentic and yet broke the parser: kept raw, to be parsed after a fix."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class UnparsedUpdates:
    """A folder in the media bucket; the client is made only when it is needed, which is hardly ever."""

    def __init__(self, make_client: Callable[[], S3Client], bucket: str) -> None:
        self._make_client = make_client
        self._bucket = bucket

    def keep(self, platform: str, bot_id: str, body: bytes, received_at: datetime) -> str:
        """Store the body under `unparsed/{platform}/{bot_id}/{date}/{sha256}.json`, and name that key.

        A body kept before lands in the same place.
        """
        digest = hashlib.sha256(body).hexdigest()
        key = f"unparsed/{platform}/{bot_id}/{received_at:%Y-%m-%d}/{digest}.json"
        self._make_client().put_object(
            Bucket=self._bucket, Key=key, Body=body, ContentType="application/json"
        )
        return key
