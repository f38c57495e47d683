"""Files on their way through the door into one folder: in order, the first of a name stays."""

import re
from collections import Counter, deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from lesionary.app.door import Door, Taken, TakenAs
from lesionary.app.executor.outcome import Failure, bug
from lesionary.core.errors import LesionaryError, UnreadableSeriesError
from lesionary.core.findings import Finding
from lesionary.io.file_kind import FileKind
from lesionary.io.opening import opened
from lesionary.io.released_files import SUFFIX, ReleasedFiles
from lesionary.io.sources import SourceFile

SAME, CONFLICT, DIRECTORY = "duplicate_identical", "sop_conflict", "dicomdir"

_NOT_DICOM = Taken(TakenAs.REFUSED, "not_dicom", "not DICOM: nothing else is ever copied")
_DICOMDIR = Taken(
    TakenAs.REFUSED, DIRECTORY, "a directory of files: they are read one by one without it"
)
_SAME = Taken(
    TakenAs.RELEASED, SAME, "the same as a file before it, once identity is gone: written once"
)
_CONFLICT = Taken(
    TakenAs.QUARANTINED,
    CONFLICT,
    "a file before it has the same SOPInstanceUID and another content; the first one stays",
)
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_LONGEST_UID = 64
_MOST_WAITING, _MOST_WAITING_BYTES = 16, 64 << 20


class _Waiting(NamedTuple):
    """A file that is being written."""

    number: int
    taken: Taken
    place: Path
    n_bytes: int
    is_there: "Future[bool]"


@dataclass(slots=True, repr=False)
class Batch:
    """Takes sources one by one; what became of them is in ``rows``, in no order.

    ``shared_studies`` are DICOM studies, by their new UIDs, that came under two patients: whoever
    has both sees that they are one.

    Parameters
    ----------
    folder : ReleasedFiles
        Open.
    door : Door
    """

    folder: ReleasedFiles
    door: Door
    rows: list[dict[str, Any]] = field(default_factory=list)
    log: Counter[tuple[int, Any]] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    shared_studies: set[str] = field(default_factory=set)
    _places: dict[str, Path] = field(init=False)
    _patients: dict[str, str] = field(default_factory=dict)
    _firsts: dict[str, int] = field(default_factory=dict)
    _waiting: deque[_Waiting] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._places = self.folder.instances()
        for place in self._places.values():
            patient, study, *_ = place.parts
            self._patients.setdefault(study, patient)

    def take(self, file: SourceFile) -> None:
        """Take one file.

        Raises
        ------
        WorkflowError, PrivacyError
            If nothing can be written, or the vault cannot be asked.
        """
        if file.kind is not FileKind.DICOM:
            self._note(file.number, _NOT_DICOM)
            return
        taken = self._taken(file.path)
        if taken.outcome is TakenAs.RELEASED:
            self._release(file.number, taken)
        else:
            self._note(file.number, taken)

    def refuse(self, number: int, name: str, finding: Finding) -> None:
        """Take note of a source that the walk through the input did not let through."""
        is_directory = re.split("[/:]", name)[-1].lower() == DIRECTORY
        refused = Taken(TakenAs.REFUSED, finding.code, finding.reason)
        self._note(number, _DICOMDIR if is_directory else refused)

    def finish(self) -> None:
        """Wait until all files are written."""
        while self._waiting:
            self._settle()

    def _taken(self, path: Path) -> Taken:
        try:
            with opened(path) as stream:
                content = stream.read()
            return self.door.take(content)
        except UnreadableSeriesError as error:
            return Taken(TakenAs.REFUSED, error.code, error.message)
        except LesionaryError:
            raise
        except Exception as error:  # noqa: BLE001 - one bad file never stops the others
            failure = bug(error)
            self.failures.append(failure)
            return Taken(TakenAs.REFUSED, failure.code, failure.reason)

    def _release(self, number: int, taken: Taken) -> None:
        instance, place = taken.sop_instance_uid, place_of(taken)
        if instance in self._firsts:
            self.finish()
        if self._places.get(instance, place) != place:
            self._note(number, _CONFLICT, first=self._firsts.get(instance))
            return
        self._places[instance] = place
        is_there = self.folder.put(place, taken.chunks)
        n_bytes = sum(memoryview(chunk).nbytes for chunk in taken.chunks)
        study = taken.study_instance_uid
        if study and self._patients.setdefault(study, taken.patient) != taken.patient:
            self.shared_studies.add(study)
        said = Taken(taken.outcome, sop_instance_uid=instance, log=taken.log)
        self._waiting.append(_Waiting(number, said, place, n_bytes, is_there))
        if instance in self._firsts:
            self.finish()
        self._firsts.setdefault(instance, number)
        while self._is_full():
            self._settle()

    def _is_full(self) -> bool:
        n_bytes = sum(one.n_bytes for one in self._waiting)
        return len(self._waiting) > _MOST_WAITING or n_bytes > _MOST_WAITING_BYTES

    def _settle(self) -> None:
        number, taken, place, _, is_there = self._waiting.popleft()
        first = self._firsts.get(taken.sop_instance_uid, number)
        if not is_there.result():
            self._note(number, _CONFLICT, first=first if first != number else None)
            return
        self.log.update(taken.log)
        output = place.as_posix()
        if first == number:
            self._note(number, taken, output)
        else:
            self._note(number, _SAME, output, first=first)

    def _note(
        self, number: int, taken: Taken, output: str = "", *, first: int | None = None
    ) -> None:
        row = {"source": number, "output": output or None, "outcome": taken.outcome.value}
        row |= {"code": taken.code or None, "reason": taken.reason or None}
        self.rows.append(row | ({} if first is None else {"first": first}))


def place_of(taken: Taken) -> Path:
    """Return where a released file goes: patient, study, series, instance, by their new names."""
    study = _name_of(taken.study_instance_uid, "study")
    series = _name_of(taken.series_instance_uid, "series")
    return Path(taken.patient, study, series, f"{taken.sop_instance_uid}{SUFFIX}")


def _name_of(uid: str, otherwise: str) -> str:
    return uid if len(uid) <= _LONGEST_UID and _UID.fullmatch(uid) else otherwise
