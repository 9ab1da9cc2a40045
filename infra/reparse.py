"""Read again the updates that broke the parser, once the parser was mended and deployed.

    python -m infra.reparse            of the stack `parley`, with the shell's AWS credentials
    python -m infra.reparse --stack NAME

What can be read of an update now goes into the queues of events and receipts, and an update that was read
whole leaves the media bucket; one that still breaks, or of which a part does, stays. Running it twice does
no harm: an event that was applied before is known to its dialog, and a receipt only ever tells more.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from infra.stack import outputs_of
from shared import aws
from shared.credential import Credential
from shared.dialog.ports import InboundQueue, ReceiptQueue
from shared.platforms import adapter_for
from shared.platforms.base import WebhookRequest
from shared.queueing.producer import SqsInbound, SqsReceipts
from shared.storage.credentials import DynamoCredentials
from shared.webhook.body import decode
from shared.webhook.gateway import Call
from shared.webhook.intake import seal, seal_receipts

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

FOLDER = "unparsed/"

OUTPUTS = {
    "BotInstanceTable": "BOTS_TABLE",
    "BotPlatformCredentialTable": "CREDENTIALS_TABLE",
    "CredentialsKeyId": "CREDENTIALS_KEY_ID",
}
"""What the stack tells, and the variable in which the repositories look for it."""


@dataclass(frozen=True)
class Reparsing:
    """Reads every kept update; `reveal` finds a bot's credential on a platform."""

    s3: S3Client
    bucket: str
    reveal: Callable[[str, str], Credential | None]
    inbound: InboundQueue
    receipts: ReceiptQueue

    def run(self) -> Iterator[tuple[str, str]]:
        """Each kept update's key and what became of it."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=FOLDER)
        for page in pages:
            for item in page.get("Contents", []):
                yield item["Key"], self._reparse(item["Key"], item["LastModified"])

    def _reparse(self, key: str, received_at: datetime) -> str:
        _, platform, bot_id, *_ = key.split("/")
        credential = self.reveal(bot_id, platform)
        if credential is None:
            return "left: the bot is not connected any more"
        if not credential.is_active:
            return "left: the bot or its connection is switched off"
        body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        try:
            parsed = adapter_for(platform).parse(decode(body), credential, received_at)
            call = Call(bot_id, str(uuid4()), "", WebhookRequest("POST", {}, {}, body))
            envelopes, too_large = seal(parsed.events, call, credential, received_at)
            receipts = seal_receipts(parsed.receipts, call, credential)
        except Exception as error:  # noqa: BLE001 (a parser breaks as it likes)
            return f"left: still breaks the parser ({type(error).__name__})"
        if envelopes:
            self.inbound.send(envelopes)
        if receipts:
            self.receipts.send(receipts)
        told = f"{len(envelopes)} event(s), {len(receipts)} receipt(s)"
        if parsed.unreadable or too_large:
            return f"left: {told} read, and not the rest"
        self.s3.delete_object(Bucket=self.bucket, Key=key)
        return f"read: {told}"


def main() -> int:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--stack", default="parley")
    stack = arguments.parse_args().stack
    outputs = outputs_of(stack)
    os.environ |= {variable: outputs[output] for output, variable in OUTPUTS.items()}
    reparsing = Reparsing(
        s3=aws.client("s3"),
        bucket=outputs["MediaBucketName"],
        reveal=DynamoCredentials(aws.client("kms")).reveal,
        inbound=SqsInbound(aws.client("sqs"), outputs["InboundQueueUrl"]),
        receipts=SqsReceipts(aws.client("sqs"), outputs["ReceiptsQueueUrl"]),
    )
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, stack {stack}")  # noqa: T201 (a command's own words)
    left = 0
    for key, outcome in reparsing.run():
        left += outcome.startswith("left")
        print(f"{key}\n    {outcome}")  # noqa: T201
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
