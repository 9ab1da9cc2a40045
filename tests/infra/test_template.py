import json
from datetime import timedelta

import pytest

from infra.local.commands import ROOT
from shared.backend.sync.delivering import PATIENCE
from shared.delivery.files import CARRIED_AT_MOST
from shared.queueing.consumer import LONGEST_WAIT_SECONDS
from shared.queueing.timers import LONGEST_DELAY_SECONDS
from shared.results.exports import KEPT
from shared.scenario.models import LONGEST_DELAY
from shared.storage.attempts import LEASE
from tests.infra.template import QUEUE, TABLE, Template, as_list, logical_id

TABLE_VARIABLES = {
    "BOTS_TABLE": "BotInstance",
    "CREDENTIALS_TABLE": "BotPlatformCredential",
    "SCENARIOS_TABLE": "BotScenario",
    "REVISIONS_TABLE": "ScenarioRevision",
    "DIALOGS_TABLE": "BotDialogState",
    "HISTORY_TABLE": "BotDialogHistory",
    "MEDIA_TABLE": "BotMediaFile",
    "SETTINGS_TABLE": "BotSettings",
    "USAGE_TABLE": "BotUsage",
    "REFUSALS_TABLE": "SyncRefusal",
    "CACHE_TABLE": "Cache",
}
QUEUES = {"Inbound", "Outbound", "Delays", "Tasks", "Syncs", "Exports", "Receipts", "Deletions"}
KEYS = ("CredentialsKey", "HistoryKey", "SettingsKey")
WITH_UNPARSED = ("Telegram", "WhatsApp", "Viber")
FOURTEEN_DAYS_SECONDS = 14 * 86400


def test_no_action_has_a_wildcard(template: Template) -> None:
    actions = [(name, action) for name, found in template.statements() for action in as_list(found["Action"])]
    assert len(actions) > 50
    assert [(name, action) for name, action in actions if "*" in action] == []


def test_no_resource_is_a_bare_wildcard(template: Template) -> None:
    resources = [
        (name, resource)
        for name, found in template.statements()
        for resource in as_list(found.get("Resource", []))
    ]
    assert len(resources) > 30
    assert [name for name, resource in resources if resource == "*"] == []


def test_no_policy_of_another_hand_is_attached(template: Template) -> None:
    """AWS' managed policies have bare wildcards."""
    assert "ManagedPolicyArns" not in json.dumps(template.document)
    assert [name for name, function in template.functions.items() if "Policies" in function] == []


def test_every_function_has_a_role_of_its_own(template: Template) -> None:
    roles = [logical_id(function["Role"]) for function in template.functions.values()]
    assert len(set(roles)) == len(roles) == 17


def test_every_function_may_touch_just_the_tables_it_is_told_of(template: Template) -> None:
    for function in template.functions:
        told = {TABLE_VARIABLES[name] for name in template.environment(function) if name in TABLE_VARIABLES}
        allowed = {target for action, target in template.rights(function) if action.startswith("dynamodb:")}
        assert told == allowed, function


Kept = dict[tuple[str, ...], list[str]]
CACHED_BY_ADMINS: Kept = {("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"): ["idempotency#*"]}
CACHED_BY_SENDERS: Kept = {
    ("dynamodb:GetItem", "dynamodb:PutItem"): ["hold#*", "message#*", "lease#*"],
    ("dynamodb:DeleteItem",): ["lease#*"],
}
CACHED: dict[str, Kept] = {
    **dict.fromkeys(("BotsAdmin", "PlatformsAdmin", "ScenariosAdmin", "MediaAdmin"), CACHED_BY_ADMINS),
    "DialogsAdmin": {actions: [*keys, "export#*"] for actions, keys in CACHED_BY_ADMINS.items()},
    "SenderWorker": CACHED_BY_SENDERS,
    "TasksWorker": {
        ("dynamodb:GetItem", "dynamodb:PutItem"): [
            *("hold#*", "message#*", "lease#*", "task#*", "model#*", "synced#*")
        ],
        ("dynamodb:DeleteItem",): ["lease#*"],
    },
    "SyncsWorker": {("dynamodb:GetItem", "dynamodb:PutItem"): ["hold#*", "synced#*"]},
    "ReceiptsWorker": {("dynamodb:GetItem",): ["message#*"]},
    "ExportsWorker": {("dynamodb:GetItem", "dynamodb:PutItem"): ["export#*"]},
    "DeletionWorker": {("dynamodb:BatchWriteItem",): ["task#*"]},
}
"""What each function may do in the cache, and to which keys there: nobody reads what others keep in it."""


