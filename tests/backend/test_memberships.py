"""Memberships in a table behind PostgREST, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from shared import aws
from shared.admin_api.app import Guard
from shared.admin_api.principal import Principal
from shared.backend.accounts import ClaimedMemberships, Role, User
from shared.backend.configured_http import ConfiguredHttp
from shared.backend.memberships import MembershipTable, StoredMemberships, memberships
from shared.backend.postgrest import PostgRest
from shared.errors import Forbidden, NotFound, Unavailable
from shared.settings import AdminSettings, MissingSetting
from tests.backend.tokens import SECRET
from tests.standins.postgrest import PostgRestServer, Table

ANN, BO = "0c8d2f5e-3d43-4bd0-9a9c-0d6ff1f0b7a1", "0c8d2f5e-3d43-4bd0-9a9c-0d6ff1f0b7a2"
ACCOUNT = UUID("7d0c0a52-6d3e-4f0b-8f53-1c1f4bd3a001")
OTHER = UUID("7d0c0a52-6d3e-4f0b-8f53-1c1f4bd3a002")
KEY = "a-service-key-of-tests-with-more-than-32-characters"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def serving() -> Iterator[PostgRestServer]:
    with PostgRestServer(KEY) as server:
        yield server


@pytest.fixture
def server(serving: PostgRestServer) -> PostgRestServer:
    serving.requests.clear()
    columns = {"user_id": "uuid", "account_id": "uuid", "role": "text"}
    serving.tables["members"] = Table(columns)
    member(serving, ANN, ACCOUNT, "editor")
    return serving


def member(server: PostgRestServer, user: str, account: UUID, role: str | None) -> None:
    server.tables["members"].rows.append({"user_id": user, "account_id": str(account), "role": role})


def settings(server: PostgRestServer, **changed: str) -> AdminSettings:
    usual = {
        "supabase_url": server.url,
        "supabase_service_key_name": "/parley/service-key",
        "memberships_table": "members",
    }
    return AdminSettings("bots", "cache", **(usual | changed))


def stored(server: PostgRestServer, clock: Clock | None = None, /, **changed: str) -> StoredMemberships:
    rest = PostgRest(ConfiguredHttp(), server.url, KEY)
    return StoredMemberships(
        lambda: rest, MembershipTable.of(settings(server, **changed)), clock=clock or Clock()
    )


def user(user_id: str = ANN) -> User:
    return User(user_id, {"app_metadata": {"accounts": {str(OTHER): "admin"}}})


@pytest.mark.parametrize(
    ("user_id", "account", "role"),
    [
        (ANN, ACCOUNT, Role.EDITOR),
        (ANN, OTHER, None),
        (BO, ACCOUNT, None),
        ("no uuid", ACCOUNT, None),
        ("x&role=eq.admin", ACCOUNT, None),
    ],
)
def test_a_role_is_what_the_table_says_and_not_the_token(
    server: PostgRestServer, user_id: str, account: UUID, role: Role | None
) -> None:
    assert stored(server).role(user(user_id), account) == role


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("viewer", Role.VIEWER),
        ("admin", Role.ADMIN),
        ("owner", Role.ADMIN),
        ("team member", Role.VIEWER),
        ("ADMIN", None),
        ("guest", None),
        ("", None),
        (None, None),
    ],
)
def test_roles_may_have_other_names_there(
    server: PostgRestServer, name: str | None, role: Role | None
) -> None:
    member(server, BO, ACCOUNT, name)
    roles = "owner=admin, team member = viewer"
    assert stored(server, memberships_roles=roles).role(user(BO), ACCOUNT) == role


def test_of_several_rows_the_highest_counts(server: PostgRestServer) -> None:
    for name in ("viewer", "admin", "guest"):
        member(server, ANN, ACCOUNT, name)
    assert stored(server).role(user(), ACCOUNT) == Role.ADMIN


def test_nobody_is_a_member_without_a_name(server: PostgRestServer) -> None:
    server.tables["members"] = Table({"user_id": "text", "account_id": "uuid", "role": "text"})
    member(server, "", ACCOUNT, "admin")
    assert stored(server).role(User("", {}), ACCOUNT) is None
    assert server.requests == []


def test_a_table_of_other_columns(server: PostgRestServer) -> None:
    columns = {"who": "uuid", "order": "uuid", "Rights": "text"}
    row = {"who": ANN, "order": str(ACCOUNT), "Rights": "admin"}
    server.tables["crew"] = Table(columns, [row])
    where = {"memberships_table": "public.crew", "memberships_columns": "who, order ,Rights"}
    assert stored(server, **where).role(user(), ACCOUNT) == Role.ADMIN
    assert stored(server, **where).role(user(), OTHER) is None


def test_what_was_read_is_kept_for_a_minute(server: PostgRestServer) -> None:
    clock = Clock()
    kept = stored(server, clock)
    for clock.now in (0, 30, 59):
        assert kept.role(user(), ACCOUNT) == Role.EDITOR
        assert kept.role(user(BO), ACCOUNT) is None
    assert len(server.requests) == 2
    server.tables["members"].rows.clear()
    clock.now = 60
    assert kept.role(user(), ACCOUNT) is None


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
def test_a_database_that_does_not_answer_lets_nobody_in(server: PostgRestServer, status: int) -> None:
    server.fail_next(status, {"message": "no"})
    with pytest.raises(Unavailable):
        stored(server).role(user(), ACCOUNT)


def test_a_role_outlives_its_minute_by_nothing(server: PostgRestServer) -> None:
    clock = Clock()
    kept = stored(server, clock)
    assert kept.role(user(), ACCOUNT) == Role.EDITOR
    clock.now = 60
    server.fail_next(503, {}, times=2)
    for clock.now in (60, 61, 66):
        with pytest.raises(Unavailable):
            kept.role(user(), ACCOUNT)
    assert len(server.requests) == 3, "a database that is down is left alone for a moment"
    clock.now = 72
    assert kept.role(user(), ACCOUNT) == Role.EDITOR


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"memberships_table": "no_such"}, 404),
        ({"memberships_table": "hr.members"}, 406),
        ({"memberships_columns": "user_id,account_id,rights"}, 400),
    ],
)
def test_a_setting_that_does_not_fit_lets_nobody_in(
    server: PostgRestServer, changed: dict[str, str], status: int
) -> None:
    with pytest.raises(Unavailable):
        stored(server, **changed).role(user(), ACCOUNT)
    assert server.requests[-1].status == status


def test_nobody_there_lets_nobody_in(server: PostgRestServer) -> None:
    rest = PostgRest(ConfiguredHttp(), "http://127.0.0.1:1", KEY)
    with pytest.raises(Unavailable):
        StoredMemberships(lambda: rest, MembershipTable.of(settings(server))).role(user(), ACCOUNT)


@pytest.mark.parametrize("end", ["\n", "\u2019"])
def test_a_key_that_no_header_takes_lets_nobody_in_and_is_told_to_nobody(
    server: PostgRestServer, caplog: pytest.LogCaptureFixture, end: str
) -> None:
    rest = PostgRest(ConfiguredHttp(), server.url, KEY + end)
    with pytest.raises(Unavailable) as refused:
        StoredMemberships(lambda: rest, MembershipTable.of(settings(server))).role(user(), ACCOUNT)
    assert "a character" in caplog.text
    assert KEY not in f"{caplog.text}{refused.getrepr()}"


def test_a_principal_is_admitted_by_the_table(server: PostgRestServer) -> None:
    clock = Clock()
    principal = Principal(user(), stored(server, clock))
    principal.require(Role.EDITOR, str(ACCOUNT), "bot")
    with pytest.raises(Forbidden):
        principal.require(Role.ADMIN, str(ACCOUNT), "bot")
    with pytest.raises(NotFound):
        principal.require(Role.VIEWER, str(OTHER), "bot")
    server.tables["members"].rows.clear()
    clock.now = 60
    with pytest.raises(NotFound):
        principal.require(Role.VIEWER, str(ACCOUNT), "bot")


@pytest.mark.usefixtures("aws_account")
def test_a_deployment_that_names_a_table_uses_it(server: PostgRestServer) -> None:
    ssm = aws.client("ssm")
    ssm.put_parameter(Name="/parley/service-key", Value=KEY, Type="SecureString")
    ssm.put_parameter(Name="/parley/jwt-secret", Value=SECRET, Type="SecureString", Overwrite=True)
    guard = Guard.of(settings(server, supabase_jwt_secret_name="/parley/jwt-secret"))
    assert guard.memberships.role(user(), ACCOUNT) == Role.EDITOR


@pytest.mark.usefixtures("aws_account")
def test_a_key_that_cannot_be_had_lets_nobody_in(server: PostgRestServer) -> None:
    with pytest.raises(Unavailable):
        memberships(settings(server, supabase_service_key_name="/parley/no-such")).role(user(), ACCOUNT)
    assert server.requests == []


def test_without_a_table_the_token_says_who_belongs_where(server: PostgRestServer) -> None:
    claimed = memberships(settings(server, memberships_table=""))
    assert isinstance(claimed, ClaimedMemberships)
    assert claimed.role(user(), OTHER) == Role.ADMIN


@pytest.mark.parametrize("missing", ["supabase_url", "supabase_service_key_name"])
def test_a_table_without_its_database_is_told_at_once(server: PostgRestServer, missing: str) -> None:
    with pytest.raises(MissingSetting, match=missing.upper()):
        memberships(settings(server, **{missing: ""}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"memberships_columns": "user_id,role"},
        {"memberships_roles": "owner"},
        {"memberships_roles": "owner=boss"},
        {"memberships_roles": "a=b=admin"},
    ],
)
def test_a_setting_that_is_none_is_told_at_once(server: PostgRestServer, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="MEMBERSHIPS"):
        memberships(settings(server, **wrong))
