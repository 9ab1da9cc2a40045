"""The media library behind the gateway, with the rights of its Lambda, and links that anybody follows."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from infra.local.running import RunInfo
from tests.media import files

pytestmark = pytest.mark.deployed


def ask(parley: RunInfo, method: str, path: str, **more: Any) -> httpx.Response:
    token = {"Authorization": f"Bearer {parley.admin_token}"}
    return httpx.request(method, parley.api_url + path, headers=token, timeout=60, trust_env=False, **more)


def follow(link: str) -> httpx.Response:
    """As somebody who has nothing but the link."""
    return httpx.get(link, follow_redirects=True, timeout=60, trust_env=False)


def test_a_file_in_a_form_is_there_for_whoever_has_a_link(parley: RunInfo) -> None:
    part = {"file": ("Схема зала.JPG", files.with_place("JPEG"))}

    answer = ask(parley, "POST", f"/api/bots/{parley.bot_id}/media", files=part)

    assert answer.status_code == 201, answer.text
    shown = answer.json()
    public, download = follow(shown["url"]), follow(shown["download_url"])
    assert public.content == download.content
    assert files.SECRET not in public.content
    assert public.headers["content-type"] == "image/jpeg"
    assert download.headers["content-disposition"].startswith("attachment")
    guessed = shown["url"].replace(f"/{shown['id']}/", f"/{shown['id']}/x")
    assert follow(guessed).status_code == 404


def test_a_form_of_four_megabytes_comes_through(parley: RunInfo) -> None:
    part = {"file": ("words.txt", b"a" * (4 << 20))}

    answer = ask(parley, "POST", f"/api/bots/{parley.bot_id}/media", files=part)

    assert answer.json()["size"] == 4 << 20


def test_a_large_file_is_put_into_the_store_and_completed(parley: RunInfo) -> None:
    content = files.movie(media=20_000_000)
    body = {"file_name": "film.mp4", "content_type": "video/mp4", "size": len(content)}
    shown = ask(parley, "POST", f"/api/bots/{parley.bot_id}/media", json=body).json()
    upload = shown["upload"]
    assert ask(parley, "POST", upload["complete"]).status_code == 409

    put = httpx.put(upload["url"], content=content, headers=upload["headers"], timeout=60, trust_env=False)
    done = ask(parley, "POST", upload["complete"]).json()

    assert put.is_success
    assert (done["status"], done["width"], done["duration_seconds"]) == ("ready", 320, 7)
    assert len(follow(done["url"]).content) == len(content)
    assert ask(parley, "DELETE", f"/api/media/{done['id']}").status_code == 204
    assert follow(done["url"]).status_code == 404
