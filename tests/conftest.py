"""What many tests share: an environment like a deployment's, and an AWS in this process.

The credentials are made up and every address is moto's, so that no test can reach a real account.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import settings
from moto import mock_aws
from moto.backends import get_backend
from moto.core.models import botocore_stubber

from shared import aws
from shared.storage.tables import TABLES

if TYPE_CHECKING:
    from moto.sqs.models import Queue
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from tests.postgres import Postgres

# Properties are about what holds, not how fast: other tests share the cores.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

_REGION: Final = "eu-central-1"
_ACCOUNT: Final = "123456789012"
_QUEUES = f"https://sqs.{_REGION}.amazonaws.com/{_ACCOUNT}"

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": _REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "BOTS_TABLE": "parley-bots",
    "CREDENTIALS_TABLE": "parley-credentials",
    "SCENARIOS_TABLE": "parley-scenarios",
    "REVISIONS_TABLE": "parley-revisions",
    "DIALOGS_TABLE": "parley-dialogs",
    "HISTORY_TABLE": "parley-history",
    "MEDIA_TABLE": "parley-media-files",
    "SETTINGS_TABLE": "parley-settings",
    "USAGE_TABLE": "parley-usage",
    "REFUSALS_TABLE": "parley-refusals",
    "CACHE_TABLE": "parley-cache",
    "INBOUND_QUEUE_URL": f"{_QUEUES}/parley-inbound.fifo",
    "OUTBOUND_QUEUE_URL": f"{_QUEUES}/parley-outbound.fifo",
    "INBOUND_DLQ_URL": f"{_QUEUES}/parley-inbound-dead.fifo",
    "OUTBOUND_DLQ_URL": f"{_QUEUES}/parley-outbound-dead.fifo",
    "DELAYS_QUEUE_URL": f"{_QUEUES}/parley-delays",
    "TASKS_QUEUE_URL": f"{_QUEUES}/parley-tasks.fifo",
    "TASKS_DLQ_URL": f"{_QUEUES}/parley-tasks-dead.fifo",
    "SYNCS_QUEUE_URL": f"{_QUEUES}/parley-syncs.fifo",
    "SYNCS_DLQ_URL": f"{_QUEUES}/parley-syncs-dead.fifo",
    "EXPORTS_QUEUE_URL": f"{_QUEUES}/parley-exports.fifo",
    "EXPORTS_DLQ_URL": f"{_QUEUES}/parley-exports-dead.fifo",
    "DELETIONS_QUEUE_URL": f"{_QUEUES}/parley-deletions",
    "DELETIONS_DLQ_URL": f"{_QUEUES}/parley-deletions-dead",
    "RECEIPTS_QUEUE_URL": f"{_QUEUES}/parley-receipts",
    "RECEIPTS_DLQ_URL": f"{_QUEUES}/parley-receipts-dead",
    "UNPARSED_BUCKET": "parley-media",
    "SCHEDULE_GROUP": "parley-timers",
    "SCHEDULE_ROLE_ARN": f"arn:aws:iam::{_ACCOUNT}:role/parley-schedules",
    "SCHEDULE_TARGET_ARN": f"arn:aws:sqs:{_REGION}:{_ACCOUNT}:parley-inbound.fifo",
    "SCHEDULE_DLQ_ARN": f"arn:aws:sqs:{_REGION}:{_ACCOUNT}:parley-delays-dead",
    "HISTORY_KEY_ID": "alias/parley-history",
    "SETTINGS_KEY_ID": "alias/parley-settings",
    "MEDIA_BUCKET": "parley-media",
    "MEDIA_URL": "https://media.invalid",
    "CREDENTIALS_KEY_ID": "alias/parley-credentials",
    "TELEGRAM_API_URL": "https://telegram.invalid",
    "WHATSAPP_API_URL": "https://whatsapp.invalid",
    "WHATSAPP_API_VERSION": "v25.0",
    "VIBER_API_URL": "https://viber.invalid",
    "SUPABASE_URL": "https://supabase.invalid",
    "SUPABASE_JWT_SECRET_NAME": "/parley/jwt-secret",
    "LOG_LEVEL": "INFO",
}
os.environ.update(ENVIRONMENT)
for _name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
    os.environ.pop(_name, None)


BROWSER = "tests/webchat/browser/"

JUDGED = "tests/platforms/test_telegram"
"""What asks aiogram, whose import takes seconds."""

SLOW = (
    "tests/benchmarks/",
    "tests/infra/test_artifact.py",
    "tests/load/test_worlds.py",
    BROWSER,
    "tests/dialog/test_crash_safety.py",
    "tests/tasks/test_task_crashes.py",
    "tests/delivery/test_faults.py",
    "tests/delivery/test_files.py",
    "tests/delivery/test_first_send_safety.py",
    "tests/functions/",
    "tests/infra/test_scenario_cli.py",
    "tests/scenario/inputs/",
    "tests/standins/",
    "tests/llm/",
    "tests/platforms/test_fuzz.py",
    "tests/simulation/test_properties.py",
    "tests/scenario/test_linter_properties.py",
    "tests/platforms/test_limits.py",
    "tests/platforms/test_whatsapp_limits.py",
    "tests/platforms/test_against_standins.py",
    "tests/platforms/test_telegram_limits.py",
    "tests/platforms/test_telegram_standin.py::test_no_message_with_files",
    "tests/admin_api/test_idempotency.py",
    "tests/deletion/",
    "tests/dialog/test_deletion.py",
    "tests/infra/test_openapi.py",
    "tests/results/",
    "tests/scenario/test_columns.py",
    "tests/storage/",
    "tests/backend/sync/",
    "tests/backend/test_auth.py",
    "tests/connecting/test_against_standins.py",
    "tests/delivery/test_transport.py",
    "tests/infra/test_embedded_run.py",
    "tests/infra/test_proxy.py",
    "tests/infra/test_telegram_polling.py",
    "tests/media/test_received.py",
    "tests/media/test_store.py",
    "tests/test_aws.py",
    "tests/webhook/test_welcome.py",
)
"""What needs a benchmark, a browser, a build, hundreds of examples, or a table for every line."""

QUICK_LEAVES_OUT = {*SLOW, "tests/deployed/"}

TOGETHER = SLOW[:3]
"""With the deployed tests: what shares a build or a deployment, and so stays in one process."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even read what is slow as a whole, where that is not wanted."""
    if "not slow" not in config.option.markexpr:
        return None
    path = collection_path.relative_to(config.rootpath).as_posix()
    return path in QUICK_LEAVES_OUT or f"{path}/" in QUICK_LEAVES_OUT or None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tell what is slow, and keep together what shares a deployment, a build, or a browser.

    First of all: pytest-xdist reads the groups in the same hook.
    """
    for item in items:
        asks_postgres = "postgres" in getattr(item, "fixturenames", ())
        if item.nodeid.startswith(SLOW) or asks_postgres:
            item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("deployed") or item.nodeid.startswith(TOGETHER):
            item.add_marker(pytest.mark.xdist_group("dear"))
        elif item.nodeid.startswith(BROWSER):
            item.add_marker(pytest.mark.xdist_group("browser"))
        elif item.nodeid.startswith(JUDGED):
            item.add_marker(pytest.mark.xdist_group("judged"))
        elif asks_postgres:
            item.add_marker(pytest.mark.xdist_group("postgres"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL, started when first asked for; whoever asks is slow, and runs in one process."""
    from tests.postgres import running_postgres  # noqa: PLC0415 - its driver is dear, and few need it

    with running_postgres() as server:
        yield server


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """The name of an empty database of it."""
    with postgres.database() as name:
        yield name


