from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from shared.queueing.envelopes import MenuEnvelope, read_work
from shared.storage.bots import DynamoBots
from shared.storage.scenarios import DynamoScenarios
from tests.conftest import Aws
from tests.functions.admin.conftest import BROKEN_SCENARIO, SCENARIO, Api
from tests.functions.admin.test_platforms import connect

Json = dict[str, Any]


def save(api: Api, scenario: str, document: Json, **fields: Any) -> Json:
    answer = api("PUT", f"/api/scenarios/{scenario}", json={"name": "S", "scenario_data": document} | fields)
    assert answer.status_code == 200, answer.text
    saved: Json = answer.json()
    return saved


def named(text: str) -> Json:
    """The scenario with another first message."""
    first, *others = SCENARIO["steps"]
    return SCENARIO | {"steps": [first | {"message": {"text": text}}, *others]}


def test_scenario_is_saved_and_can_be_read_at_its_location(api: Api, bot: str) -> None:
    body = {"name": "Onboarding", "description": "For new people", "scenario_data": SCENARIO}
    made = api("POST", f"/api/bots/{bot}/scenarios", json=body)
    read = api("GET", made.headers["location"])

    assert made.status_code == 201
    assert made.headers["location"] == f"/api/scenarios/{made.json()['id']}"
    assert read.json() == made.json()
    assert read.headers["etag"] == made.headers["etag"]


def test_scenario_shows_the_fields_of_the_contract(api: Api, bot: str) -> None:
    shown = api.create(f"/api/bots/{bot}/scenarios", {"name": "Onboarding", "scenario_data": SCENARIO})

    assert shown == {
        "id": shown["id"],
        "bot_id": bot,
        "name": "Onboarding",
        "description": "",
        "version": "1.0",
        "scenario_data": SCENARIO,
        "is_active": False,
        "revision": 1,
        "active_revision": None,
        "findings": [],
        "created_at": shown["created_at"],
        "updated_at": shown["created_at"],
    }


def test_version_is_the_documents_own_unless_it_is_given(api: Api, scenario: str) -> None:
    assert save(api, scenario, SCENARIO)["version"] == "1.0"
    assert save(api, scenario, SCENARIO, version="autumn")["version"] == "autumn"


@pytest.mark.parametrize(
    ("fields", "codes"),
    [({"name": "string"}, []), ({"nmae": "string"}, ["unknown_name"]), ({}, ["contact_unset"])],
    ids=["known", "misspelt", "not set up"],
)
def test_what_a_scenario_reads_of_people_is_held_against_the_bots_sync(
    api: Api, bot: str, fields: dict[str, str], codes: list[str]
) -> None:
    DynamoBots().change(bot, contact_fields=fields)
    steps = [{"id": "a", "message": {"text": "Hello {{ contact.name }}"}}]
    body = {"name": "S", "scenario_data": {"version": "1", "steps": steps}}
    shown = api.create(f"/api/bots/{bot}/scenarios", body)
    assert [finding["code"] for finding in shown["findings"]] == codes
    answer = api("POST", f"/api/scenarios/{shown['id']}/activate", json={})
    assert answer.status_code == (422 if codes == ["unknown_name"] else 200)


def test_scenario_with_errors_of_meaning_is_saved_with_findings(api: Api, bot: str) -> None:
    shown = api.create(f"/api/bots/{bot}/scenarios", {"name": "Draft", "scenario_data": BROKEN_SCENARIO})

    errors = [finding for finding in shown["findings"] if finding["severity"] == "error"]
    assert [error["pointer"] for error in errors] == ["/steps/0/next_step"]
    assert errors[0].keys() == {"severity", "code", "message", "step_id", "pointer", "path"}
    assert errors[0]["step_id"] == "ask_name"
    assert api("GET", f"/api/scenarios/{shown['id']}").json()["findings"] == shown["findings"]


NO_SCENARIOS: dict[str, tuple[Any, list[str]]] = {
    "no steps": ({"version": "1"}, ["/scenario_data/steps"]),
    "unknown field": (SCENARIO | {"stpes": []}, ["/scenario_data/stpes"]),
    "step without an id": (
        {"version": "1", "steps": [{"message": {"text": "Hello"}}]},
        ["/scenario_data/steps/0/id"],
    ),
    "NUL in a text": (named("\0"), ["/scenario_data/steps/0/message/text"]),
    "no object": ([], ["/scenario_data"]),
    "missing": (None, ["/scenario_data"]),
}


