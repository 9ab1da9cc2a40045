"""What a sensitive variable received, kept in the history so that only a replay with the key can read it.

The rest of an entry stays as it is: that something came and when, what kind it was, what the turn did.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

import msgspec

from shared.dialog.state import Dialog

MASK = "•••"
"""What people see in the place of a sensitive value."""

_KEPT_OF_EVENT = ("type", "id", "occurred_at")
_WORDS_OF_PERSON = ("event", "label", "notes")

Data = dict[str, Any]
Seal = Callable[[bytes], str]
Open = Callable[[str], bytes]


class Sealer(Protocol):
    """Encrypts so that only whoever names the same context can have it decrypted."""

    def seal(self, plain: bytes, context: Mapping[str, str]) -> str: ...


def context_of(dialog: Dialog) -> dict[str, str]:
    """What binds a ciphertext to its dialog's history: in another place it does not open."""
    return {"bot_id": dialog.bot_id, "dialog_id": dialog.id, "kind": "history"}


def sealed(data: Data, *, is_private: bool, sensitive: Collection[str], seal: Seal) -> Data:
    """An entry's data with what nobody should read masked, and encrypted beside it under `sealed`.

    With `is_private` that is the whole event; in any case the `sensitive` variables of runs that ended.
    """
    hidden: Data = {}
    shown = dict(data)
    if is_private:
        hidden |= {name: shown.pop(name) for name in _WORDS_OF_PERSON if name in shown}
        shown["event"] = _masked(hidden["event"])
    if secrets := [_secrets_of(run, sensitive) for run in data.get("ended_runs", ())]:
        shown["ended_runs"] = [_masked_run(run, sensitive) for run in data["ended_runs"]]
        if any(secrets):
            hidden["ended_runs"] = secrets
    if hidden:
        shown["sealed"] = seal(msgspec.json.encode(hidden))
    return shown


def opened(data: Mapping[str, Any], open_sealed: Open) -> Data:
    """The data as it was before it was sealed. Raises what `open_sealed` raises."""
    shown = dict(data)
    if "sealed" not in shown:
        return shown
    hidden: Data = msgspec.json.decode(open_sealed(shown.pop("sealed")))
    if secrets := hidden.pop("ended_runs", None):
        shown["ended_runs"] = [
            {**run, "collected_data": run["collected_data"] | values}
            for run, values in zip(shown["ended_runs"], secrets, strict=True)
        ]
    return shown | hidden


def masked(variables: Mapping[str, Any], sensitive: Collection[str]) -> Data:
    """The variables as people may see them."""
    return {name: MASK if name in sensitive else value for name, value in variables.items()}


def _masked(event: Mapping[str, Any]) -> Data:
    shown = {name: event[name] for name in _KEPT_OF_EVENT if name in event}
    if usage := event.get("result", {}).get("usage"):  # which model was asked, and its tokens
        shown["result"] = {"usage": usage}
    return shown | {"text": MASK} if event.get("text") else shown


def _secrets_of(run: Mapping[str, Any], sensitive: Collection[str]) -> Data:
    collected: Mapping[str, Any] = run.get("collected_data", {})
    return {name: value for name, value in collected.items() if name in sensitive}


def _masked_run(run: Mapping[str, Any], sensitive: Collection[str]) -> Data:
    return {**run, "collected_data": masked(run.get("collected_data", {}), sensitive)}
