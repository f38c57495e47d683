"""``file deidentify``: DICOM files under new names, without identity, each by itself.

Patients get the vault's numbers, UIDs keyed hashes, folders and files the new UIDs as names. One
bad file never stops the others; what is not released leaves nothing behind but its reason.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesionary.app.door import Door, TakenAs, open_door
from lesionary.app.executor.outcome import Failure
from lesionary.app.files.release_batch import Batch
from lesionary.app.progress import Progress, Silent
from lesionary.core.errors import InputError, PrivacyError, WorkflowError
from lesionary.io.limits import Limits
from lesionary.io.released_files import ReleasedFiles
from lesionary.io.sources import open_sources
from lesionary.io.study_files import PROTOCOL_FILE, StudyFiles

if TYPE_CHECKING:
    from lesionary.ingest.deidentify.dropped import DroppedWords
    from lesionary.ingest.deidentify.engine import ActionLog
    from lesionary.ingest.deidentify.pixels import BlankingRule

STAGE = "deidentify"

_BLANK = re.compile(r"([A-Za-z]{2,16}):(\d{1,5})x(\d{1,5}):(\d{1,5}),(\d{1,5}),(\d{1,5}),(\d{1,5})")


@dataclass(frozen=True, slots=True)
class Deidentified:
    """What became of every file.

    Parameters
    ----------
    files : list of dict
        ``{source, output, outcome, code, reason}`` in the order of sources, and ``first`` where a
        source before it has the same SOPInstanceUID.
    actions : list of dict
        ``{tag, keyword, action, count}``: what was done, never to what.
    failures : tuple of Failure
        Faults of our own, to be logged.
    sources : tuple of (int, str)
        Number and name of every file, for a source map.
    shared_studies : tuple of str
        DICOM studies, by their new UIDs, that came under two patients.
    """

    files: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    failures: tuple[Failure, ...]
    sources: tuple[tuple[int, str], ...]
    shared_studies: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the contract's JSON."""
        counts = Counter(row["outcome"] for row in self.files)
        return {
            **{outcome.value: counts[outcome] for outcome in TakenAs},
            "files": self.files,
            "actions": self.actions,
            "shared_studies": list(self.shared_studies),
        }


@dataclass(frozen=True, slots=True)
class Choice:
    """What a user chose beside input and output.

    Parameters
    ----------
    vault : str, optional
        URL or file of the vault's database; by default the user's own vault.
    added, left_out : sequence of str
        Options of the basic profile, beyond the usual ones and without them.
    extra_words : sequence of str
        What free text may say beyond the built-in list.
    subject : str, optional
        Whose files those are that name no patient.
    blanks : sequence of str
        Regions of pixels with text: ``US:600x800:0,0,60,800`` is modality, rows × columns, first
        row and column, row and column after the last.
    limits : Limits
    """

    vault: str | None = None
    added: Sequence[str] = ()
    left_out: Sequence[str] = ()
    extra_words: Sequence[str] = ()
    subject: str | None = None
    blanks: Sequence[str] = ()
    limits: Limits = field(default_factory=Limits)


def require_places(source: Path, target: Path, vault: str | None = None) -> None:
    """Say before anything is made that input, output and vault must not mix.

    Raises
    ------
    InputError
        If input and output lie inside each other, or the output is a file or lies in a study.
    PrivacyError
        If the output would hold the vault, or lie in it.
    """
    if target.exists() and not target.is_dir():
        raise InputError(
            "the output is a folder, and a file of that name is there",
            code="usage",
            hint="name a folder that is new or empty",
            source=str(target),
        )
    one, other = source.resolve(), target.resolve()
    if one.is_relative_to(other) or (other.is_relative_to(one) and one.is_dir()):
        raise InputError(
            "input and output must not lie inside each other",
            code="usage",
            hint="name a folder elsewhere: originals and what is released never mix",
            sources=(str(source), str(target)),
        )
    if any(map(_is_study, (other, *other.parents))):
        raise InputError(
            "the output would lie in a study, among what Lesionary keeps",
            code="usage",
            hint="name a folder elsewhere; `lesionary ingest` takes scans into a study",
            source=str(target),
        )
    for folder in _vault_folders(vault):
        if folder.is_relative_to(other) or other.is_relative_to(folder):
            raise PrivacyError(
                "output and vault must not lie inside each other",
                hint="name a folder elsewhere: who gets the output must not get the vault",
                source=str(target),
            )