def test_everybody_has_keys_of_their_own_in_the_cache(template: Template) -> None:
    for function in template.functions:
        role = logical_id(template.functions[function]["Role"])
        on_cache = {
            tuple(as_list(found["Action"])): found.get("Condition")
            for name, found in template.statements()
            if name == role and "Cache" in map(logical_id, as_list(found.get("Resource", [])))
        }
        assert on_cache == {
            actions: {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys}}
            for actions, keys in CACHED.get(function, {}).items()
        }, function


def test_no_admin_api_may_run_as_long_as_it_holds_a_request(template: Template) -> None:
    """Or the same request could be carried out twice at once."""
    timeouts = [each["Timeout"] for name, each in template.functions.items() if name.endswith("Admin")]
    assert timeouts
    assert max(timeouts) < LEASE.total_seconds()


def test_nothing_may_scan_or_delete_a_table(template: Template) -> None:
    forbidden = {"dynamodb:Scan", "dynamodb:DeleteTable", "dynamodb:UpdateTable"}
    assert {action for name in template.functions for action, _ in template.rights(name)} & forbidden == set()


def test_only_platforms_may_encrypt_credentials(template: Template) -> None:
    encrypts = {
        name for name in template.functions if ("kms:Encrypt", "CredentialsKey") in template.rights(name)
    }
    assert encrypts == {"PlatformsAdmin"}


def test_only_the_dialog_worker_may_use_the_history_s_key_and_only_to_encrypt(template: Template) -> None:
    uses = {
        (name, action)
        for name in template.functions
        for action, target in template.rights(name)
        if target == "HistoryKey"
    }
    assert uses == {("DialogWorker", "kms:Encrypt")}


def test_secrets_of_settings_are_opened_by_the_workers_of_tasks_and_syncs_alone(
    template: Template,
) -> None:
    uses = {
        (name, action)
        for name in template.functions
        for action, target in template.rights(name)
        if target == "SettingsKey"
    }
    assert uses == {
        ("BotsAdmin", "kms:Encrypt"),
        ("TasksWorker", "kms:Decrypt"),
        ("SyncsWorker", "kms:Decrypt"),
        ("SyncsWorker", "kms:Encrypt"),  # what a main system refuses
    }


def test_no_tasks_worker_outlives_what_its_sender_believes(template: Template) -> None:
    assert template.functions["TasksWorker"]["Timeout"] <= CARRIED_AT_MOST.total_seconds()


def test_only_those_may_put_into_a_queue_who_have_to(template: Template) -> None:
    puts = {
        name: {target for action, target in template.rights(name) if action == "sqs:SendMessage"}
        for name in template.functions
    }
    assert {name: queues for name, queues in puts.items() if queues} == {
        **{f"{platform}Webhook": {"Inbound"} for platform in ("Telegram", "WebChat")},
        **{f"{platform}Webhook": {"Inbound", "Receipts"} for platform in ("WhatsApp", "Viber")},
        "DialogsAdmin": {"Inbound", "Exports"},
        "BotsAdmin": {"Deletions", "Syncs"},
        "DialogWorker": {"Outbound", "Delays", "Tasks", "Syncs", "Deletions", "InboundDeadLetters"},
        "DeletionWorker": {"Deletions", "DeletionsDeadLetters"},
        "ExportsWorker": {"Exports", "ExportsDeadLetters"},
        "RelayWorker": {"Inbound"},
        "ReceiptsWorker": {"Inbound", "Outbound", "ReceiptsDeadLetters"},
        "ScenariosAdmin": {"Tasks"},
        "SenderWorker": {"Inbound", "OutboundDeadLetters", "Tasks"},
        "SyncsWorker": {"SyncsDeadLetters"},
        "TasksWorker": {"Inbound", "TasksDeadLetters"},
    }


