"""The bytes of files, in S3 and in what speaks like it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from moto.server import ThreadedMotoServer

from shared import aws
from shared.errors import NotFound, Unavailable
from shared.media.store import S3Store, disposition_of, media_store
from shared.settings import MediaSettings
from tests.conftest import Aws

PATH = "media/1/k/схема 1.png"


@pytest.fixture
def store(aws_account: Aws) -> S3Store:
    return S3Store(lambda: aws_account.s3, aws_account.bucket)


def test_what_is_put_is_there_until_it_is_deleted(store: S3Store) -> None:
    store.put(PATH, io.BytesIO(b"bytes"), "image/png")

    assert store.size(PATH) == 5
    assert store.open(PATH).read() == b"bytes"

    store.delete([PATH, "never/there"])

    assert store.size(PATH) is None
    with pytest.raises(NotFound):
        store.open(PATH)


def test_any_number_of_objects_is_deleted(store: S3Store) -> None:
    paths = [f"received/{n}" for n in range(1001)]
    for path in (paths[0], paths[-1]):
        store.put(path, io.BytesIO(b"x"), "text/plain")

    store.delete(paths)
    store.delete([])

    assert [store.size(paths[0]), store.size(paths[-1])] == [None, None]


def test_a_folder_is_told_apart_from_others(store: S3Store) -> None:
    for path in ("received/a/1", "received/a/2", "received/b/1"):
        store.put(path, io.BytesIO(b"x"), "text/plain")

    assert store.some_under("received/a/") == ["received/a/1", "received/a/2"]
    assert store.some_under("received/c/") == []


def test_an_object_says_what_it_is_and_how_to_save_it(store: S3Store, aws_account: Aws) -> None:
    store.put("a", io.BytesIO(b"%PDF"), "application/pdf", file_name='план "1".pdf')

    head = aws_account.s3.head_object(Bucket=aws_account.bucket, Key="a")

    assert head["ContentType"] == "application/pdf"
    assert head["ContentDisposition"] == disposition_of('план "1".pdf')


def test_a_name_in_a_header_cannot_become_another_header() -> None:
    assert disposition_of("a\r\nX: y") == "attachment; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y"
    assert disposition_of('я "a"\\.png') == (
        "attachment; filename=\"_ _a__.png\"; filename*=UTF-8''%D1%8F%20%22a%22%5C.png"
    )


@pytest.fixture(scope="module")
def other_store() -> Iterator[str]:
    """A store somewhere else that speaks like S3."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def foreign(other_store: str, aws_account: Aws) -> Iterator[S3Store]:
    aws.client("ssm").put_parameter(Name="/parley/store", Value="their-key:their:secret", Type="SecureString")
    settings = MediaSettings("theirs", other_store, "eu-west-1", "/parley/store")
    aws.reset()
    yield media_store(settings)
    aws.reset()


def test_another_store_is_reached_by_its_endpoint_with_its_own_keys(foreign: S3Store) -> None:
    link = urlsplit(foreign.link_to("media/1/k/a.png", 600))

    assert link.path == "/theirs/media/1/k/a.png"
    assert parse_qs(link.query)["X-Amz-Credential"][0].startswith("their-key/")
    assert "/eu-west-1/s3/" in parse_qs(link.query)["X-Amz-Credential"][0]


def test_without_its_keys_another_store_is_not_available(aws_account: Aws) -> None:
    aws.reset()
    store = media_store(MediaSettings("theirs", "http://127.0.0.1:1", "", "/parley/not-there"))

    with pytest.raises(Unavailable):
        store.link_to("a", 600)


def test_a_link_for_an_upload_is_for_that_many_bytes_of_that_type(store: S3Store) -> None:
    url, headers = store.link_for_upload("uploads/1", "video/mp4", 5_000_000, 900)

    asked = parse_qs(urlsplit(url).query)
    assert headers == {"Content-Type": "video/mp4", "Content-Length": "5000000"}
    assert asked["X-Amz-Expires"] == ["900"]
    assert asked["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]


def test_what_is_uploaded_and_read_by_links_is_the_same(other_store: str) -> None:
    aws.reset()
    settings = MediaSettings("shared", other_store, "us-east-1")
    store = media_store(settings)
    aws.store_client(other_store, "us-east-1", None).create_bucket(Bucket="shared")
    url, headers = store.link_for_upload("uploads/1", "text/plain", 5, 900)
    with httpx.Client(trust_env=False) as person:
        assert person.put(url, content=b"bytes", headers=headers).is_success
        link = store.link_to("uploads/1", 600, file_name="a.txt")
        answer = person.get(link)

    assert answer.content == b"bytes"
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["content-disposition"] == disposition_of("a.txt")
    aws.reset()
