from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

from shared import aws


@pytest.fixture
def forgetful() -> Iterator[None]:
    """Clients made for this test alone; those of other tests are made anew."""
    aws.reset()
    yield
    aws.reset()


@pytest.mark.usefixtures("forgetful")
def test_threads_get_one_client_of_a_service() -> None:
    with ThreadPoolExecutor(8) as pool:
        clients = set(map(id, pool.map(aws.client, ["sqs"] * 32)))

    assert len(clients) == 1


@pytest.mark.usefixtures("forgetful")
def test_there_is_one_session() -> None:
    session = aws.session()

    aws.client("sqs")
    aws.client("kms")

    assert aws.session() is session


@pytest.mark.usefixtures("forgetful")
def test_a_client_gives_up_within_a_workers_time() -> None:
    config: Any = aws.client("sqs").meta.config

    tries = config.retries["total_max_attempts"]
    assert tries * (config.connect_timeout + config.read_timeout) <= 12


@pytest.mark.usefixtures("forgetful")
def test_a_client_calls_the_endpoint_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")

    assert aws.client("sqs").meta.endpoint_url == "http://127.0.0.1:4566"


@pytest.mark.usefixtures("forgetful")
def test_making_a_client_does_not_look_through_all_services(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_into: list[str] = []
    listdir = os.listdir

    def look(path: str) -> list[str]:
        looked_into.append(path)
        return listdir(path)

    monkeypatch.setattr(os, "listdir", look)

    aws.client("sqs")

    assert looked_into
    assert all("sqs" in path for path in looked_into)


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("service", ["dynamodb", "kms", "s3", "scheduler", "sqs", "ssm", "sts"])
@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1", "paginators-1"])
def test_descriptions_are_read_as_botocore_reads_them(service: str, kind: str) -> None:
    ours = aws.session().get_component("data_loader")

    assert ours.load_service_model(service, kind) == Loader().load_service_model(service, kind)
    assert ours.load_data("endpoints") == Loader().load_data("endpoints")


@pytest.mark.usefixtures("forgetful")
def test_a_service_that_is_not_used_is_told() -> None:
    with pytest.raises(UnknownServiceError, match="ec2"):
        aws.client("ec2")
