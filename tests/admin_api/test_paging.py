from __future__ import annotations

import httpx
import pytest

from shared.admin_api.paging import Cursors
from shared.errors import Invalid


def test_list_is_walked_page_by_page(client: httpx.Client) -> None:
    first = client.get("/things", params={"limit": 3}).json()
    second = client.get("/things", params={"limit": 2, "cursor": first["next_cursor"]}).json()

    assert (first["items"], second["items"]) == ([0, 1, 2], [3, 4])


def test_page_has_50_items_unless_asked_otherwise(client: httpx.Client) -> None:
    assert len(client.get("/things").json()["items"]) == 50
    assert len(client.get("/things", params={"limit": 200}).json()["items"]) == 200


@pytest.mark.parametrize("limit", ["0", "-1", "201", "1.5", "many", "", "9" * 400])
def test_limit_out_of_bounds_is_refused(client: httpx.Client, limit: str) -> None:
    answer = client.get("/things", params={"limit": limit})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/limit"]


def cursor(client: httpx.Client, **filters: str) -> str:
    return str(client.get("/things", params={"limit": 1, **filters}).json()["next_cursor"])


@pytest.mark.parametrize("odd", ["", "x", "AAAA", "=", "é", "A" * 4000, "A" * 5000, "\0", "eyJuZXh0IjoxfQ"])
def test_cursor_that_nobody_gave_is_refused(client: httpx.Client, odd: str) -> None:
    answer = client.get("/things", params={"cursor": odd})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/cursor"]


def test_cursor_fits_only_the_list_and_the_filters_it_came_from(client: httpx.Client) -> None:
    plain, filtered = cursor(client), cursor(client, status="active")

    assert client.get("/things", params={"cursor": filtered, "status": "active"}).status_code == 200
    assert client.get("/others", params={"cursor": plain}).status_code == 422
    assert client.get("/things", params={"cursor": filtered}).status_code == 422
    assert client.get("/things", params={"cursor": plain, "status": "active"}).status_code == 422


def test_every_changed_character_of_a_cursor_is_noticed(client: httpx.Client) -> None:
    given = cursor(client)
    for place, letter in enumerate(given[:-1]):
        changed = given[:place] + ("B" if letter == "A" else "A") + given[place + 1 :]

        assert client.get("/things", params={"cursor": changed}).status_code == 422


def test_cursor_of_another_deployment_is_refused() -> None:
    given = Cursors(lambda: b"one key").write("/things?", {"next": 1})

    assert Cursors(lambda: b"one key").read("/things?", given) == {"next": 1}
    with pytest.raises(Invalid):
        Cursors(lambda: b"another key").read("/things?", given)
