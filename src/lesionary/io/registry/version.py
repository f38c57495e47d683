"""Which schema this Lesionary reads and writes; light enough for ``status``."""

from lesionary.core.errors import WorkflowError
from lesionary.io.registry.wording import registry_damaged

SCHEMA_VERSION = 2

SCHEMA = "schema"
"""The setting that holds a registry's schema."""


def schema_of(text: str | None) -> int:
    """Return the schema that a registry says it has.

    Raises
    ------
    WorkflowError
        Code ``registry_damaged`` where it says none.
    """
    if text is None or not text.isdecimal():
        raise registry_damaged()
    return int(text)


def require_schema(found: int, what: str = "registry") -> None:
    """Raise unless the schema of a registry, or of an archive, is this Lesionary's.

    Raises
    ------
    WorkflowError
        Codes ``schema_new`` and ``schema_old``.
    """
    if found > SCHEMA_VERSION:
        raise WorkflowError(
            f"the {what} has schema {found}, this Lesionary reads {SCHEMA_VERSION}",
            code="schema_new",
            hint="use the Lesionary that made it, or a newer one",
        )
    if found < SCHEMA_VERSION:
        raise WorkflowError(
            f"the {what} has schema {found}, this Lesionary writes {SCHEMA_VERSION}",
            code="schema_old",
            hint="`lesionary upgrade STUDY` brings it up; it keeps a copy of the old one",
        )