def test_schedules_are_made_and_taken_back_by_one_worker_each_and_made_for_the_scheduler_alone(
    template: Template,
) -> None:
    makes = {
        (name, action, target)
        for name in template.functions
        for action, target in template.rights(name)
        if action.startswith(("scheduler:", "iam:"))
    }
    assert makes == {
        ("DialogWorker", "scheduler:CreateSchedule", "Schedules"),
        ("DialogWorker", "iam:PassRole", "SchedulesRole"),
        ("DeletionWorker", "scheduler:DeleteSchedule", "Schedules"),
    }
    (passing,) = [found for _, found in template.statements() if found["Action"] == "iam:PassRole"]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}


def test_schedules_may_put_a_timer_where_it_belongs_and_nothing_else(template: Template) -> None:
    role = template.properties("SchedulesRole")
    (trusted,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trusted["Condition"]["StringEquals"] == {
        "aws:SourceAccount": {"Ref": "AWS::AccountId"},
        "aws:SourceArn": {"Fn::GetAtt": ["Schedules", "Arn"]},
    }
    (allowed,) = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert allowed["Action"] == "sqs:SendMessage"
    assert [logical_id(queue) for queue in allowed["Resource"]] == ["Inbound", "DelaysDeadLetters"]


def test_everybody_who_may_put_a_file_somewhere_may_put_it_there_only(template: Template) -> None:
    roles = {logical_id(function["Role"]): name for name, function in template.functions.items()}
    puts = {
        (roles[role], resource["Fn::Sub"])
        for role, statement in template.statements()
        if "s3:PutObject" in as_list(statement["Action"]) and statement["Effect"] == "Allow"
        for resource in as_list(statement["Resource"])
    }
    assert puts == {
        *((f"{platform}Webhook", "${MediaBucket.Arn}/unparsed/*") for platform in WITH_UNPARSED),
        ("TasksWorker", "${MediaBucket.Arn}/received/*"),
        *(("MediaAdmin", f"${{MediaBucket.Arn}}/{folder}/*") for folder in ("media", "uploads")),
        ("ExportsWorker", "${MediaBucket.Arn}/exports/*"),
    }


def test_exports_are_written_by_their_worker_and_read_by_whoever_signs_links_to_them(
    template: Template,
) -> None:
    rights = {
        (name, action, resource["Fn::Sub"])
        for name, statement in template.statements()
        for action in as_list(statement["Action"])
        for resource in as_list(statement.get("Resource", []))
        if action.startswith("s3:") and "exports" in str(resource)
    }
    files = "${MediaBucket.Arn}/exports/*"
    assert rights == {
        ("DialogsAdminRole", "s3:GetObject", files),
        ("ExportsWorkerRole", "s3:GetObject", files),
        ("ExportsWorkerRole", "s3:PutObject", files),
        ("ExportsWorkerRole", "s3:AbortMultipartUpload", files),
    }


def test_the_bucket_forgets_exports_when_their_records_are(template: Template) -> None:
    rules = template.properties("MediaBucket")["LifecycleConfiguration"]["Rules"]
    (rule,) = [rule for rule in rules if rule.get("Prefix") == "exports/"]
    assert (rule["Status"], timedelta(days=rule["ExpirationInDays"])) == ("Enabled", KEPT)


def test_revisions_are_written_once_and_removed_with_their_bot(template: Template) -> None:
    writes = {
        (name, action)
        for name in template.functions
        for action, target in template.rights(name)
        if target == "ScenarioRevision" and not action.endswith(("GetItem", "Query"))
    }
    assert writes == {("ScenariosAdmin", "dynamodb:PutItem"), ("DeletionWorker", "dynamodb:BatchWriteItem")}


def test_whoever_follows_revisions_needs_no_heads(template: Template) -> None:
    reads = {
        name for name in template.functions if ("dynamodb:GetItem", "BotScenario") in template.rights(name)
    }
    assert reads & {"ViberWebhook", "DialogWorker"} == set()


def test_every_queue_has_a_dead_letter_queue_of_its_kind(template: Template) -> None:
    queues = {name: found["Properties"] for name, found in template.of_type(QUEUE).items()}
    assert set(queues) == {f"{name}{kind}" for name in QUEUES for kind in ("", "DeadLetters")}
    for name in QUEUES:
        redrive = queues[name]["RedrivePolicy"]
        assert redrive["maxReceiveCount"] == 1000
        assert logical_id(redrive["deadLetterTargetArn"]) == f"{name}DeadLetters"
        assert queues[f"{name}DeadLetters"].get("FifoQueue") == queues[name].get("FifoQueue")


def test_every_queue_is_consumed(template: Template) -> None:
    consumed = {logical_id(source["Queue"]) for source in template.event_sources.values()}
    assert consumed == QUEUES


def test_queues_keep_fourteen_days_and_are_encrypted(template: Template) -> None:
    for name, found in template.of_type(QUEUE).items():
        assert found["Properties"]["MessageRetentionPeriod"] == FOURTEEN_DAYS_SECONDS, name
        assert found["Properties"]["SqsManagedSseEnabled"], name


def test_queues_are_fast_fifo_but_for_those_that_need_no_order(template: Template) -> None:
    """A FIFO queue also delays all its messages alike."""
    queues = {name: found["Properties"] for name, found in template.of_type(QUEUE).items()}
    fast = {name: queue for name, queue in queues.items() if queue.get("FifoQueue")}
    without_order = {"Delays", "Receipts", "Deletions"}
    assert set(queues) - set(fast) == without_order | {f"{name}DeadLetters" for name in without_order}
    for name, queue in fast.items():
        assert queue["ContentBasedDeduplication"], name
        assert queue["DeduplicationScope"] == "messageGroup", name
        assert queue["FifoThroughputLimit"] == "perMessageGroupId", name


def test_visibility_is_six_times_the_consumer_s_timeout(template: Template) -> None:
    for function, source in template.event_sources.items():
        queue = template.properties(logical_id(source["Queue"]))
        assert queue["VisibilityTimeout"] >= 6 * template.functions[function]["Timeout"], function


def test_workers_answer_by_message_and_are_bounded(template: Template) -> None:
    for name, source in template.event_sources.items():
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        by_one = name in {"TasksWorker", "SyncsWorker", "ExportsWorker", "DeletionWorker"}
        assert source["BatchSize"] == (1 if by_one else 10)
        bound = source["ScalingConfig"]["MaximumConcurrency"]["Ref"]
        assert template.document["Parameters"][bound]["MinValue"] >= 2


def test_tables_survive_mistakes(template: Template) -> None:
    tables = template.of_type(TABLE)
    assert set(tables) == set(TABLE_VARIABLES.values())
    for name, table in tables.items():
        properties = table["Properties"]
        assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}, name
        assert properties["SSESpecification"] == {"SSEEnabled": True}, name
        assert properties["BillingMode"] == "PAY_PER_REQUEST", name
        assert "TableName" not in properties, name


