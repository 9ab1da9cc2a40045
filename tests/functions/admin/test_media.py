"""The media library as its users meet it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from functions.admin.media.shelf import Shelf
from shared.errors import Unavailable
from shared.media.base import MediaFile, PlatformFileId, paths_of
from shared.media.store import S3Store
from shared.storage.bots import DynamoBots
from shared.storage.media import DynamoMedia
from tests.conftest import Aws, Call
from tests.functions.admin.conftest import (
    ACCOUNT,
    MEDIA_URL,
    NOW,
    OTHER_ACCOUNT,
    SCENARIO,
    Api,
    Talk,
    a_file,
    token_of,
)
from tests.media import files

PICTURE = files.with_place("JPEG")


def put_in(api: Api, bot: str, content: bytes, name: str = "a.png", **more: Any) -> httpx.Response:
    part = {"file": (name, content, "application/octet-stream")}
    return api("POST", f"/api/bots/{bot}/media", "editor", files=part, **more)


def announced(api: Api, bot: str, content: bytes, name: str = "a.mp4", **fields: Any) -> dict[str, Any]:
    body = {"file_name": name, "content_type": "video/mp4", "size": len(content)} | fields
    return api.create(f"/api/bots/{bot}/media", body)


@pytest.fixture
def arrive(aws_account: Aws) -> Callable[[str, bytes], None]:
    """Does what the link for an upload lets its holder do."""

    def arrive(media_id: str, content: bytes) -> None:
        key = f"uploads/{media_id}"
        aws_account.s3.put_object(Bucket=aws_account.bucket, Key=key, Body=content)

    return arrive


def keys(aws_account: Aws) -> set[str]:
    found = aws_account.s3.list_objects_v2(Bucket=aws_account.bucket)
    return {each["Key"] for each in found.get("Contents", [])}


class TestForm:
    def test_a_file_is_taken_at_once(self, api: Api, bot: str, aws_account: Aws) -> None:
        answer = put_in(api, bot, PICTURE, "Схема зала.JPG")

        shown = answer.json()
        assert answer.status_code == 201
        assert answer.headers["location"] == f"/api/media/{shown['id']}"
        assert (shown["status"], shown["file_type"], shown["content_type"]) == (
            "ready",
            "image",
            "image/jpeg",
        )
        assert (shown["width"], shown["height"], shown["file_name"]) == (40, 30, "Схема зала.jpg")
        assert (shown["platform_file_ids"], shown["upload"], shown["dialog_id"]) == ({}, None, None)
        assert api("GET", answer.headers["location"], "viewer").json()["id"] == shown["id"]
        stored = aws_account.s3.get_object(Bucket=aws_account.bucket, Key=shown["storage_path"])
        content = stored["Body"].read()
        assert (stored["ContentType"], len(content)) == ("image/jpeg", shown["size"])
        assert files.SECRET not in content

    def test_what_it_is_its_content_says(self, api: Api, bot: str) -> None:
        shown = put_in(api, bot, files.image("PNG"), "photo.jpg").json()

        assert (shown["content_type"], shown["file_name"]) == ("image/png", "photo.png")

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"<!DOCTYPE html><script>alert(1)</script>", "markup"),
            (b"", "empty"),
            (files.bomb(), "too_many_pixels"),
            (b"MZ" + bytes(100), "program"),
        ],
        ids=["a web page", "nothing", "a bomb", "a program"],
    )
    def test_what_is_not_taken_is_told_and_leaves_nothing(
        self, api: Api, bot: str, aws_account: Aws, content: bytes, code: str
    ) -> None:
        answer = put_in(api, bot, content)

        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        (error,) = answer.json()["errors"]
        assert (error["pointer"], error["code"]) == ("/file", code)
        assert keys(aws_account) == set()
        assert api("GET", f"/api/bots/{bot}/media").json()["items"] == []

    def test_four_megabytes_fit_and_more_do_not(self, api: Api, bot: str) -> None:
        four = 4 * 1024 * 1024
        text = b"a" * four

        assert put_in(api, bot, text, "a.txt").json()["size"] == four
        for more in (b"a", b"a" * 20_000):
            refused = put_in(api, bot, text + more, "a.txt")
            assert refused.status_code == 413
            assert "announce a larger file" in refused.json()["detail"]

    @pytest.mark.parametrize(
        "form",
        [
            {"files": {"other": ("a.png", b"x")}},
            {"data": {"file": "no file"}, "files": {"x": ("", b"")}},
            {"files": [("file", ("a.png", b"x")), ("file", ("b.png", b"x"))]},
            {"content": b"--no form", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
            {"content": b"", "headers": {"Content-Type": "multipart/form-data"}},
            {
                "content": b'--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n\r\n--b--',
                "headers": {"Content-Type": "multipart/form-data; boundary=b; charset=undefined"},
            },
        ],
    )
    def test_another_form_is_refused(self, api: Api, bot: str, form: dict[str, Any]) -> None:
        answer = api("POST", f"/api/bots/{bot}/media", "editor", **form)

        assert answer.status_code in {400, 422}
        assert answer.headers["content-type"] == "application/problem+json"

    def test_pointer_to_a_part_is_one_whatever_its_name(self, api: Api, bot: str) -> None:
        answer = api("POST", f"/api/bots/{bot}/media", files={"a/b~": ("a.png", b"x")})

        assert [error["pointer"] for error in answer.json()["errors"]] == ["/a~1b~0"]

    def test_other_routes_take_no_form(self, api: Api) -> None:
        answer = api("POST", f"/api/accounts/{ACCOUNT}/bots", files={"file": ("a", b"x" * 2_000_000)})

        assert answer.status_code == 413

    def test_repeated_under_its_key_it_is_one_file(self, api: Api, bot: str) -> None:
        again: dict[str, Any] = {"headers": {"Idempotency-Key": "k1"}}

        first, second = put_in(api, bot, PICTURE, **again), put_in(api, bot, PICTURE, **again)

        assert first.json()["id"] == second.json()["id"]
        assert len(api("GET", f"/api/bots/{bot}/media").json()["items"]) == 1

    def test_messengers_with_limits_get_a_smaller_image(self, api: Api, bot: str, aws_account: Aws) -> None:
        content = files.noise((1000, 900))
        assert 1_000_000 < len(content) < 4_000_000

        shown = put_in(api, bot, content).json()

        found = DynamoMedia().find(shown["id"])
        assert found is not None
        assert set(found.variants) == {"viber"}
        assert found.variants["viber"].size <= 1_000_000
        assert keys(aws_account) == {found.storage_path, found.variants["viber"].storage_path}

    def test_a_file_that_is_called_like_a_smaller_one_has_its_own_place(
        self, api: Api, bot: str, aws_account: Aws
    ) -> None:
        shown = put_in(api, bot, files.noise((1300, 1300), "JPEG"), "viber.jpg").json()

        assert shown["file_name"] == "viber.jpg"
        assert len(keys(aws_account)) == 2


class TestUpload:
    def test_a_large_file_is_announced_put_and_completed(
        self, api: Api, bot: str, aws_account: Aws, arrive: Callable[[str, bytes], None]
    ) -> None:
        content = files.movie(media=5_000_000)
        shown = announced(api, bot, content, "Фильм.mov")
        upload = shown["upload"]
        assert shown["status"] == "uploading"
        assert (shown["download_url"], shown["url"]) == (None, None)
        assert (upload["method"], upload["headers"]["Content-Length"]) == ("PUT", str(len(content)))
        assert datetime.fromisoformat(upload["expires_at"]) > NOW
        arrive(shown["id"], content)

        answer = api("POST", upload["complete"], "editor")

        done = answer.json()
        assert (answer.status_code, done["status"], done["upload"]) == (200, "ready", None)
        assert (done["file_name"], done["content_type"]) == ("Фильм.mp4", "video/mp4")
        assert (done["width"], done["height"], done["duration_seconds"]) == (320, 240, 7)
        assert keys(aws_account) == {done["storage_path"]}
        assert api("POST", upload["complete"], "editor").json()["updated_at"] == done["updated_at"]

    def test_what_has_not_arrived_can_come_yet(
        self, api: Api, bot: str, arrive: Callable[[str, bytes], None]
    ) -> None:
        content = files.movie()
        complete = announced(api, bot, content)["upload"]["complete"]
        media_id = complete.split("/")[3]

        assert api("POST", complete, "editor").status_code == 409
        arrive(media_id, content[:-7])  # broken off, or the length was a lie
        cut_off = api("POST", complete, "editor")
        assert cut_off.status_code == 409
        assert (
            f"{len(content) - 7} bytes have arrived, and {len(content)}" in cut_off.json()["detail"].lower()
        )
        assert api("GET", f"/api/media/{media_id}").json()["status"] == "uploading"
        arrive(media_id, content)

        assert api("POST", complete, "editor").json()["status"] == "ready"

    def test_what_is_not_taken_has_failed_for_good(
        self, api: Api, bot: str, aws_account: Aws, arrive: Callable[[str, bytes], None]
    ) -> None:
        content = b"<html><script>alert(1)</script>"
        shown = announced(api, bot, content, "a.mp4")
        arrive(shown["id"], content)

        answers = [api("POST", shown["upload"]["complete"], "editor") for _ in range(2)]

        assert [answer.status_code for answer in answers] == [422, 422]
        failed = api("GET", f"/api/media/{shown['id']}").json()
        assert failed["status"] == "failed"
        assert failed["reason"] in answers[1].text
        assert (failed["download_url"], failed["url"]) == (None, None)
        assert keys(aws_account) == set()

    def test_two_who_complete_at_once_are_told_the_same(
        self, api: Api, bot: str, aws_account: Aws, arrive: Callable[[str, bytes], None]
    ) -> None:
        content = files.noise((200, 200))
        shown = announced(api, bot, content, "a.png")
        arrive(shown["id"], content)
        shelf = Shelf(DynamoMedia(), S3Store(lambda: aws_account.s3, aws_account.bucket))
        file = shelf.records.find(shown["id"])
        assert file is not None

        with ThreadPoolExecutor(2) as pool:
            one, other = pool.map(shelf.complete, [file, file])

        assert one == other
        assert one.status == "ready"
        assert keys(aws_account) == {one.storage_path}

    def test_who_completes_another_content_too_late_leaves_nothing(
        self, api: Api, bot: str, aws_account: Aws, arrive: Callable[[str, bytes], None]
    ) -> None:
        """The link can be used again while the first is looked at."""
        content = files.movie()
        media_id = announced(api, bot, content)["id"]
        shelf = Shelf(DynamoMedia(), S3Store(lambda: aws_account.s3, aws_account.bucket))
        file = shelf.records.find(media_id)
        assert file is not None
        arrive(media_id, content)
        done = shelf.complete(file)
        arrive(media_id, files.movie(b"qt  "))

        assert shelf.complete(file) == done

        stored = aws_account.s3.get_object(Bucket=aws_account.bucket, Key=done.storage_path)
        assert stored["ContentType"] == "video/mp4"
        assert keys(aws_account) - {f"uploads/{media_id}"} == {done.storage_path}

    def test_that_breaks_off_and_is_done_again_leaves_one_file(
        self, api: Api, bot: str, aws_account: Aws, arrive: Callable[[str, bytes], None]
    ) -> None:
        class Killed(DynamoMedia):
            def change(self, *_: Any, **__: Any) -> MediaFile:
                raise Unavailable("the table", retry_after_seconds=5)

        content = files.noise((1000, 900))
        shown = announced(api, bot, content, "a.png")
        arrive(shown["id"], content)
        file = DynamoMedia().find(shown["id"])
        assert file is not None
        with pytest.raises(Unavailable):
            Shelf(Killed(), S3Store(lambda: aws_account.s3, aws_account.bucket)).complete(file)
        assert len(keys(aws_account)) == 3

        api("POST", shown["upload"]["complete"], "editor")

        done = DynamoMedia().find(shown["id"])
        assert done is not None
        assert keys(aws_account) == set(paths_of(done))

    def test_what_was_deleted_meanwhile_does_not_come_back(
        self, api: Api, bot: str, aws_account: Aws, arrive: Callable[[str, bytes], None]
    ) -> None:
        content = files.movie()
        shown = announced(api, bot, content)
        arrive(shown["id"], content)

        assert api("DELETE", f"/api/media/{shown['id']}", "editor").status_code == 204

        assert api("POST", shown["upload"]["complete"], "editor").status_code == 404
        assert keys(aws_account) == set()

    @pytest.mark.parametrize(
        ("fields", "pointer"),
        [
            ({"size": 50_000_001}, "/size"),
            ({"size": 0}, "/size"),
            ({"size": "5"}, "/size"),
            ({"content_type": "video/mp4\r\nX: y"}, "/content_type"),
            ({"file_name": ""}, "/file_name"),
            ({"file_name": "a\nb"}, "/file_name"),
            ({"storage_path": "media/x"}, "/storage_path"),
        ],
    )
    def test_an_announcement_that_is_none_is_refused(
        self, api: Api, bot: str, fields: dict[str, Any], pointer: str
    ) -> None:
        body = {"file_name": "a.mp4", "content_type": "video/mp4", "size": 5} | fields

        answer = api("POST", f"/api/bots/{bot}/media", json=body)

        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]

    def test_what_is_no_json_is_told_so(self, api: Api, bot: str) -> None:
        answer = api("POST", f"/api/bots/{bot}/media", content=b"{", headers={"Content-Type": "image/png"})

        assert (answer.status_code, answer.json()["type"]) == (400, "urn:parley:problem:not-json")


class TestShown:
    def test_a_library_is_walked_filtered_and_its_bot_s_alone(self, api: Api, bot: str, talk: Talk) -> None:
        mine = [a_file(bot, file_type=kind) for kind in ("image", "image", "audio")]
        a_file(bot, dialog_id=talk(bot).id)
        a_file(api.bot())
        path = f"/api/bots/{bot}/media"

        first = api("GET", path, "viewer", params={"limit": 2}).json()
        rest = api("GET", path, "viewer", params={"limit": 2, "cursor": first["next_cursor"]}).json()
        sounds = api("GET", path, "viewer", params={"file_type": "audio", "status": "ready"}).json()

        assert {item["id"] for item in first["items"] + rest["items"]} == set(mine)
        assert rest["next_cursor"] is None
        assert [item["id"] for item in sounds["items"]] == [mine[2]]
        assert api("GET", path, params={"file_type": "film"}).status_code == 422

    def test_what_a_person_sent_is_for_members_and_not_for_the_public(
        self, api: Api, bot: str, talk: Talk
    ) -> None:
        dialog = talk(bot).id
        sent = a_file(bot, dialog_id=dialog, storage_path=f"received/{bot}/{dialog}/1/a.png", link_key="")

        shown = api("GET", f"/api/media/{sent}", "viewer").json()

        assert (shown["dialog_id"], shown["url"]) == (dialog, None)
        assert shown["download_url"].startswith("https://")
        assert api("DELETE", f"/api/media/{sent}", "admin").status_code == 404
        assert api("GET", f"/media/{sent}/k/a.png", None).status_code == 404
        assert api("GET", f"/api/media/{sent}", token=token_of("admin", OTHER_ACCOUNT)).status_code == 404

    def test_messengers_names_of_it_are_shown(self, api: Api, bot: str) -> None:
        media_id = a_file(bot, platform_file_ids={"whatsapp": PlatformFileId("77", "106", NOW)})

        shown = api("GET", f"/api/media/{media_id}").json()["platform_file_ids"]

        assert shown == {
            "whatsapp": {"file_id": "77", "account": "106", "expires_at": "2026-11-22T10:00:00Z"}
        }

    def test_a_download_is_saved_under_its_name_for_ten_minutes(self, api: Api, bot: str) -> None:
        link = httpx.URL(put_in(api, bot, PICTURE, "я.jpg").json()["download_url"])

        assert link.params["X-Amz-Expires"] == "600"
        assert link.params["response-content-disposition"].startswith("attachment; ")
        assert link.params["response-content-disposition"].endswith("%D1%8F.jpg")


class TestPublicLink:
    def test_leads_to_the_object_without_a_token(self, api: Api, bot: str, aws_account: Aws) -> None:
        shown = put_in(api, bot, PICTURE, "Схема 1.jpg").json()
        assert shown["url"].startswith(f"{MEDIA_URL}/media/{shown['id']}/")

        answer = api("GET", shown["url"].removeprefix(MEDIA_URL), None)

        assert answer.status_code == 302
        assert answer.headers["x-content-type-options"] == "nosniff"
        link = httpx.URL(answer.headers["location"])
        assert link.path.endswith(shown["storage_path"])
        assert link.params["X-Amz-Expires"] == "600"

    def test_leads_to_the_smaller_image_of_a_messenger(self, api: Api, bot: str) -> None:
        shown = put_in(api, bot, files.noise((1000, 900))).json()
        path = shown["url"].removeprefix(MEDIA_URL).rpartition("/")[0]

        assert api("GET", f"{path}/viber.jpg", None).status_code == 302
        assert api("GET", f"{path}/telegram.jpg", None).status_code == 404

    def test_of_a_document_saves_it(self, api: Api, bot: str, aws_account: Aws) -> None:
        shown = put_in(api, bot, b"%PDF-1.7\n", "a.pdf").json()

        head = aws_account.s3.head_object(Bucket=aws_account.bucket, Key=shown["storage_path"])

        assert head["ContentDisposition"].startswith("attachment; ")
        assert head["ContentType"] == "application/pdf"

    def test_that_was_guessed_leads_nowhere(self, api: Api, bot: str) -> None:
        media_id = a_file(bot, link_key="k" * 32, storage_path="media/1/k/a.png")
        uploading = a_file(bot, status="uploading", link_key="k", storage_path="uploads/1", created_at=NOW)
        for path in (
            f"/media/{media_id}/{'k' * 31}/a.png",
            f"/media/{media_id}/{'k' * 32}/b.png",
            f"/media/{media_id}/{'k' * 32}/..%5Ca.png",
            f"/media/{media_id}/%00/a.png",
            f"/media/{uploading}/k/a.png",
            f"/media/{uuid4()}/k/a.png",
            "/media/1/k/a.png",
        ):
            answer = api("GET", path, None)

            assert answer.status_code == 404, path
            assert answer.headers["content-type"] == "application/problem+json"


class TestDelete:
    def test_takes_record_objects_and_smaller_images(self, api: Api, bot: str, aws_account: Aws) -> None:
        media_id = put_in(api, bot, files.noise((1000, 900))).json()["id"]
        assert len(keys(aws_account)) == 2

        assert api("DELETE", f"/api/media/{media_id}", "editor").status_code == 204

        assert keys(aws_account) == set()
        assert api("GET", f"/api/media/{media_id}").status_code == 404

    def test_of_a_file_that_is_completed_meanwhile_leaves_nothing(
        self, api: Api, bot: str, aws_account: Aws, arrive: Callable[[str, bytes], None]
    ) -> None:
        content = files.movie()
        media_id = announced(api, bot, content)["id"]
        shelf = Shelf(DynamoMedia(), S3Store(lambda: aws_account.s3, aws_account.bucket))
        met = shelf.records.find(media_id)
        assert met is not None
        arrive(media_id, content)
        shelf.complete(met)

        shelf.remove(met)

        assert keys(aws_account) == set()
        assert shelf.records.find(media_id) is None

    def test_that_breaks_off_can_be_done_again(self, api: Api, bot: str, aws_account: Aws) -> None:
        class Broken(S3Store):
            def delete(self, paths: Iterable[str]) -> None:
                raise Unavailable("the store of files", retry_after_seconds=5)

        media_id = put_in(api, bot, PICTURE).json()["id"]
        found = DynamoMedia().find(media_id)
        assert found is not None

        with pytest.raises(Unavailable):
            Shelf(DynamoMedia(), Broken(lambda: aws_account.s3, aws_account.bucket)).remove(found)

        assert api("DELETE", f"/api/media/{media_id}", "editor").status_code == 204
        assert keys(aws_account) == set()

    def test_of_what_the_active_scenario_shows_names_the_steps(self, api: Api, bot: str) -> None:
        media_id = a_file(bot)
        called = self._showing(api, bot, media_id, "deep")
        scenario = self._showing(api, bot, media_id.upper(), "first")
        DynamoBots().change(bot, active_scenario_id=scenario, active_revision=1, active_called={called: 1})

        answer = api("DELETE", f"/api/media/{media_id}", "editor")

        assert answer.status_code == 409
        assert answer.json()["steps"] == [
            {"scenario_id": called, "step_id": "deep"},
            {"scenario_id": scenario, "step_id": "first"},
        ]
        assert "“first”" in answer.json()["detail"]

    def test_of_what_only_another_revision_shows_is_done(self, api: Api, bot: str) -> None:
        media_id = a_file(bot)
        scenario = self._showing(api, bot, media_id, "first")
        api("PUT", f"/api/scenarios/{scenario}", json={"name": "S", "scenario_data": SCENARIO})
        DynamoBots().change(bot, active_scenario_id=scenario, active_revision=2)

        assert api("DELETE", f"/api/media/{media_id}", "editor").status_code == 204

    def _showing(self, api: Api, bot: str, media_id: str, step: str) -> str:
        messages = [{"text": "One"}, {"text": "Two", "media": [{"media_id": media_id}]}]
        first = {"id": step, "message": messages, "next_step": "ask_name"}
        document = {**SCENARIO, "steps": [first, *SCENARIO["steps"]]}
        body = {"name": "S", "scenario_data": document}
        return str(api.create(f"/api/bots/{bot}/scenarios", body)["id"])


def test_nothing_scans_and_a_page_is_one_query(api: Api, bot: str, aws_calls: list[Call]) -> None:
    for _ in range(3):
        a_file(bot)
    aws_calls.clear()

    api("GET", f"/api/bots/{bot}/media", "viewer", params={"limit": 2})

    made = [call.name for call in aws_calls if call.service == "dynamodb"]
    assert made == ["dynamodb:GetItem", "dynamodb:Query"]
