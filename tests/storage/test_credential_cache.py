from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.credential import Credential
from shared.storage.credential_cache import CredentialCache


class World:
    """A store of credentials that counts how often it is read, and a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.tokens: dict[str, str] = {}
        self.reads: list[tuple[str, str]] = []
        self.is_active = True
        self.cache = CredentialCache(self.load, 30, unknown_seconds=5, capacity=3, clock=lambda: self.now)

    def load(self, bot_id: str, platform: str) -> Credential | None:
        self.reads.append((bot_id, platform))
        if bot_id not in self.tokens:
            return None
        settings = {"token": self.tokens[bot_id]}
        return Credential(f"id-{bot_id}", bot_id, platform, is_active=self.is_active, settings=settings)

    def token(self, bot_id: str = "a") -> str | None:
        return token_of(self.cache.get(bot_id, "viber"))

    def fresh_token(self, bot_id: str = "a") -> str | None:
        return token_of(self.cache.refresh(bot_id, "viber"))


def token_of(credential: Credential | None) -> str | None:
    return credential.settings["token"] if credential else None


@pytest.fixture
def world() -> World:
    world = World()
    world.tokens["a"] = "old"
    return world


def test_a_credential_is_read_once_in_half_a_minute(world: World) -> None:
    tokens = []
    for _ in range(4):
        tokens.append(world.token())
        world.tokens["a"] = "new"
        world.now += 14.9

    assert tokens == ["old", "old", "old", "new"]
    assert len(world.reads) == 2


def test_bots_and_platforms_are_kept_apart(world: World) -> None:
    world.tokens["b"] = "other"

    assert (world.token("a"), world.token("b")) == ("old", "other")
    world.cache.get("a", "telegram")
    assert world.reads == [("a", "viber"), ("b", "viber"), ("a", "telegram")]


def test_that_there_is_none_is_remembered_briefly(world: World) -> None:
    for _ in range(50):
        assert world.token("unknown") is None
    world.tokens["unknown"] = "connected"
    world.now += 5

    assert world.token("unknown") == "connected"
    assert len(world.reads) == 2


def test_that_it_is_switched_off_is_remembered_as_briefly(world: World) -> None:
    world.is_active = False
    for _ in range(50):
        world.token()
    world.is_active = True
    world.now += 5

    credential = world.cache.get("a", "viber")
    assert credential is not None
    assert credential.is_active
    assert len(world.reads) == 2


def test_the_credential_used_longest_ago_makes_room(world: World) -> None:
    world.tokens |= {"b": "b", "c": "c", "d": "d"}
    for bot_id in "abcad":
        world.token(bot_id)
    world.reads.clear()

    for bot_id in "acd":
        world.token(bot_id)
    assert world.reads == []
    world.token("b")
    assert world.reads == [("b", "viber")]


def test_a_flood_of_unknown_bots_pushes_no_credential_out(world: World) -> None:
    world.token("a")
    for n in range(1000):
        world.token(f"made-up-{n}")
    world.reads.clear()

    assert world.token("a") == "old"
    assert world.reads == []
    assert len(world.cache._unknown._entries) <= 3


def test_a_changed_secret_is_found_by_a_refresh(world: World) -> None:
    world.token()
    world.tokens["a"] = "new"
    world.now += 5

    assert world.token() == "old"
    assert world.fresh_token() == "new"
    assert world.token() == "new"


def test_forged_signatures_cannot_make_it_read_at_will(world: World) -> None:
    for _ in range(100):
        world.token()
        world.fresh_token()
        world.now += 0.1

    assert len(world.reads) <= 1 + 10 / 5


def test_a_disconnected_bot_is_unknown_after_a_refresh(world: World) -> None:
    world.token()
    del world.tokens["a"]
    world.now += 5

    assert world.fresh_token() is None
    assert world.token() is None
    assert len(world.reads) == 2


def test_a_connected_bot_is_no_longer_unknown(world: World) -> None:
    world.token("b")
    world.tokens["b"] = "b"
    world.now += 5

    assert world.token("b") == "b"
    world.now += 20
    assert world.token("b") == "b"
    assert len(world.reads) == 2


def test_a_store_out_of_reach_is_not_remembered_as_unknown(world: World) -> None:
    class Down(Exception):
        pass

    def down(bot_id: str, platform: str) -> Credential | None:
        raise Down

    cache = CredentialCache(down)
    for _ in range(2):
        with pytest.raises(Down):
            cache.get("a", "viber")


def test_threads_share_it(world: World) -> None:
    world.tokens |= {str(n): str(n) for n in range(20)}

    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(world.token, [str(n % 20) for n in range(2000)]))

    assert tokens == [str(n % 20) for n in range(2000)]
