"""The door of a study: its own key and options, and the vault's numbers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lesionary.core.errors import WorkflowError

if TYPE_CHECKING:
    from lesionary.app.door import Door
    from lesionary.app.protocol import BlankSection
    from lesionary.app.study import Study
    from lesionary.ingest.deidentify.pixels import BlankingRule
    from lesionary.io.vault.database import Vault


@dataclass(frozen=True, slots=True)
class StudyDoor:
    """A door, and the vault that it asks."""

    door: "Door"
    vault: "Vault"


@contextmanager
def study_door(
    study: "Study",
    vault_url: str | None = None,
    *,
    extra_words: Sequence[str] = (),
    when_made: Callable[[], None] | None = None,
) -> Iterator[StudyDoor]:
    """Open a study's door; a vault is made at first use.

    Parameters
    ----------
    study : Study
        UIDs stay where its protocol says ``ingest.keep_uids``.
    vault_url : str, optional
        As ``lesionary vault`` takes it.
    extra_words : sequence of str
        What free text may say beyond the built-in list.
    when_made : callable, optional
        Hears that there was no vault, and that there is one now.

    Raises
    ------
    WorkflowError, PrivacyError
        If key or vault cannot be opened, or others may read them.
    """
    from lesionary.app.door import open_door
    from lesionary.ingest.deidentify.options import Option
    from lesionary.ingest.deidentify.profile import Profile
    from lesionary.io.vault.database import Vault

    section = study.protocol.deidentify
    kept = [Option.RETAIN_UIDS.value] if study.protocol.ingest.keep_uids else []
    profile = Profile.default().with_changes(
        added=[*section.options, *kept], left_out=section.without
    )
    try:
        vault = Vault.open(vault_url)
    except WorkflowError as error:
        if error.code != "vault_missing":
            raise
        vault = Vault.create(vault_url)
        if when_made is not None:
            when_made()
    with vault:
        door = open_door(
            profile,
            study.key,
            vault,
            extra_words=[*section.words, *extra_words],
            blanking=[_rule(blank) for blank in section.blank],
        )
        yield StudyDoor(door, vault)


def _rule(section: "BlankSection") -> "BlankingRule":
    from lesionary.ingest.deidentify.pixels import BlankingRule

    regions = tuple((a, b, c, d) for a, b, c, d in section.regions)
    return BlankingRule(section.modality, section.rows, section.columns, regions)
