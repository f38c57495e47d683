"""What comes over the network into a study: through the door, onto the disk, into the journal.

``listen`` and ``pull`` share it. An object is de-identified in memory; only what the door releases
is written. Of each the study's log says what became of it, of each association the audit tells how
many came to what; neither says who sent it, or what it was called.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lesionary.app.door import Taken, TakenAs
from lesionary.app.executor.outcome import Failure, bug
from lesionary.core.errors import LesionaryError
from lesionary.io.log_files import LOGGER, logging_to
from lesionary.io.received import Put, ReceivedFiles

if TYPE_CHECKING:
    from lesionary.app.study import Study
    from lesionary.ingest.deidentify.elements import Buffer

RECEIVED = "received"
"""The action of the audit's events."""

DUPLICATE = "duplicate"
FAILED = "failed"
OUTCOMES = (*(str(one) for one in TakenAs), DUPLICATE, FAILED)

_NO_DOOR_CODES = frozenset({"busy", "not_writable", "vault_key", "vault_missing", "wrong_key"})
_CONFLICT = Taken(
    TakenAs.REFUSED,
    "sop_conflict",
    "another object of the same SOPInstanceUID with other content was received before it",
)


class TakesBytes(Protocol):
    """A door."""

    def take(self, buffer: "Buffer") -> Taken:
        """De-identify one file that lies in memory."""
        ...


class Keeper(Protocol):
    """Keeps originals that are not released, encrypted, outside every study."""

    def keep(self, content: bytes, code: str) -> str:
        """Encrypt and store an object; return the name it is found by."""
        ...


@dataclass(frozen=True, slots=True)
class Received:
    """What became of one object.

    Parameters
    ----------
    outcome : str
        ``released``, ``duplicate`` (it was there already), ``quarantined``, ``refused``, or
        ``failed``: the fault is on this side, and the sender should come again.
    code, reason : str
    path : Path, optional
        Where it lies now.
    """

    outcome: str
    code: str = ""
    reason: str = ""
    path: Path | None = None

    @property
    def is_stored(self) -> bool:
        """Whether it is in the study, from now or from before."""
        return self.outcome in {TakenAs.RELEASED, DUPLICATE}


@dataclass(slots=True)
class Tally:
    """Counts of one association, or of all."""

    outcomes: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)

    def add(self, received: Received) -> None:
        """Count one object."""
        self.outcomes[received.outcome] += 1
        if received.code:
            self.codes[received.code] += 1

    def update(self, other: "Tally") -> None:
        """Count all objects of another tally."""
        self.outcomes.update(other.outcomes)
        self.codes.update(other.codes)

    @property
    def n_objects(self) -> int:
        """How many came."""
        return self.outcomes.total()

    def document(self) -> dict[str, Any]:
        """Return the counts, zeros too, and why objects were not taken."""
        counts = {outcome: self.outcomes[outcome] for outcome in OUTCOMES}
        return counts | {"codes": dict(sorted(self.codes.items()))}