@dataclass(frozen=True)
class Aws:
    """The clients that our own code uses, over an account with Parley's resources in it."""

    dynamodb: DynamoDBClient
    sqs: SQSClient
    kms: KMSClient
    s3: S3Client
    inbound: str = ENVIRONMENT["INBOUND_QUEUE_URL"]
    outbound: str = ENVIRONMENT["OUTBOUND_QUEUE_URL"]
    inbound_dlq: str = ENVIRONMENT["INBOUND_DLQ_URL"]
    outbound_dlq: str = ENVIRONMENT["OUTBOUND_DLQ_URL"]
    delays: str = ENVIRONMENT["DELAYS_QUEUE_URL"]
    tasks: str = ENVIRONMENT["TASKS_QUEUE_URL"]
    tasks_dlq: str = ENVIRONMENT["TASKS_DLQ_URL"]
    syncs: str = ENVIRONMENT["SYNCS_QUEUE_URL"]
    syncs_dlq: str = ENVIRONMENT["SYNCS_DLQ_URL"]
    exports: str = ENVIRONMENT["EXPORTS_QUEUE_URL"]
    exports_dlq: str = ENVIRONMENT["EXPORTS_DLQ_URL"]
    deletions: str = ENVIRONMENT["DELETIONS_QUEUE_URL"]
    deletions_dlq: str = ENVIRONMENT["DELETIONS_DLQ_URL"]
    receipts: str = ENVIRONMENT["RECEIPTS_QUEUE_URL"]
    receipts_dlq: str = ENVIRONMENT["RECEIPTS_DLQ_URL"]
    bucket: str = ENVIRONMENT["MEDIA_BUCKET"]


@dataclass(frozen=True)
class Call:
    """One call to AWS, as our code made it."""

    service: str
    operation: str
    params: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


@pytest.fixture
def aws_account() -> Iterator[Aws]:
    """An empty account but for the tables, the queues, the key and the bucket of Parley.

    Tables, keys and queues are dear to make, so they are kept from test to test, and only emptied.
    """
    mock = mock_aws()
    mock.start(reset=False)
    account = Aws(aws.client("dynamodb"), aws.client("sqs"), aws.client("kms"), aws.client("s3"))
    try:
        with _one_request_at_a_time(), _no_scan(account):
            _empty(account)
            yield account
    finally:
        mock.stop(remove_data=False)


@contextmanager
def empty_tables() -> Iterator[None]:
    """The tables of Parley alone, for whoever begins with empty ones many times over."""
    mock = mock_aws()
    mock.start(reset=False)
    try:
        _empty_tables(aws.client("kms"))
        yield
    finally:
        mock.stop(remove_data=False)


