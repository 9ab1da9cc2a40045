"""Sealing with KMS: any length, in one place only."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from shared.storage.sealing import PART_BYTES, KmsSealer
from tests.conftest import ENVIRONMENT, Aws, Call

CONTEXT = {"bot_id": "b", "dialog_id": "d", "kind": "history"}


@pytest.fixture
def sealer(aws_account: Aws) -> KmsSealer:
    return KmsSealer(lambda: aws_account.kms, ENVIRONMENT["HISTORY_KEY_ID"])


@pytest.mark.parametrize(
    ("plain", "parts"),
    [
        ("паспорт 4510 😀".encode(), 1),
        (b"x" * PART_BYTES, 1),
        (b"x" * PART_BYTES + b"y", 2),
        (bytes(range(256)) * 100, 7),
    ],
    ids=["short", "one part", "and a byte", "long"],
)
def test_what_was_sealed_is_opened(
    sealer: KmsSealer, aws_calls: list[Call], plain: bytes, parts: int
) -> None:
    sealed = sealer.seal(plain, CONTEXT)

    assert [call.name for call in aws_calls] == ["kms:Encrypt"] * parts
    assert all(call.params["KeyId"] == ENVIRONMENT["HISTORY_KEY_ID"] for call in aws_calls)
    assert plain[:10] not in sealed.encode()
    assert sealed.isascii()
    assert sealer.open(sealed, CONTEXT) == plain


@pytest.mark.parametrize("name", CONTEXT)
def test_in_another_place_it_does_not_open(sealer: KmsSealer, name: str) -> None:
    sealed = sealer.seal(b"secret", CONTEXT)
    with pytest.raises(ClientError):
        sealer.open(sealed, {**CONTEXT, name: "another"})


def test_parts_can_be_neither_moved_nor_left_out(sealer: KmsSealer) -> None:
    one, two = sealer.seal(b"x" * PART_BYTES + b"y", CONTEXT).split(".")
    for changed in (f"{two}.{one}", one, two, f"{one}.{two}.{two}"):
        with pytest.raises(ClientError):
            sealer.open(changed, CONTEXT)


@pytest.mark.parametrize("sealed", ["", "!", "a b"])
def test_what_was_never_sealed_is_refused(sealer: KmsSealer, sealed: str) -> None:
    with pytest.raises((ClientError, ParamValidationError, ValueError)):
        sealer.open(sealed, CONTEXT)


def test_a_client_is_made_only_where_something_is_sealed() -> None:
    def no_client() -> None:
        raise AssertionError

    KmsSealer(no_client, "key")  # type: ignore[arg-type]
