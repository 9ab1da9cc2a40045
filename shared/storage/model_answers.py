"""What models have answered, over DynamoDB, to be answered again. Keys: `model#{hash of the question}`."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from shared.llm.answers import KnownAnswer
from shared.storage.clock import Clock, utc_now
from shared.storage.tables import Cache

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(KnownAnswer)


class DynamoModelAnswers:
    """Fulfils `shared.llm.answers.KnownAnswers`."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._clock = clock

    def find(self, name: str) -> KnownAnswer | None:
        item = Cache.find(_key(name))
        return _decoder.decode(item.value) if item and item.expires_at > self._clock() else None

    def keep(self, name: str, answer: KnownAnswer, seconds: int) -> None:
        expires_at = self._clock() + timedelta(seconds=seconds)
        Cache(_key(name), value=_encoder.encode(answer).decode(), expires_at=expires_at).save()


def _key(name: str) -> str:
    return f"model#{name}"
