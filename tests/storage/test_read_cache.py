"""What is read for a while; what credentials add to that has tests of its own."""

from __future__ import annotations

from shared.storage.read_cache import ReadCache


def test_what_is_empty_is_something_all_the_same() -> None:
    reads: list[tuple[str, str]] = []

    def load(bot_id: str, name: str) -> dict[str, str]:
        reads.append((bot_id, name))
        return {}

    now = 1000.0
    cache = ReadCache(load, 30, unknown_seconds=0, clock=lambda: now)
    for _ in range(3):
        assert cache.get("bot", "llm") == {}
        now += 14.9

    assert reads == [("bot", "llm")]
    now += 1
    cache.get("bot", "llm")
    assert len(reads) == 2


def test_names_of_a_bot_are_kept_apart() -> None:
    cache = ReadCache(lambda bot_id, name: f"{name} of {bot_id}")

    assert [cache.get(*place) for place in (("a", "llm"), ("a", "sync"), ("b", "llm"))] == [
        "llm of a",
        "sync of a",
        "llm of b",
    ]