def _empty(account: Aws) -> None:
    for service in ("sqs", "s3", "ssm"):
        for regions in get_backend(service).values():
            for backend in regions.values():
                backend.reset()
    _empty_tables(account.kms)
    _put_queues(account)
    account.s3.create_bucket(Bucket=account.bucket, CreateBucketConfiguration={"LocationConstraint": _REGION})


def _empty_tables(kms: KMSClient) -> None:
    tables = get_backend("dynamodb")[_ACCOUNT][_REGION].tables
    if len(tables) == len(TABLES):
        for table in tables.values():
            table.items.clear()
    else:
        _create_tables_and_keys(kms)


def _create_tables_and_keys(kms: KMSClient) -> None:
    """Anew, whatever is there: another test's own AWS may have left it in parts."""
    for service in ("dynamodb", "kms"):
        get_backend(service)[_ACCOUNT][_REGION].reset()
    for table in TABLES:
        table.create_table(billing_mode="PAY_PER_REQUEST")
    for variable in ("CREDENTIALS_KEY_ID", "HISTORY_KEY_ID", "SETTINGS_KEY_ID"):
        _create_key(kms, ENVIRONMENT[variable])


@contextmanager
def _one_request_at_a_time() -> Iterator[None]:
    """AWS checks a condition and writes in one step. moto does so only while no other thread gets in."""
    process, lock = botocore_stubber.process_request, RLock()

    def process_alone(request: Any) -> Any:
        with lock:
            return process(request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore_stubber, "process_request", process_alone)
        yield


def items_of(variable: str) -> list[dict[str, Any]]:
    """All that lies in the table which the variable names, as DynamoDB itself has it."""
    table = get_backend("dynamodb")[_ACCOUNT][_REGION].tables[ENVIRONMENT[variable]]
    return [item.to_json()["Attributes"] for item in table.all_items()]


@contextmanager
def _no_scan(account: Aws) -> Iterator[None]:
    """A Scan reads a whole table: who makes one fails, even where somebody catches what is raised."""
    scanned: list[str] = []

    def refuse(params: dict[str, Any], **_: Any) -> None:
        scanned.append(params["TableName"])
        raise AssertionError(f"a Scan of {scanned[-1]}")

    events = account.dynamodb.meta.events
    events.register_first("provide-client-params.dynamodb.Scan", refuse, unique_id="no scan")
    yield
    events.unregister("provide-client-params.dynamodb.Scan", unique_id="no scan")
    assert scanned == []


@pytest.fixture
def aws_calls(aws_account: Aws) -> Iterator[list[Call]]:
    """Every call that is made from now on through the clients of `shared.aws`; clear it at will."""
    made: list[Call] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        made.append(Call(model.service_model.service_name, model.name, params))

    clients: tuple[Any, ...] = (
        aws_account.dynamodb,
        aws_account.sqs,
        aws_account.kms,
        aws_account.s3,
        aws.client("scheduler"),
    )
    for client in clients:
        client.meta.events.register_last("provide-client-params.*.*", note, unique_id="note")
    yield made
    for client in clients:
        client.meta.events.unregister("provide-client-params.*.*", unique_id="note")


_empty_queues: dict[str, Queue] = {}
"""As they were made first; tests get copies to fill, change and delete."""


def _put_queues(account: Aws) -> None:
    queues = get_backend("sqs")[_ACCOUNT][_REGION].queues
    if not _empty_queues:
        _create_queues(account)
        _empty_queues.update(queues)
    locks = (queue._messages_lock for queue in _empty_queues.values())
    queues.update(deepcopy(_empty_queues, {id(lock): lock for lock in locks}))


def _create_queues(account: Aws) -> None:
    for url, dlq in (
        (account.inbound, account.inbound_dlq),
        (account.outbound, account.outbound_dlq),
        (account.tasks, account.tasks_dlq),
        (account.syncs, account.syncs_dlq),
        (account.exports, account.exports_dlq),
    ):
        _create_queue(account.sqs, dlq)
        _create_queue(account.sqs, url)
        target = f"arn:aws:sqs:{_REGION}:{_ACCOUNT}:{dlq.rsplit('/', 1)[1]}"
        redrive = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 1000})
        account.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": redrive})
    for url in (
        account.delays,
        account.deletions,
        account.deletions_dlq,
        account.receipts,
        account.receipts_dlq,
    ):
        account.sqs.create_queue(QueueName=url.rsplit("/", 1)[1])


def _create_queue(sqs: SQSClient, url: str) -> None:
    created = sqs.create_queue(
        QueueName=url.rsplit("/", 1)[1],
        Attributes={
            "FifoQueue": "true",
            "ContentBasedDeduplication": "true",
            "DeduplicationScope": "messageGroup",
            "FifoThroughputLimit": "perMessageGroupId",
            "VisibilityTimeout": "180",
        },
    )
    assert created["QueueUrl"] == url


def _create_key(kms: KMSClient, alias: str) -> None:
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=alias, TargetKeyId=key_id)
