from dataclasses import dataclass
from typing import Any

from infra.local.deployment import STACK
from infra.local.emulator import root_client


@dataclass(frozen=True)
class SeededBot:
    """A bot that runs one of the examples, and where to talk to it."""

    name: str
    bot_id: str
    chat_url: str


@dataclass(frozen=True)
class RunInfo:
    """What another program needs to use a running Parley; `.local/run.json` holds the fields.

    `bot_id` and `chat_url` are those of the onboarding bot, which is the first of `bots`. Some of them look
    things up in the system at `main_system_url`, and send things there.
    """

    api_url: str
    chat_url: str
    admin_token: str
    jwt_secret: str
    account_id: str
    bot_id: str
    aws_endpoint_url: str
    region: str
    bots: list[SeededBot]
    main_system_url: str
    bots_without_a_model: list[str]

    def client(self, service: str) -> Any:
        """A boto3 client of the embedded AWS."""
        return root_client(self.aws_endpoint_url, service)

    def logs(self, function: str, last: int = 200) -> str:
        """The last lines that a Lambda wrote, named by its folder: `workers/dialog`."""
        group = f"/aws/lambda/{STACK}/{function.replace('/', '-')}"
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        lines = [event["message"].rstrip() for page in pages for event in page["events"]]
        return "\n".join(lines[-last:])

    def outputs(self) -> dict[str, str]:
        """The outputs of the stack: tables, queues, bucket."""
        stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
