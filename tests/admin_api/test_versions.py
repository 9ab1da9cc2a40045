from __future__ import annotations

import httpx
import pytest

from shared.admin_api.fields import View
from shared.admin_api.problems import ProblemError
from shared.admin_api.versions import IfMatch, etag_of
from shared.errors import Conflict


class Seen(View):
    name: str


ONE, OTHER = Seen(name="one"), Seen(name="other")


def test_tag_names_what_is_shown() -> None:
    assert etag_of(ONE) == etag_of(Seen(name="one")) != etag_of(OTHER)


@pytest.mark.parametrize("tags", [None, {"*"}, {etag_of(ONE)}, {etag_of(OTHER), etag_of(ONE)}])
def test_change_meant_for_this_version_passes(tags: set[str] | None) -> None:
    IfMatch(None if tags is None else frozenset(tags)).check(ONE)


@pytest.mark.parametrize(
    "tags", [set(), {""}, {etag_of(OTHER)}, {"W/" + etag_of(ONE)}, {etag_of(ONE).strip('"')}]
)
def test_change_meant_for_another_version_is_a_failed_precondition(tags: set[str]) -> None:
    with pytest.raises(ProblemError) as caught:
        IfMatch(frozenset(tags)).check(ONE)

    assert caught.value.problem.answer().status_code == 412


def test_change_that_was_overtaken_is_a_failed_precondition_only_where_one_was_named() -> None:
    with pytest.raises(ProblemError), IfMatch(frozenset({"*"})).guard():
        raise Conflict("overtaken")
    with pytest.raises(Conflict), IfMatch(None).guard():
        raise Conflict("overtaken")


@pytest.mark.parametrize("known", ['"v1"', 'W/"v1"', '"v0", "v1"', "*"])
def test_what_the_caller_has_is_not_sent_again(client: httpx.Client, known: str) -> None:
    answer = client.get("/tagged", headers={"If-None-Match": known})

    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"v1"')
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("known", [None, "", "v1", '"v0"', '"v1'])
def test_what_has_changed_is_sent(client: httpx.Client, known: str | None) -> None:
    answer = client.get("/tagged", headers={} if known is None else {"If-None-Match": known})

    assert (answer.status_code, answer.json(), answer.headers["etag"]) == (200, "seen", '"v1"')