class Reception:
    """Takes objects into a study; threads may share it. Made by :func:`receiving`."""

    def __init__(
        self,
        study: "Study",
        door: TakesBytes,
        *,
        keeper: Keeper | None = None,
    ) -> None:
        self.on_stored: Callable[[Path], None] | None = None
        self.total = Tally()
        self.failures: list[Failure] = []
        self._study = study
        self._door = door
        self._keeper = keeper
        self._files = ReceivedFiles(study.files.root)
        self._log = logging.getLogger(LOGGER)
        self._lock = threading.Lock()
        self._unsaid: list[dict[str, Any]] = []

    @property
    def files(self) -> ReceivedFiles:
        """Where objects are stored."""
        return self._files

    def take(self, content: bytes, tally: Tally, association: int) -> Received:
        """De-identify and store one object; it never raises.

        Parameters
        ----------
        content : bytes
            A DICOM file; kept nowhere, unless it is quarantined and a keeper was given.
        tally : Tally
            Of its association.
        association : int
            Its number, for the log.
        """
        try:
            received = self._taken(content, association)
        except LesionaryError as error:
            received = Received(FAILED, error.code, error.message)
        except Exception as error:  # noqa: BLE001 - one bad object never stops the others
            failure = bug(error)
            received = Received(FAILED, failure.code, failure.reason)
            self.failures.append(failure)
        with self._lock:
            tally.add(received)
            self.total.add(received)
        self._note(received, association)
        if received.is_stored and received.path is not None and self.on_stored is not None:
            self.on_stored(received.path)
        return received

    def end(self, tally: Tally, association: int, ending: str, way: str, *, why: str = "") -> None:
        """Write what an association brought into log and audit.

        Parameters
        ----------
        tally : Tally
        association : int
        ending : str
            How it ended.
        way : str
            What it was: ``C-STORE`` or ``DICOMweb``.
        why : str
            Code of why nothing could be sent on it.
        """
        self._files.arrivals.end(association)
        counts = tally.document()
        fields = {"association": association, "ending": ending, **counts}
        if why:
            fields["code"] = why
        self._log.info("association ended", extra={"fields": fields})
        if tally.n_objects:
            self._unsaid.append({"way": way, "ending": ending, **counts})
        self.say()

    def turn_away(self, code: str) -> None:
        """Log why a connection never became an association."""
        self._log.info("connection turned away", extra={"fields": {"code": code}})

    def say(self) -> bool:
        """Add to the audit what is not in it yet; return whether all of it is.

        A disk that is full refuses it: then it is said with the next association, or at the end.
        """
        from lesionary.io.registry.chain import Draft

        with self._lock:
            while self._unsaid:
                try:
                    self._study.registry.say(
                        Draft(RECEIVED, "study", "over the network", details=self._unsaid[0])
                    )
                except Exception as error:  # noqa: BLE001 - the next association tries again
                    fields = {"error": type(error).__name__}
                    self._log.warning("audit not written", extra={"fields": fields})
                    return False
                self._unsaid.pop(0)
        return True

    def _taken(self, content: bytes, association: int) -> Received:
        taken = self._door.take(content)
        if taken.outcome is TakenAs.RELEASED:
            return self._stored(taken, association)
        if taken.code in _NO_DOOR_CODES:
            return Received(FAILED, taken.code, taken.reason)
        if self._keeper is not None:
            self._keeper.keep(content, taken.code)
        return Received(taken.outcome.value, taken.code, taken.reason)

    def _stored(self, taken: Taken, association: int) -> Received:
        path = self._files.place_of(taken.series_instance_uid, taken.sop_instance_uid)
        self._files.arrivals.note(association, taken.series_instance_uid)
        self._files.note_patient(taken.patient, taken.identity_hash)
        put = self._files.put(path, taken.chunks)
        if put is Put.OTHER:
            return Received(TakenAs.REFUSED.value, _CONFLICT.code, _CONFLICT.reason)
        outcome = TakenAs.RELEASED.value if put is Put.NEW else DUPLICATE
        return Received(outcome, path=path)

    def _note(self, received: Received, association: int) -> None:
        fields: dict[str, object] = {"association": association, "outcome": received.outcome}
        if received.path is not None:
            fields |= {"series": received.path.parent.name, "instance": received.path.stem}
        if received.code:
            fields["code"] = received.code
        self._log.info("object", extra={"fields": fields})


@contextmanager
def receiving(
    study: "Study",
    door: TakesBytes,
    *,
    keeper: Keeper | None = None,
) -> Iterator[Reception]:
    """Be one of the processes that receive into a study; other commands go on beside it.

    Raises
    ------
    WorkflowError
        Code ``not_writable``, or ``study_moved``.
    """
    reception = Reception(study, door, keeper=keeper)
    with logging_to(study.files.logs), reception.files.open():
        study.registry.engine.connect().close()  # a registry that cannot be read is told now
        try:
            yield reception
        finally:
            study.home.require()
            reception.say()
