"""Which schema this Lesionary reads and writes; light enough for ``status``."""

from lesionary.core.errors import WorkflowError
from lesionary.io.registry.wording import registry_damaged

SCHEMA_VERSION = 3

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


def require_schema(found: int, what: str = "registry", *, oldest: int = SCHEMA_VERSION) -> None:
    """Raise unless this Lesionary takes a registry, or an archive, of a schema as it is.

    Parameters
    ----------
    found : int
        Its schema.
    what : str
        What has it.
    oldest : int
        The oldest that is taken; the newest is :data:`SCHEMA_VERSION`.

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
    if found < oldest:
        raise WorkflowError(
            f"the {what} has schema {found}, this Lesionary writes {SCHEMA_VERSION}",
            code="schema_old",
            hint="`lesionary upgrade STUDY` brings it up; it keeps a copy of the old one",
        )
