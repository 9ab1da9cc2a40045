"""What lies in buckets by bot, where files are kept in a store of somebody else's."""

from __future__ import annotations

from io import BytesIO

from shared.deletion.folders import Folders
from shared.media.store import S3Store
from tests.conftest import Aws


def test_exports_and_unread_updates_are_removed_from_the_deployment_s_own_bucket(aws_account: Aws) -> None:
    aws_account.s3.create_bucket(
        Bucket="foreign", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    foreign, own = (S3Store(lambda: aws_account.s3, name) for name in ("foreign", aws_account.bucket))
    for store, path in (
        (foreign, "received/b/d/m/a.png"),
        (own, "exports/b/e.csv"),
        (own, "unparsed/viber/b/u.json"),
        (own, "exports/another/e.csv"),
    ):
        store.put(path, BytesIO(b"x"), "text/plain")

    for _ in Folders(foreign, own).remove_of_bot("b"):
        pass

    assert (foreign.some_under(""), own.some_under("")) == ([], ["exports/another/e.csv"])