@pytest.mark.parametrize(("document", "pointers"), NO_SCENARIOS.values(), ids=NO_SCENARIOS.keys())
def test_what_is_not_the_languages_schema_is_not_saved(
    api: Api, bot: str, scenario: str, document: Any, pointers: list[str]
) -> None:
    body = {"name": "S"} | ({} if document is None else {"scenario_data": document})
    for answer in (
        api("POST", f"/api/bots/{bot}/scenarios", json=body),
        api("PUT", f"/api/scenarios/{scenario}", json=body),
        api("POST", "/api/scenarios/validate", json={key: body[key] for key in body if key != "name"}),
    ):
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == pointers
    assert api("GET", f"/api/scenarios/{scenario}").json()["revision"] == 1
    assert len(api("GET", f"/api/bots/{bot}/scenarios").json()["items"]) == 1


def test_document_deeper_than_anybody_writes_is_refused(api: Api, bot: str) -> None:
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    body = {"name": "S", "scenario_data": SCENARIO | {"variables": deep}}

    assert api("POST", f"/api/bots/{bot}/scenarios", json=body).status_code == 422


def test_every_save_is_a_revision_that_never_changes(api: Api, scenario: str) -> None:
    path = f"/api/scenarios/{scenario}"
    assert save(api, scenario, named("Second"))["revision"] == 2
    assert save(api, scenario, named("Third"))["revision"] == 3

    texts = {
        n: api("GET", f"{path}/revisions/{n}").json()["scenario_data"]["steps"][0]["message"]["text"]
        for n in (1, 2, 3)
    }
    assert texts == {1: "What's your name?", 2: "Second", 3: "Third"}
    assert api("GET", path).json()["scenario_data"] == named("Third")


def test_revisions_are_listed_the_newest_first(api: Api, scenario: str) -> None:
    path = f"/api/scenarios/{scenario}/revisions"
    save(api, scenario, SCENARIO)
    save(api, scenario, SCENARIO)
    api("POST", f"/api/scenarios/{scenario}/activate", json={"revision": 2})

    first = api("GET", path, params={"limit": 2}).json()
    rest = api("GET", path, params={"limit": 2, "cursor": first["next_cursor"]}).json()

    shown = [(item["revision"], item["is_active"]) for item in first["items"] + rest["items"]]
    assert shown == [(3, False), (2, True), (1, False)]
    assert rest["items"][0].keys() == {"scenario_id", "revision", "is_active", "created_at"}
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("revision", ["0", "2", "-1", "x", "1.5", "9" * 50])
def test_revision_that_there_is_not_is_not_found(api: Api, scenario: str, revision: str) -> None:
    assert api("GET", f"/api/scenarios/{scenario}/revisions/{revision}").status_code == 404


def test_put_renames_and_what_was_read_can_be_put_back(api: Api, scenario: str) -> None:
    path = f"/api/scenarios/{scenario}"
    read = api("GET", path)

    answer = api(
        "PUT", path, json=read.json() | {"name": "Renamed"}, headers={"If-Match": read.headers["etag"]}
    )

    changed = {"name": "Renamed", "revision": 2, "updated_at": answer.json()["updated_at"]}
    assert answer.json() == read.json() | changed
    assert answer.headers["etag"] == api("GET", path).headers["etag"] != read.headers["etag"]


def test_change_that_was_overtaken_is_refused(api: Api, scenario: str) -> None:
    path = f"/api/scenarios/{scenario}"
    seen = {"If-Match": api("GET", path).headers["etag"]}
    body = {"name": "S", "scenario_data": SCENARIO}

    assert api("PUT", path, json=body, headers=seen).status_code == 200
    assert api("PUT", path, json=body, headers=seen).status_code == 412
    assert api("GET", path).json()["revision"] == 2


def test_list_holds_the_scenarios_of_the_bot_without_their_documents(api: Api, bot: str) -> None:
    ids = [
        api.create(f"/api/bots/{bot}/scenarios", {"name": f"S{n}", "scenario_data": SCENARIO})["id"]
        for n in range(3)
    ]
    api("POST", f"/api/scenarios/{ids[1]}/activate")
    path = f"/api/bots/{bot}/scenarios"

    first = api("GET", path, params={"limit": 2}).json()
    rest = api("GET", path, params={"limit": 2, "cursor": first["next_cursor"]}).json()

    items = first["items"] + rest["items"]
    assert [(item["id"], item["is_active"]) for item in items] == [
        (ids[2], False),
        (ids[1], True),
        (ids[0], False),
    ]
    assert not [item for item in items if {"scenario_data", "findings"} & item.keys()]
    assert rest["next_cursor"] is None


