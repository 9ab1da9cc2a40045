"""Files that grow part by part in S3, over as many invocations as they take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from shared.errors import UploadLost

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LOST: Final = frozenset({"NoSuchUpload", "InvalidPart", "InvalidPartOrder", "EntityTooSmall"})


class S3Uploads:
    """Multipart uploads to a bucket. `connect` gives its client, when one is first needed."""

    def __init__(self, connect: Callable[[], S3Client], bucket: str) -> None:
        self._connect = connect
        self._bucket = bucket

    def begin(self, path: str, content_type: str) -> str:
        """The id of a new upload. One that is forgotten is removed by the bucket after some days."""
        answer = self._connect().create_multipart_upload(
            Bucket=self._bucket, Key=path, ContentType=content_type
        )
        return answer["UploadId"]

    def put_part(self, path: str, upload_id: str, number: int, body: bytes) -> str:
        """The tag of the part, in the place of what was there under its number. Raises `UploadLost`."""
        with _lost():
            answer = self._connect().upload_part(
                Bucket=self._bucket, Key=path, UploadId=upload_id, PartNumber=number, Body=body
            )
        return answer["ETag"]

    def complete(self, path: str, upload_id: str, tags: Sequence[str]) -> None:
        """Make the file of its parts. Raises `UploadLost`, also where that is done already."""
        with _lost():
            self._connect().complete_multipart_upload(
                Bucket=self._bucket,
                Key=path,
                UploadId=upload_id,
                MultipartUpload={"Parts": [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(tags, 1)]},
            )

    def abort(self, path: str, upload_id: str) -> None:
        """Forget the parts; nothing, where they are forgotten already."""
        try:
            with _lost():
                self._connect().abort_multipart_upload(Bucket=self._bucket, Key=path, UploadId=upload_id)
        except UploadLost:
            return


@contextmanager
def _lost() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in _LOST:
            raise UploadLost from None
        raise
