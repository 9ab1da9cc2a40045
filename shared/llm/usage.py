"""What a bot's model costs it, in calls and tokens."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Calls that were made and the tokens of them; what the cache answered, and the tokens that saved."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cache_hits: int = 0
    saved_tokens: int = 0

    @property
    def tokens(self) -> int:
        """What counts against a day's budget."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in COUNTERS})


COUNTERS = tuple(field.name for field in fields(Usage))
