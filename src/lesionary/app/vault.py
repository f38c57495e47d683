"""The vault for people: made, asked, rotated, checked; each answer as a document."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lesionary.core.errors import InputError
from lesionary.io.actor import this_actor
from lesionary.io.durable import replacing
from lesionary.io.kept_objects import KeptObjects
from lesionary.io.vault import audit as vault_audit
from lesionary.io.vault import checking, rotation, schema
from lesionary.io.vault.database import UNKNOWN, Vault
from lesionary.io.vault.key_places import FILE, KEYRING, KeyFile

LOOKED_UP = "looked up by patient ID"
"""The reason of a look-up that gives none of its own."""


def create(url: str | None, key: str | None) -> dict[str, Any]:
    """Make a vault and its keys; say where the keys are, never what they are.

    Raises
    ------
    InputError
        Code ``usage``, if ``key`` is no place for keys.
    """
    if key is not None and not key.removeprefix(FILE).removeprefix(KEYRING).strip():
        raise _no_place()
    if key is not None and not key.startswith((FILE, KEYRING)):
        raise _no_place()
    with Vault.create(url, key=key) as vault:
        keys = vault.place.keys
        path = str(keys.path) if isinstance(keys, KeyFile) else None
        document: dict[str, Any] = {
            "vault": vault.id,
            "database": vault.place.kind,
            "database_file": None if vault.place.path is None else str(vault.place.path),
            "keys": keys.kind,
            "key_file": path,
        }
        reasons = {
            "database_file": "the database lies on a server",
            "key_file": "the keys lie in no file",
        }
        absent = {name: why for name, why in reasons.items() if document[name] is None}
        return document | ({"reason": absent} if absent else {})


def _no_place() -> InputError:
    return InputError(
        "--key names no place for the vault's keys",
        code="usage",
        hint="file:PATH, or keyring:NAME",
    )


def reveal(url: str | None, number: str, why: str) -> dict[str, Any]:
    """Return whose number it is; the audit is written first."""
    with Vault.open(url) as vault:
        # What is no number may be a name: it is refused, and written down, without being repeated.
        wanted = int(number) if number.isascii() and number.isdecimal() else 0
        identity = vault.reveal(wanted, why)
        return {"number": wanted, "patient_id": identity.patient_id, "issuer": identity.issuer}


def find(url: str | None, patient_id: str, issuer: str, why: str) -> dict[str, Any]:
    """Return an identity's number, or null; the audit says that somebody looked.

    Raises
    ------
    InputError
        Code ``subject_missing`` if there is no patient ID.
    """
    if not patient_id.strip():
        raise InputError(
            "no patient ID was given",
            code="subject_missing",
            hint="`lesionary vault find` asks for it, or reads it from a pipe",
        )
    with Vault.open(url) as vault:
        number = vault.find(patient_id, issuer)
        if number is None:
            vault.record("not_found", UNKNOWN, why)
            return {"number": None, "reason": {"number": "the vault does not know this patient"}}
        vault.record("found", f"identity/{number}", why)
        return {"number": number}


def kept(url: str | None) -> dict[str, Any]:
    """Return the names of quarantined originals that are kept beside the vault."""
    with Vault.open(url) as vault:
        return {"kept": list(KeptObjects(vault).names())}


def give_kept(url: str | None, name: str, output: Path, why: str) -> dict[str, Any]:
    """Write a kept original to a file of its owner's alone; the audit knows before it is there."""
    with Vault.open(url) as vault:
        reason, objects = vault.clean_reason(why), KeptObjects(vault)
        content = objects.read(name)
        vault.record("gave", f"kept/{name}", reason)
        with replacing(output) as temporary:
            how = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(temporary, how, 0o600), "wb") as file:
                file.write(content)
        return {"name": name, "output": str(output), "bytes": len(content)}


def rotate(url: str | None, why: str) -> dict[str, Any]:
    """Encrypt all identities under a new key."""
    with Vault.open(url) as vault:
        return asdict(rotation.rotate(vault, why=vault.clean_reason(why), actor=this_actor()))


def add_key(url: str | None) -> dict[str, Any]:
    """Put a new key in front that nothing is encrypted under yet."""
    with Vault.open(url) as vault:
        return {"is_added": rotation.add_key(vault), "n_keys": len(vault.keys.fernet)}


def retire(url: str | None, why: str) -> dict[str, Any]:
    """Remove what old keys encrypted, and the old keys."""
    with Vault.open(url) as vault:
        return asdict(rotation.retire(vault, why=vault.clean_reason(why), actor=this_actor()))


def audit(url: str | None, last: int) -> dict[str, Any]:
    """Return the last events."""
    if last < 1:
        raise InputError(
            f"there are no last {last} events", code="usage", hint="--last takes 1 or more"
        )
    with Vault.open(url) as vault, vault.reading() as connection:
        n_events = vault_audit.head(connection).seq
        events = vault_audit.events(connection, after=max(0, n_events - last))
        return {"events": [one.document() for one in events], "n_events": n_events}


def status(url: str | None) -> dict[str, Any]:
    """Return what is in the vault, in counts."""
    with Vault.open(url) as vault, vault.reading() as connection:
        head = vault_audit.head(connection)
        counted = sa.select(sa.func.count()).select_from(schema.identity)
        return {
            "vault": vault.id,
            "database": vault.place.kind,
            "keys": vault.place.keys.kind,
            "n_keys": len(vault.keys.fernet),
            "generation": vault.cipher(connection).generation,
            "n_identities": connection.execute(counted).scalar_one(),
            "n_events": head.seq,
            "anchor": f"{head.seq}:{head.hash}",
        }


def verify(url: str | None, anchor: str | None) -> dict[str, Any]:
    """Check everything; return what does not hold."""
    with Vault.open(url) as vault:
        failed = [asdict(one) for one in checking.failures(vault, anchor=anchor)]
    checked = ["guards", "audit", "identities"]
    return {"checked": checked, "done": [] if failed else checked, "failed": failed}
