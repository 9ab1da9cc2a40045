"""Records behind PostgREST."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.backend.contacts.looking_up import MOST_RECORDS, Record
from shared.backend.postgrest import PostgRest, QueryRefused
from shared.backend.sync.settings import ContactLookup, table_of
from shared.errors import AddressRefused, AnswerTooLarge, NotAnswered, TaskFailed
from shared.tasks.retrying import TryAgain


@dataclass(frozen=True, slots=True)
class PostgRestRecords:
    """Fulfils `Records`."""

    database: PostgRest

    def find(self, lookup: ContactLookup, wanted: Mapping[str, str], seconds: float) -> list[Record]:
        table = table_of(lookup.table)
        try:
            return [
                *self.database.select(
                    table.schema, table.name, [*lookup.fields], wanted, MOST_RECORDS, seconds
                )
            ]
        except NotAnswered as why:
            raise TryAgain(f"the main system gives no answer ({why})") from None
        except (AddressRefused, AnswerTooLarge) as why:
            raise TaskFailed(f"the main system cannot be asked: {why}") from None
        except QueryRefused as why:
            if why.is_of_a_value:
                return []
            raise TaskFailed(f"the main system refuses to be asked: {why}") from None