def test_activation_points_the_bot_at_the_latest_revision(api: Api, bot: str, scenario: str) -> None:
    save(api, scenario, named("Second"))

    answer = api("POST", f"/api/scenarios/{scenario}/activate")

    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in ("is_active", "revision", "active_revision")} == {
        "is_active": True,
        "revision": 2,
        "active_revision": 2,
    }
    pointer = DynamoBots().active_scenario(bot)
    assert pointer is not None
    assert (pointer.scenario_id, pointer.revision) == (scenario, 2)
    shown = api("GET", f"/api/bots/{bot}").json()
    assert (shown["active_scenario_id"], shown["active_revision"]) == (scenario, 2)


def test_activating_an_older_revision_is_the_rollback(api: Api, scenario: str) -> None:
    save(api, scenario, named("Second"))
    api("POST", f"/api/scenarios/{scenario}/activate")

    answer = api("POST", f"/api/scenarios/{scenario}/activate", json={"revision": 1, "running": "keep"})

    assert answer.json()["active_revision"] == answer.json()["revision"] == 1
    assert answer.json()["scenario_data"] == SCENARIO
    latest = api("GET", f"/api/scenarios/{scenario}").json()
    assert (latest["revision"], latest["active_revision"], latest["is_active"]) == (2, 1, True)


def test_one_scenario_of_a_bot_is_active(api: Api, bot: str, scenario: str) -> None:
    other = api.create(f"/api/bots/{bot}/scenarios", {"name": "Other", "scenario_data": SCENARIO})["id"]
    api("POST", f"/api/scenarios/{scenario}/activate")

    api("POST", f"/api/scenarios/{other}/activate")

    states = {id_: api("GET", f"/api/scenarios/{id_}").json()["is_active"] for id_ in (scenario, other)}
    assert states == {scenario: False, other: True}


def test_saving_does_not_touch_what_runs(api: Api, bot: str, scenario: str) -> None:
    api("POST", f"/api/scenarios/{scenario}/activate")

    saved = save(api, scenario, BROKEN_SCENARIO)

    assert (saved["revision"], saved["active_revision"], saved["is_active"]) == (2, 1, True)
    pointer = DynamoBots().active_scenario(bot)
    assert pointer is not None
    assert pointer.revision == 1


HELP = {"next_step": "bye", "description": {"en": "Help", "de": "Hilfe"}}
WITH_MENU = {**SCENARIO, "commands": {"/help": HELP}}


def test_the_menus_of_connected_messengers_follow_an_activation(api: Api, bot: str, aws_account: Aws) -> None:
    for platform in ("telegram", "viber"):
        connect(api, bot, platform)
    described = api.create(f"/api/bots/{bot}/scenarios", {"name": "A", "scenario_data": WITH_MENU})["id"]
    plain = api.create(f"/api/bots/{bot}/scenarios", {"name": "B", "scenario_data": SCENARIO})["id"]

    for scenario in (plain, described, plain):
        assert api("POST", f"/api/scenarios/{scenario}/activate").status_code == 200

    work = menus_asked_for(aws_account)
    assert [(each.platform, set(each.former_languages)) for each in work] == [
        ("telegram", set()),
        ("telegram", {"en", "de", ""}),
    ]


def menus_asked_for(aws_account: Aws) -> list[MenuEnvelope]:
    """In the order of their group, of which one is seen at a time."""
    found: list[MenuEnvelope] = []
    while messages := aws_account.sqs.receive_message(QueueUrl=aws_account.tasks).get("Messages"):
        work = read_work(messages[0]["Body"])
        assert isinstance(work, MenuEnvelope)
        found.append(work)
        aws_account.sqs.delete_message(QueueUrl=aws_account.tasks, ReceiptHandle=messages[0]["ReceiptHandle"])
    return found


