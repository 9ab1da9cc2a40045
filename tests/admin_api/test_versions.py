from __future__ import annotations

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
