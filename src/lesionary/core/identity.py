"""Names that content gives itself: canonical bytes, hashes, ids."""

import hashlib
import json
import uuid
from collections.abc import Iterable
from typing import Any

NAMESPACE = uuid.UUID("6f1c7b3e-7c39-5d0b-9a0e-5d1d8a9f2c11")
"""Root of every UUIDv5 that Lesionary derives."""


def canonical_json(value: Any) -> bytes:
    """Serialise so that equal values give equal bytes: sorted keys, no spaces, shortest floats.

    Raises
    ------
    ValueError
        If a number is not finite: JSON has no word for it.
    """
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def digest(parts: Iterable[bytes | bytearray | memoryview]) -> str:
    """Return the SHA-256 of the parts one after the other, as 64 hexadecimal digits."""
    state = hashlib.sha256()
    for part in parts:
        state.update(part)
    return state.hexdigest()


def key_of(*values: Any) -> str:
    """Return the hash that names a piece of work by all it depends on."""
    return digest([canonical_json(list(values))])


def derived_uuid(*parts: str) -> uuid.UUID:
    """Return the UUIDv5 of a derived row: the same parts, the same id."""
    return uuid.uuid5(NAMESPACE, "\x1f".join(parts))
