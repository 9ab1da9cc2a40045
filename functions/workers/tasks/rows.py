"""The table of jobs: by the kind of a task (`fetch`), or by the envelope (`upload`, `first_send`, `menu`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from functions.workers.tasks.collaborators import Collaborators
    from shared.tasks.performing import Job

MAKERS: Mapping[str, str] = {
    "contact": "contacts:contact_job",
    "fetch": "fetching:fetch_job",
    "first_send": "sending:first_send_job",
    "http": "http:http_job",
    "llm": "llm:llm_job",
    "menu": "menus:menu_job",
    "sync": "sync:sync_job",
    "sync_check": "sync:sync_check_job",
    "sync_redrive": "sync:sync_redrive_job",
    "sync_run": "sync:sync_run_job",
    "understand": "llm:understand_job",
    "upload": "sending:upload_job",
}
"""What makes the job of a kind, in which module beside this one: a `Callable[[Collaborators], Job]`."""


class Rows(Mapping[str, "Job"]):
    """The jobs. Each is imported and made with the first work of its kind, and waits for no other's."""

    def __init__(self, collaborators: Collaborators) -> None:
        self._collaborators = collaborators
        self._made: dict[str, Job] = {}

    def __getitem__(self, kind: str) -> Job:
        if kind not in self._made:
            self._made[kind] = _maker(MAKERS[kind])(self._collaborators)
        return self._made[kind]

    def __contains__(self, kind: object) -> bool:
        return kind in MAKERS

    def __iter__(self) -> Iterator[str]:
        return iter(MAKERS)

    def __len__(self) -> int:
        return len(MAKERS)


def _maker(place: str) -> Callable[[Collaborators], Job]:
    module, _, name = place.partition(":")
    maker: Callable[[Collaborators], Job] = getattr(import_module(f"{__package__}.{module}"), name)
    return maker
