"""What must hold of a study, however often it was killed."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesionary.app.study import Study
from lesionary.app.verify import verify_target
from lesionary.core.identity import canonical_json
from lesionary.io.durable import PARTIAL
from lesionary.io.registry import tables
from lesionary.io.registry.chain import breaks
from lesionary.io.registry.status import STAGES
from torture.workshop import Copy

ENTERED = ("subject", "timepoint", "series", "source_instance", "annotation", "box")
"""Tables that an ingest fills, whatever came before it."""

Rows = Mapping[str, list[str]]


class FaultError(Exception):
    """Something that must hold does not."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What an undisturbed study holds.

    Parameters
    ----------
    entered : dict of str to list of str
        Rows that came in, by table.
    findings : list of str
        What ingest noticed.
    drawings : dict of str to str
        SHA-256 of the files of all masks that people drew.
    units : dict
        Key and output of every unit by stage and name.
    release : dict of str to str
        SHA-256 of every published file.
    """

    entered: Rows
    findings: list[str]
    drawings: Mapping[str, str]
    units: Mapping[tuple[str, str], str]
    release: Mapping[str, str]

    @classmethod
    def of(cls, copy: Copy) -> "Expected":
        """Look at a study that nobody disturbed."""
        with copy.opened() as study:
            return cls(
                _entered(study),
                _rows(study, "finding"),
                _drawings(study),
                _units(study),
                _files(study.files.release),
            )


def check_ingested(copy: Copy, expected: Expected) -> bool:
    """Check a study whose ingest was killed: all came in or nothing. Tell whether it did.

    Raises
    ------
    FaultError
    """
    _verify(copy)
    with copy.opened() as study:
        entered = _entered(study)
        n_rows = sum(map(len, entered.values())) + len(_rows(study, "finding"))
        n_ingests = study.registry.meta("ingests")
    if (n_rows, n_ingests) == (0, "0"):
        return False
    _same(entered, expected.entered, "a killed ingest left part of what came in")
    return True


def check_entered(copy: Copy, expected: Expected, *, at_once: bool) -> None:
    """Check that an ingest is complete; ``at_once``: in the one that is counted first.

    Raises
    ------
    FaultError
    """
    with copy.opened() as study:
        _same(_entered(study), expected.entered, "what came in is not what should")
        _same(_drawings(study), expected.drawings, "a reader's mask is lost or changed")
        if at_once:
            _same(_rows(study, "finding"), expected.findings, "other findings than in calm")


def check_killed(copy: Copy, expected: Expected) -> None:
    """Check a study whose process was killed a moment ago.

    Raises
    ------
    FaultError
    """
    check_entered(copy, expected, at_once=False)
    _verify(copy)
    with copy.opened() as study:
        units = _units(study)
        odd = {name for name, unit in units.items() if expected.units.get(name) != unit}
        _same(odd, set(), "a recorded unit is not that of the calm run")


def check_finished(copy: Copy, expected: Expected) -> None:
    """Check a study whose run ended well.

    Raises
    ------
    FaultError
    """
    check_entered(copy, expected, at_once=True)
    _verify(copy)
    with copy.opened() as study:
        _same(_files(study.files.release), expected.release, "the release is another")
        _same(_units(study), expected.units, "the units are others")
        chain = list(breaks(study.registry.events(), study.registry.head()))
        _same(chain, [], "the chain of events is broken")
        _same(study.registry.rows(tables.claim), [], "a claim is left over")
        due = {row["stage"]: row["due"] for row in study.status()["stages"] if row["due"]}
        _same(due, {}, "status says that something is due")
        done = Counter(event.object for event in study.registry.events() if event.action == "done")
        again = {name for name, n in done.items() if n > 1 and name != "unit/publish/release"}
        _same(again, set(), "a unit was recorded more than once")
    left = [path.name for path in copy.folder.rglob(f"{PARTIAL}*")]
    _same(left, [], "something half-written is left over")
    _same(_names(copy.folder / "holders"), [], "a dead holder's lock is left over")


def stage_reached(copy: Copy, expected: Expected) -> str | None:
    """Return the first stage of which something is not recorded; None where all is."""
    with copy.opened() as study:
        missing = {stage for stage, _ in expected.units.keys() - _units(study).keys()}
    return next((stage for stage in STAGES if stage in missing), None)


def _verify(copy: Copy) -> None:
    with copy.opened() as study:
        failed = verify_target(study.files.root).failed
    _same(failed, [], "verify finds something")


def _same(found: Any, wanted: Any, otherwise: str) -> None:
    if found == wanted:
        return
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        names = sorted(
            str(name)
            for name in found.keys() | wanted.keys()
            if found.get(name) != wanted.get(name)
        )
        raise FaultError(f"{otherwise}: {', '.join(names)[:500]}")
    raise FaultError(f"{otherwise}: {str(found)[:500]}")


def _entered(study: Study) -> Rows:
    return {name: _rows(study, name) for name in ENTERED}


def _rows(study: Study, table: str) -> list[str]:
    rows = study.registry.rows(tables.metadata.tables[table])
    return sorted(canonical_json(dict(row)).decode() for row in rows)


def _units(study: Study) -> dict[tuple[str, str], str]:
    return {
        (row["stage"], row["name"]): canonical_json(
            [row[name] for name in ("key", "state", "output", "inputs", "model", "seed", "code")]
        ).decode()
        for row in study.registry.rows(tables.unit)
    }


def _drawings(study: Study) -> dict[str, str]:
    names = sorted({row["object_id"] for row in study.registry.rows(tables.annotation)})
    return {name: _digest(study.objects.path_of(name)) for name in names}


def _files(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): _digest(path) for path in _below(folder)}


def _below(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return "missing"