@pytest.mark.parametrize("name", [*TABLE_VARIABLES.values(), "MediaBucket", *KEYS])
def test_what_cannot_be_made_again_is_retained(template: Template, name: str) -> None:
    resource = template.document["Resources"][name]
    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"


def test_the_media_bucket_is_private(template: Template) -> None:
    bucket = template.properties("MediaBucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert "BucketEncryption" in bucket
    only_tls, through_cloudfront = template.properties("MediaBucketPolicy")["PolicyDocument"]["Statement"]
    assert only_tls["Effect"] == "Deny"
    assert only_tls["Condition"] == {"Bool": {"aws:SecureTransport": False}}
    condition, allowed, otherwise = through_cloudfront["Fn::If"]
    assert (condition, otherwise) == ("HasMediaCdn", {"Ref": "AWS::NoValue"})
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert (allowed["Action"], allowed["Resource"]) == (
        "s3:GetObject",
        {"Fn::Sub": "${MediaBucket.Arn}/media/*"},
    )
    assert "${MediaDistribution}" in allowed["Condition"]["StringEquals"]["aws:SourceArn"]["Fn::Sub"]


def test_cloudfront_is_a_choice_and_serves_nothing_that_a_browser_would_run(template: Template) -> None:
    parts = ("MediaDistribution", "MediaOriginAccess", "MediaCaching", "MediaHeaders")
    assert {template.document["Resources"][part]["Condition"] for part in parts} == {"HasMediaCdn"}
    behaviour = template.properties("MediaDistribution")["DistributionConfig"]["DefaultCacheBehavior"]
    assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https"
    headers = template.properties("MediaHeaders")["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    assert headers["ContentTypeOptions"] == {"Override": True}
    assert "sandbox" in headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]


def test_uploads_that_nobody_completes_are_gone_after_a_day(template: Template) -> None:
    rules = template.properties("MediaBucket")["LifecycleConfiguration"]["Rules"]
    (rule,) = [rule for rule in rules if rule.get("Prefix") == "uploads/"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 1)


def test_every_function_logs_to_a_group_that_forgets(template: Template) -> None:
    for name, function in template.functions.items():
        logging = function["LoggingConfig"]
        assert logging["LogFormat"] == "JSON", name
        group = logical_id(logging["LogGroup"])
        assert template.properties(group)["RetentionInDays"] == {"Ref": "LogRetentionDays"}
        assert ("logs:PutLogEvents", group) in template.rights(name)


def test_access_logs_hold_no_query_and_no_body(template: Template) -> None:
    settings = template.properties("HttpApi")["AccessLogSettings"]
    logged = settings["Format"]
    json.loads(logged)
    for secret in ("queryString", "path", "$context.authorizer", "header"):
        assert secret not in logged
    assert "RetentionInDays" in template.properties(logical_id(settings["DestinationArn"]))


def test_every_handler_is_a_file(template: Template) -> None:
    handlers = {function["Handler"] for function in template.functions.values()}
    assert len(handlers) == 16
    for handler in handlers:
        module, _, name = handler.rpartition(".")
        assert name == "lambda_handler"
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file(), handler


def test_every_dead_letter_queue_and_function_has_an_alarm(template: Template) -> None:
    watched = {
        (alarm["Properties"]["MetricName"], logical_id(dimension["Value"]))
        for alarm in template.of_type("AWS::CloudWatch::Alarm").values()
        for dimension in alarm["Properties"].get("Dimensions", [])
    }
    expected = {("Errors", name) for name in template.functions}
    for queue in QUEUES:
        expected |= {("ApproximateNumberOfMessagesVisible", f"{queue}DeadLetters")}
        expected |= {("ApproximateAgeOfOldestMessage", queue)}
    assert watched == expected | {("5xx", "HttpApi"), ("InvocationDroppedCount", "Schedules")}


def test_nothing_that_waits_as_long_as_it_may_is_an_alarm(template: Template) -> None:
    for queue in ("Delays", "Outbound"):
        assert template.properties(f"{queue}AgeAlarm")["Threshold"] > max(
            LONGEST_DELAY_SECONDS, LONGEST_DELAY
        )


def test_a_main_system_that_is_down_for_as_long_as_it_may_is_no_alarm(template: Template) -> None:
    longest = PATIENCE.total_seconds() + LONGEST_WAIT_SECONDS
    assert template.properties("SyncsAgeAlarm")["Threshold"] > longest


def test_an_alarm_watches_updates_that_could_not_be_parsed(template: Template) -> None:
    alarm = template.properties("UnparsedUpdatesAlarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("Parley", "unparsed_updates")


def test_an_alarm_watches_credentials_that_messengers_refuse(template: Template) -> None:
    alarm = template.properties("RefusedCredentialsAlarm")
    assert (alarm["Namespace"], alarm["MetricName"]) == ("Parley", "refused_credentials")


def test_the_sender_may_mark_a_credential_and_not_replace_it(template: Template) -> None:
    rights = template.rights("SenderWorker")
    assert ("dynamodb:UpdateItem", "BotPlatformCredential") in rights
    assert ("dynamodb:PutItem", "BotPlatformCredential") not in rights


def test_a_deployment_is_for_arm64_and_python_3_13_unless_told(template: Template) -> None:
    parameters = template.document["Parameters"]
    assert parameters["PythonRuntime"]["Default"] == "python3.13"
    assert parameters["Architecture"]["Default"] == "arm64"
