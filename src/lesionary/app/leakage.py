"""The leakage guard over a study: its splits, and what its user declared, against each other."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from lesionary.core.errors import WorkflowError
from lesionary.learn.leakage import find_leaks
from lesionary.learn.members import Kind, LeakageError, Leaks, MemberSet, Named, Role

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from lesionary.app.study import Study
    from lesionary.io.registry.sets import PartCounts

_SHOWN = 20

_FROM_FILE = "known by one image file's name only: a second scan of such a patient is not seen"
_WITHOUT_SLICES = "came as image files: they have no SOPInstanceUIDs"
_WITHOUT_PIXELS = "came in before voxels were compared"


@dataclass(frozen=True, slots=True)
class SplitLeaks:
    """What the guard found in one split.

    Parameters
    ----------
    split : str, optional
        None where the study has no split: then all is training.
    leaks : Leaks
    n_unassigned : int
        Subjects that came in after the split was drawn: compared as what they are published as.
    """

    split: str | None
    leaks: Leaks
    n_unassigned: int

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        named: dict[str, Any] = {"split": self.split}
        if self.split is None:
            named["reason"] = {"split": "there is none yet: all subjects count as training"}
        return named | {"unassigned": self.n_unassigned} | self.leaks.document()


@dataclass(frozen=True, slots=True)
class LeakReport:
    """What the guard found in a study."""

    splits: tuple[SplitLeaks, ...]

    @property
    def n_pairs(self) -> int:
        """How many pairs leak, over all splits."""
        return sum(one.leaks.n_pairs for one in self.splits)

    def document(self) -> dict[str, Any]:
        """Return the contract's JSON."""
        return {"splits": [one.document() for one in self.splits]}

    def require_none(self) -> None:
        """Raise :class:`LeakageError`, code ``leakage``, for the first split with a leak."""
        for one in self.splits:
            if one.leaks.n_pairs:
                raise LeakageError(one.leaks, split=one.split)


def check_leakage(study: "Study", split: str | None = None) -> LeakReport:
    """Compare the sets of one split, or of every split, and all declared sets.

    Who is not assigned counts as what a release makes of it: training, or what its layout's folder
    says (``CONTRACT.md`` §5). So what the user declared must share nothing with it either.

    Raises
    ------
    WorkflowError
        Code ``no_split``, if the split that is named is not there.
    """
    from lesionary.io.registry.sets import split_names

    with study.registry.reading() as connection:
        known = split_names(connection)
        if split is not None and split not in known:
            raise WorkflowError(
                "the study has no split of this name",
                code="no_split",
                hint=f"its splits: {', '.join(known)}" if known else "draw one: `lesionary split`",
            )
        names: list[str | None] = [*known] if split is None else [split]
        return LeakReport(tuple(_check(connection, name) for name in names or [None]))


def require_no_leakage(study: "Study") -> None:
    """Refuse to go on where what is published as test shares anything with what trains.

    What counts is the split that the protocol publishes, if it is drawn.

    Raises
    ------
    WorkflowError
        Code ``leakage``, naming the pairs; see :class:`LeakageError` for splits. Without a split
        what counts is the folders of the layout that the images came in.
    """
    from lesionary.io.registry.checks import shared_by_subsets
    from lesionary.io.registry.sets import split_names

    name = study.protocol.publish.split
    with study.registry.reading() as connection:
        is_drawn = name in split_names(connection)
        found = _check(connection, name if is_drawn else None)
        shared = [] if is_drawn else list(shared_by_subsets(connection))
    if shared:
        told = "; ".join(f"{what}: {', '.join(names)}" for what, names in shared[:_SHOWN])
        raise WorkflowError(
            f"the folders train and test, as they were given, share {told}",
            code="leakage",
            hint="draw a split: `lesionary split`; or mend the folders and begin a new study",
            details={"pairs": [{"same": what, "series": names} for what, names in shared]},
        )
    LeakReport((found,)).require_none()


def _check(connection: "Connection", split: str | None) -> SplitLeaks:
    from lesionary.io.registry.sets import n_unassigned

    sets = dict(_parts(connection, split)) | dict(_declared(connection))
    n_missing = 0 if split is None else n_unassigned(connection, split)
    return SplitLeaks(split, find_leaks(sets), n_missing)


def _parts(connection: "Connection", split: str | None) -> Iterator[tuple[str, MemberSet]]:
    from lesionary.io.registry.sets import SplitMembers

    members = SplitMembers(connection, split)
    for part in members.parts():
        role, name, fold = _named(part, split)
        values: dict[Kind, Callable[[], Iterator[Named]]] = {
            kind: partial(members.values, part, kind.value) for kind in Kind
        }
        yield name, MemberSet(Role(role), values, fold, _unknown(members.counts(part)))


def _named(part: tuple[str, int | None], split: str | None) -> tuple[str, str, int | None]:
    """Return a part's role, how leaks call it, and its fold."""
    from lesionary.io.registry.sets import UNASSIGNED

    for role, unassigned in UNASSIGNED.items():
        if part == unassigned:
            return role, role if split is None else f"{role}, not assigned yet", None
    role, fold = part
    return role, role if fold is None else f"{role}, fold {fold}", fold


def _unknown(counts: "PartCounts") -> dict[Kind, tuple[int, str]]:
    unknown = {
        Kind.PATIENT: (counts.n_from_file, _FROM_FILE),
        Kind.SOP_UID: (counts.n_without_slices, _WITHOUT_SLICES),
        Kind.PIXELS: (counts.n_without_pixels, _WITHOUT_PIXELS),
    }
    return {kind: found for kind, found in unknown.items() if found[0]}


def _declared(connection: "Connection") -> Iterator[tuple[str, MemberSet]]:
    from lesionary.io.registry.sets import declared_sets, declared_values

    for (name, role), kinds in declared_sets(connection).items():
        values: Mapping[Kind, Callable[[], Iterator[Named]]] = {
            Kind(kind): partial(declared_values, connection, name, kind) for kind in kinds
        }
        yield f"declared {role} set {name}", MemberSet(Role(role), values)