def test_an_activation_stands_though_the_menus_cannot_follow(api: Api, bot: str, aws_account: Aws) -> None:
    connect(api, bot, "telegram")
    described = api.create(f"/api/bots/{bot}/scenarios", {"name": "A", "scenario_data": WITH_MENU})["id"]
    aws_account.sqs.delete_queue(QueueUrl=aws_account.tasks)

    answer = api("POST", f"/api/scenarios/{described}/activate")

    assert answer.status_code == 200
    assert answer.json()["is_active"] is True


def test_scenario_with_errors_is_not_activated(api: Api, bot: str, scenario: str) -> None:
    findings = save(api, scenario, BROKEN_SCENARIO)["findings"]

    answer = api("POST", f"/api/scenarios/{scenario}/activate")

    assert answer.status_code == 422
    problem = answer.json()
    assert [error["pointer"] for error in problem["errors"]] == ["/scenario_data/steps/0/next_step"]
    assert problem["findings"] == findings
    assert DynamoBots().active_scenario(bot) is None


ACTIVATIONS: dict[str, tuple[Any, str]] = {
    "unheard of": ({"running": "stop"}, "/running"),
    "no such revision": ({"revision": 2}, "/revision"),
    "revision 0": ({"revision": 0}, "/revision"),
    "huge revision": ({"revision": 10**40}, "/revision"),
    "revision in words": ({"revision": "1"}, "/revision"),
    "unknown field": ({"force": True}, "/force"),
}


@pytest.mark.parametrize(("body", "pointer"), ACTIVATIONS.values(), ids=ACTIVATIONS.keys())
def test_activation_that_cannot_be_done_says_why(
    api: Api, bot: str, scenario: str, body: Any, pointer: str
) -> None:
    answer = api("POST", f"/api/scenarios/{scenario}/activate", json=body)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert DynamoBots().active_scenario(bot) is None


@pytest.mark.parametrize("running", ["keep", "move", "restart"])
def test_activation_says_what_becomes_of_running_dialogs(
    api: Api, bot: str, scenario: str, running: str
) -> None:
    answer = api("POST", f"/api/scenarios/{scenario}/activate", json={"running": running})

    assert answer.status_code == 200
    pointer = DynamoBots().active_scenario(bot)
    assert pointer is not None
    assert (pointer.running, pointer.called) == (running, {})


def test_running_dialogs_are_kept_unless_an_activation_says_otherwise(
    api: Api, bot: str, scenario: str
) -> None:
    api("POST", f"/api/scenarios/{scenario}/activate", json={"running": "restart"})
    api("POST", f"/api/scenarios/{scenario}/activate")

    assert DynamoBots().get(bot).active_running == "keep"


def test_revision_that_the_language_no_longer_takes_can_be_read_but_not_activated(
    api: Api, scenario: str
) -> None:
    former = {"version": "0.9", "steps": [], "former_word": 1}
    DynamoScenarios().add_revision(scenario, former, "S", "", "0.9")
    path = f"/api/scenarios/{scenario}"

    shown = api("GET", path).json()
    refused = api("POST", f"{path}/activate")

    assert shown["scenario_data"] == former
    assert "/former_word" in {finding["pointer"] for finding in shown["findings"]}
    assert refused.status_code == 422
    assert "/scenario_data/former_word" in {error["pointer"] for error in refused.json()["errors"]}


def test_validation_says_what_activation_would(api: Api) -> None:
    good = api("POST", "/api/scenarios/validate", json={"scenario_data": SCENARIO}).json()
    bad = api("POST", "/api/scenarios/validate", json={"scenario_data": BROKEN_SCENARIO}).json()

    assert good == {"valid": True, "findings": []}
    assert bad["valid"] is False
    assert [finding["pointer"] for finding in bad["findings"]][:1] == ["/steps/0/next_step"]


def test_scenario_of_a_bot_that_is_gone_is_not_found(api: Api) -> None:
    assert api("GET", f"/api/scenarios/{uuid4()}").status_code == 404


def test_document_that_compresses_badly_is_refused_where_it_stands(api: Api, bot: str) -> None:
    noise = "".join(uuid4().hex for _ in range(28_000))
    steps = [{"id": f"s{n}", "message": {"text": noise[n::50]}} for n in range(50)]
    body = {"name": "S", "scenario_data": {"version": "1", "steps": steps}}

    answer = api("POST", f"/api/bots/{bot}/scenarios", json=body)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/scenario_data"]
