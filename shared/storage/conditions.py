"""Whether DynamoDB refused a write because of its condition, or failed for another reason."""

from __future__ import annotations

from pynamodb.exceptions import PynamoDBException, TransactWriteError


def is_refused(error: PynamoDBException) -> bool:
    """The condition of a single write did not hold."""
    return error.cause_response_code == "ConditionalCheckFailedException"


def is_overtaken(error: PynamoDBException) -> bool:
    """The condition of a single write did not hold, or the item is in somebody's transaction just now."""
    return is_refused(error) or error.cause_response_code == "TransactionConflictException"


def refused_writes(error: TransactWriteError) -> set[int]:
    """Which writes of a transaction had conditions that did not hold, or met another transaction.

    PynamoDB sends checks first, then deletes, puts and updates, whatever order they were named in.
    """
    return _cancelled_for({"ConditionalCheckFailed", "TransactionConflict"}, error)


def unmet_conditions(error: TransactWriteError) -> set[int]:
    """Of those, the ones whose conditions did not hold."""
    return _cancelled_for({"ConditionalCheckFailed"}, error)


def _cancelled_for(codes: set[str], error: TransactWriteError) -> set[int]:
    reasons = enumerate(error.cancellation_reasons)
    return {place for place, reason in reasons if reason is not None and reason.code in codes}
