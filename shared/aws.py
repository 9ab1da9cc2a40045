"""The AWS clients of this process: one botocore session, one client per service.

A client is dear to make and safe to share between threads; botocore reads `AWS_ENDPOINT_URL`, region
and credentials from the environment by itself.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal, overload

import botocore.session
import msgspec
from botocore.config import Config
from botocore.loaders import JSONFileLoader, Loader

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_sqs import SQSClient

_CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
)
"""Three tries fit into the shortest timeout of a worker; what still fails is redelivered by its queue."""

_SERVICES = ["dynamodb", "kms", "s3", "scheduler", "sqs", "ssm", "sts"]
"""All that Parley calls; `sts` for those whose credentials come by a role."""

_STORE_CONFIG = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 2},
    signature_version="s3v4",
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
"""For whole files. Checksums of AWS' own are not known to every store that speaks like S3."""


class _Files(JSONFileLoader):
    """Reads botocore's descriptions of services. Its own way of decoding them takes seven times as long."""

    def load_file(self, file_path: str) -> Any:
        for ending, opened in ((".json", open), (".json.gz", gzip.open)):
            try:
                with opened(file_path + ending, "rb") as file:
                    return msgspec.json.decode(file.read())
            except FileNotFoundError:
                continue
        return None


class _Loader(Loader):
    """Knows which services there are. botocore would look through the folders of all its 400 to see if
    one exists, which is half of the time that the first client takes.
    """

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - as the base has it
        return _SERVICES


_STORE = "store of files"
_lock = RLock()
_clients: dict[str, Any] = {}
_session: botocore.session.Session | None = None


def session() -> botocore.session.Session:
    """The one session; making it reads the environment, so it is made when first needed."""
    global _session  # noqa: PLW0603 - a cache for the life of the process
    with _lock:
        if _session is None:
            _session = botocore.session.get_session()
            _session.register_component("data_loader", _Loader(file_loader=_Files()))
        return _session


@overload
def client(service: Literal["dynamodb"]) -> DynamoDBClient: ...
@overload
def client(service: Literal["kms"]) -> KMSClient: ...
@overload
def client(service: Literal["s3"]) -> S3Client: ...
@overload
def client(service: Literal["scheduler"]) -> EventBridgeSchedulerClient: ...
@overload
def client(service: Literal["sqs"]) -> SQSClient: ...
@overload
def client(service: str) -> Any: ...
def client(service: str) -> Any:
    """The one client of a service. Making one is not safe between threads, hence the lock."""
    found = _clients.get(service)
    if found is None:
        with _lock:
            if service not in _clients:
                _clients[service] = session().create_client(service, config=_CONFIG)
            found = _clients[service]
    return found


def store_client(endpoint_url: str, region: str, keys: Callable[[], tuple[str, str]] | None) -> S3Client:
    """The one client of the store of files: AWS' own, or, at another endpoint, one that takes paths.

    `keys` reads the access key and its secret, where they are not the Lambda's own.
    """
    with _lock:
        if _STORE not in _clients:
            key, secret = keys() if keys else (None, None)
            paths = Config(s3={"addressing_style": "path"}) if endpoint_url else Config()
            _clients[_STORE] = session().create_client(
                "s3",
                region_name=region or None,
                endpoint_url=endpoint_url or None,
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                config=_STORE_CONFIG.merge(paths),
            )
        store: S3Client = _clients[_STORE]
        return store


def reset() -> None:
    """Forget session and clients, for a test that changes the environment."""
    global _session  # noqa: PLW0603
    with _lock:
        _session = None
        _clients.clear()
