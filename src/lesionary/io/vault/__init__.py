"""The vault: what leads back to patients, kept beside no study.

``study_keys`` has the keys of studies, ``database`` the vault itself: identities under random
numbers, encrypted, found by a keyed index. ``vault_keys`` are its keys, ``key_places`` where they
lie (a file of the owner's alone, the environment, a keyring), ``place`` where the database lies.
``identity`` says when two patient IDs are one, ``audit`` writes down who asked for what,
``rotation`` changes the Fernet key, ``checking`` tells whether all of it holds.

Only what needs no library is imported here: studies ask for their keys at every start.
"""

from lesionary.io.vault.study_keys import (
    KEY_BYTES,
    create_key,
    default_folder,
    key_check,
    read_key,
    require_key,
    vault_folder,
)

__all__ = [
    "KEY_BYTES",
    "create_key",
    "default_folder",
    "key_check",
    "read_key",
    "require_key",
    "vault_folder",
]