def _is_study(folder: Path) -> bool:
    return (folder / PROTOCOL_FILE).is_file() and StudyFiles(folder).objects.is_dir()


def _vault_folders(vault: str | None) -> list[Path]:
    from lesionary.io.vault.key_places import KeyFile
    from lesionary.io.vault.place import vault_place

    place = vault_place(vault)
    keys = place.keys.path if isinstance(place.keys, KeyFile) else None
    return [path.resolve().parent for path in (place.path, keys) if path is not None]


@contextmanager
def vault_door(
    choice: Choice,
    *,
    when_made: Callable[[], None] = lambda: None,
    dropped: "DroppedWords | None" = None,
) -> Iterator[Door]:
    """Open a door whose patients' numbers and keys are a vault's.

    Parameters
    ----------
    choice : Choice
    when_made : callable
        Called where there was no vault and one was made.
    dropped : DroppedWords, optional
        Is told which words texts lost.

    Raises
    ------
    InputError
        If there is no such option, or two contradict each other.
    WorkflowError, PrivacyError
        If the vault cannot be opened, or others may read it.
    """
    from lesionary.ingest.deidentify.profile import Profile
    from lesionary.io.vault.database import Vault

    profile = Profile.default().with_changes(added=choice.added, left_out=choice.left_out)
    blanking = [blanking_rule(text) for text in choice.blanks]
    try:
        vault = Vault.open(choice.vault)
    except WorkflowError as error:
        if error.code != "vault_missing":
            raise
        vault = Vault.create(choice.vault)
        when_made()
    with vault:
        yield open_door(
            profile,
            vault.pseudonym_key,
            vault,
            extra_words=choice.extra_words,
            blanking=blanking,
            limits=choice.limits,
            subject=choice.subject,
            dropped=dropped,
        )


def blanking_rule(text: str) -> "BlankingRule":
    """Read a rule as a user writes it: ``US:600x800:0,0,60,800``.

    Raises
    ------
    InputError
        If it is none, or its region lies outside the image.
    """
    from lesionary.ingest.deidentify.pixels import BlankingRule

    found = _BLANK.fullmatch(text.strip())
    if found is not None:
        rows, columns, top, left, bottom, right = map(int, found.groups()[1:])
        if top < bottom <= rows and left < right <= columns:
            return BlankingRule(found[1], rows, columns, ((top, left, bottom, right),))
    raise InputError(
        "a region to blank is written MODALITY:ROWSxCOLUMNS:ROW,COLUMN,ROW,COLUMN, and lies inside",
        code="usage",
        hint="such as US:600x800:0,0,60,800: first row and column, row and column after the last",
    )


def deidentify(
    source: Path, target: Path, door: Door, *, progress: Progress | None = None
) -> Deidentified:
    """De-identify a file, a folder or an archive into a folder.

    Parameters
    ----------
    source, target : path
        As :func:`require_places` allows. The target is made where it is not there. Files in it of
        the same new name and content stay; nothing in it is overwritten.
    door : Door
        With profile, key and vault.
    progress : Progress, optional

    Raises
    ------
    InputError
        If there is no such source.
    WorkflowError
        If the target cannot be written, or the vault cannot be asked.
    """
    shown, folder = progress or Silent(), ReleasedFiles(target)
    with open_sources([source], door.limits) as tree, folder.open():
        batch = Batch(folder, door)
        shown.start(STAGE, len(tree.files))
        for file in tree.files:
            batch.take(file)
            shown.advance(STAGE)
        batch.finish()
        shown.finish(STAGE)
        for refused in tree.findings:
            batch.refuse(refused.number, refused.name, refused.finding)
        named = [(file.number, file.name) for file in tree.files]
        named += [(refused.number, refused.name) for refused in tree.findings]
    return Deidentified(
        sorted(batch.rows, key=lambda row: int(row["source"])),
        actions_of(batch.log),
        tuple(batch.failures),
        tuple(sorted(named)),
        tuple(sorted(batch.shared_studies)),
    )


def actions_of(log: "ActionLog") -> list[dict[str, Any]]:
    """Return the actions as rows, by tag."""
    from lesionary.ingest.deidentify.dictionary import keyword_of

    return [
        {
            "tag": f"{tag >> 16:04x},{tag & 0xFFFF:04x}",
            "keyword": keyword_of(tag) or None,
            "action": action.value,
            "count": count,
        }
        for (tag, action), count in sorted(log.items())
    ]
