"""Tell the messengers the webhooks of all bots anew: after the API has got another address.

    python -m infra.register            of the stack `parley`, with the shell's AWS credentials
    python -m infra.register --stack NAME --url https://chat.example.com --again

What the stack says of itself is the address, unless `--url` does. A connection that was registered there
already is passed over, so what was broken off goes on where it stopped; `--again` passes over none.
Bots and connections that are switched off are left alone.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from infra.stack import outputs_of, parameters_of
from shared import aws
from shared.connecting.performing import Report, told_of
from shared.connecting.registrar import Registrar, webhook_url
from shared.credential import Credential
from shared.platforms import MessengerAddresses
from shared.storage.credentials import DynamoCredentials

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

AT_ONCE = 4
TRIES = 4
LONGEST_WAIT_SECONDS = 300.0
SHORTEST_WAIT_SECONDS = 2.0

OUTPUTS = {
    "BotInstanceTable": "BOTS_TABLE",
    "BotPlatformCredentialTable": "CREDENTIALS_TABLE",
    "CredentialsKeyId": "CREDENTIALS_KEY_ID",
}
"""What the stack tells, and the variable in which the repositories look for it."""


class Connection(NamedTuple):
    """A bot on a platform, and the webhook that was registered last, if that went well."""

    bot_id: str
    platform: str
    registered: str


def connections(dynamodb: DynamoDBClient, table: str) -> Iterator[Connection]:
    """Every connection of the deployment. Only a command reads a whole table: no Lambda may."""
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        ProjectionExpression="bot_id, platform, health",
        FilterExpression="attribute_exists(health)",
    )
    for page in pages:
        for item in page["Items"]:
            health = msgspec.json.decode(item["health"]["S"], type=dict[str, Any])
            registered = health.get("webhook_url", "") if health.get("status") == "ok" else ""
            yield Connection(item["bot_id"]["S"], item["platform"]["S"], registered)


@dataclass(frozen=True)
class Registration:
    """Registers connections one by one; `reveal` finds a bot's credential on a platform."""

    registrar: Registrar
    reveal: Callable[[str, str], Credential | None]
    base_url: str
    again: bool = False
    sleep: Callable[[float], None] = time.sleep

    def run(self, found: Iterable[Connection]) -> Iterator[tuple[Connection, str]]:
        """Each connection and what became of it, in order; a few at once."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield from pool.map(lambda each: (each, self._outcome(each)), found)

    def _outcome(self, found: Connection) -> str:
        try:
            return self._register(found)
        except Exception as error:  # noqa: BLE001 (one bot's fault is not the others')
            return f"left: {type(error).__name__}"

    def _register(self, found: Connection) -> str:
        url = webhook_url(self.base_url, found.platform, found.bot_id)
        if found.registered == url and not self.again:
            return "registered before"
        credential = self.reveal(found.bot_id, found.platform)
        if credential is None or not credential.is_active:
            return "switched off"
        failed = self._connected(credential).failure
        return f"left: {told_of(failed)['detail']}" if failed else "registered"

    def _connected(self, credential: Credential) -> Report:
        """The last of some tries: what may pass is waited for as long as the messenger asks."""
        for wait in (SHORTEST_WAIT_SECONDS * 2**n for n in range(TRIES - 1)):
            report, _ = self.registrar.connect(credential, self.base_url)
            failed = report.failure
            if failed is None or failed.reading.answered != "later":
                return report
            asked = failed.reading.retry_after_seconds or 0.0
            self.sleep(min(max(wait, asked), LONGEST_WAIT_SECONDS))
        return self.registrar.connect(credential, self.base_url)[0]


def addresses_of(parameters: Mapping[str, str]) -> MessengerAddresses:
    """Where the stack's messengers are."""
    return MessengerAddresses(
        parameters["TelegramApiUrl"],
        parameters["WhatsAppApiUrl"],
        parameters["WhatsAppApiVersion"],
        parameters["ViberApiUrl"],
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stack", default="parley")
    parser.add_argument("--url", default="")
    parser.add_argument("--again", action="store_true")
    arguments = parser.parse_args()
    outputs = outputs_of(arguments.stack)
    os.environ |= {variable: outputs[output] for output, variable in OUTPUTS.items()}
    base_url = arguments.url or outputs["ApiUrl"]
    credentials = DynamoCredentials(aws.client("kms"))
    registrar = Registrar(addresses_of(parameters_of(arguments.stack)), credentials)
    registration = Registration(registrar, credentials.reveal, base_url, arguments.again)
    return _tell(base_url, registration.run(_connections(outputs)))


def _connections(outputs: Mapping[str, str]) -> Iterator[Connection]:
    """Those that are told of a webhook at all."""
    found = connections(aws.client("dynamodb"), outputs["BotPlatformCredentialTable"])
    return (each for each in found if each.platform != "webchat")


def _tell(base_url: str, outcomes: Iterable[tuple[Connection, str]]) -> int:
    """A line for each; the exit code says whether any was left."""
    print(f"{base_url}/api/webhook/…")  # noqa: T201 (a command's own words)
    left = 0
    for found, outcome in outcomes:
        left += outcome.startswith("left")
        print(f"{found.bot_id} {found.platform}: {outcome}", flush=True)  # noqa: T201
    print(f"{left} left: run it again" if left else "done")  # noqa: T201
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
