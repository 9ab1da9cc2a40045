"""Sealing with KMS: in parts, for it encrypts no more than 4096 bytes in one call."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

PART_BYTES = 4096


class KmsSealer:
    """Seals with the key, and opens again; fulfils `sealing.Sealer`.

    The client is asked for when there is something to seal: most bots want nothing sensitive.
    """

    def __init__(self, kms: Callable[[], KMSClient], key_id: str) -> None:
        self._kms = kms
        self._key_id = key_id

    def seal(self, plain: bytes, context: Mapping[str, str]) -> str:
        """The ciphertext of something, as text.

        Each part is bound to its place, so none can be moved or left out.
        """
        parts = [plain[at : at + PART_BYTES] for at in range(0, len(plain), PART_BYTES)]
        sealed = []
        for number, part in enumerate(parts, 1):
            bound = _context_of_part(context, number, len(parts))
            answer = self._kms().encrypt(KeyId=self._key_id, Plaintext=part, EncryptionContext=bound)
            sealed.append(b64encode(answer["CiphertextBlob"]).decode())
        return ".".join(sealed)

    def open(self, sealed: str, context: Mapping[str, str]) -> bytes:
        """What was sealed in the same context. Raises what KMS raises, and `ValueError` for no base64."""
        parts = sealed.split(".")
        opened = b""
        for number, part in enumerate(parts, 1):
            bound = _context_of_part(context, number, len(parts))
            answer = self._kms().decrypt(
                KeyId=self._key_id, CiphertextBlob=b64decode(part, validate=True), EncryptionContext=bound
            )
            opened += answer["Plaintext"]
        return opened


def _context_of_part(context: Mapping[str, str], number: int, parts: int) -> dict[str, str]:
    return {**context, "part": f"{number}/{parts}"}
