"""The bytes of files in S3, or in any store that speaks like it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from shared import aws
from shared.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from shared.settings import MediaSettings

_DELETED_AT_ONCE = 1000
"""As many keys S3 takes in a call."""

_MISSING = frozenset({"NoSuchKey", "NotFound", "404"})


class S3Store:
    """A bucket; fulfils `ObjectStore`. `connect` gives its client, when one is first needed."""

    def __init__(self, connect: Callable[[], S3Client], bucket: str) -> None:
        self._connect = connect
        self._bucket = bucket

    def put(self, path: str, body: IO[bytes], content_type: str, *, file_name: str = "") -> None:
        named = {"ContentDisposition": disposition_of(file_name)} if file_name else {}
        self._connect().put_object(
            Bucket=self._bucket, Key=path, Body=body, ContentType=content_type, **cast("Any", named)
        )

    def open(self, path: str) -> IO[bytes]:
        try:
            answer = self._connect().get_object(Bucket=self._bucket, Key=path)
        except ClientError as error:
            if _is_missing(error):
                raise NotFound("the file") from None
            raise
        return cast("IO[bytes]", answer["Body"])

    def size(self, path: str) -> int | None:
        try:
            return self._connect().head_object(Bucket=self._bucket, Key=path)["ContentLength"]
        except ClientError as error:
            if _is_missing(error):
                return None
            raise

    def delete(self, paths: Iterable[str]) -> None:
        keys = list(paths)
        for first in range(0, len(keys), _DELETED_AT_ONCE):
            self._delete(keys[first : first + _DELETED_AT_ONCE])

    def some_under(self, folder: str) -> list[str]:
        """The paths of up to a thousand objects whose paths begin so; none, if there is none."""
        answer = self._connect().list_objects_v2(Bucket=self._bucket, Prefix=folder, MaxKeys=_DELETED_AT_ONCE)
        return [each["Key"] for each in answer.get("Contents", [])]

    def link_to(self, path: str, seconds: int, *, file_name: str = "") -> str:
        asked = {"Bucket": self._bucket, "Key": path}
        if file_name:
            asked["ResponseContentDisposition"] = disposition_of(file_name)
        return self._link("get_object", asked, seconds)

    def link_for_upload(
        self, path: str, content_type: str, size: int, seconds: int
    ) -> tuple[str, Mapping[str, str]]:
        signed = {"ContentType": content_type, "ContentLength": size}
        url = self._link("put_object", {"Bucket": self._bucket, "Key": path, **signed}, seconds)
        return url, {"Content-Type": content_type, "Content-Length": str(size)}

    def _delete(self, keys: list[str]) -> None:
        wanted = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        answer = self._connect().delete_objects(Bucket=self._bucket, Delete=cast("Any", wanted))
        if answer.get("Errors"):
            raise Unavailable("the store of files", retry_after_seconds=5)

    def _link(self, operation: str, asked: Mapping[str, Any], seconds: int) -> str:
        link: str = self._connect().generate_presigned_url(operation, Params=asked, ExpiresIn=seconds)
        return link


def media_store(settings: MediaSettings) -> S3Store:
    """The store that a deployment names; without a foreign one, its own bucket."""
    return S3Store(partial(_client_of, settings), settings.media_bucket)


def disposition_of(file_name: str) -> str:
    """The header by which a browser saves a file under its name (RFC 6266)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in file_name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"


def _client_of(settings: MediaSettings) -> S3Client:
    name = settings.media_credentials_name
    return aws.store_client(
        settings.media_endpoint_url, settings.media_region, partial(_read_keys, name) if name else None
    )


def _read_keys(name: str) -> tuple[str, str]:
    """The access key and its secret that are kept in SSM. Raises `Unavailable`."""
    try:
        answer = aws.client("ssm").get_parameter(Name=name, WithDecryption=True)
    except (BotoCoreError, ClientError) as error:
        raise Unavailable("the store of files", retry_after_seconds=15) from error
    key, _, secret = answer["Parameter"]["Value"].partition(":")
    return key, secret


def _is_missing(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in _MISSING
