"""What the leakage guard compares and what it finds."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lesionary.core.errors import WorkflowError


class Role(StrEnum):
    """What a set is for."""

    PRETRAINING = "pretraining"
    TRAIN = "train"
    TEST = "test"
    HOLDOUT = "holdout"


class Kind(StrEnum):
    """By what two members are the same."""

    PATIENT = "patient"
    STUDY_UID = "study_uid"
    SERIES_UID = "series_uid"
    SOP_UID = "sop_uid"
    PIXELS = "pixels"


WORDS = {
    Kind.PATIENT: "the patient",
    Kind.STUDY_UID: "the StudyInstanceUID",
    Kind.SERIES_UID: "the SeriesInstanceUID",
    Kind.SOP_UID: "the SOPInstanceUID of a slice",
    Kind.PIXELS: "the voxels",
}

Named = tuple[str, str]
"""A value to compare by, and the member that has it."""


@dataclass(frozen=True, slots=True)
class MemberSet:
    """One set: a part, a fold of it, or what the user declared.

    Parameters
    ----------
    role : Role
    values : mapping of Kind to callable
        Each returns, whenever called, values with the names of their members, in any order; kinds
        that are not there are not known of this set. So a set is never in memory as a whole.
    fold : int, optional
        Two training sets with different folds must share nothing either.
    unknown : mapping of Kind to (int, str)
        How many members a kind is not known of, and why.
    """

    role: Role
    values: Mapping[Kind, Callable[[], Iterable[Named]]]
    fold: int | None = None
    unknown: Mapping[Kind, tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leak:
    """Two members, of sets that must share nothing, that are the same."""

    kind: Kind
    first_set: str
    first: str
    second_set: str
    second: str

    def document(self) -> dict[str, str]:
        """Return the pair as JSON."""
        return {
            "same": self.kind.value,
            "first_set": self.first_set,
            "first": self.first,
            "second_set": self.second_set,
            "second": self.second,
        }

    def sentence(self) -> str:
        """Return the pair in words."""
        return (
            f"{self.first} in {self.first_set} and {self.second} in {self.second_set}"
            f" share {WORDS[self.kind]}"
        )


@dataclass(frozen=True, slots=True)
class Unchecked:
    """What the guard could not see: members of a set, or all of them, by one kind."""

    in_set: str
    kind: Kind
    n_members: int | None
    reason: str

    def document(self) -> dict[str, Any]:
        """Return it as JSON; ``members`` is left out where it is all of them."""
        known = {} if self.n_members is None else {"members": self.n_members}
        return {"set": self.in_set, "kind": self.kind.value, "why": self.reason} | known

    def sentence(self) -> str:
        """Return it in words."""
        members = "" if self.n_members is None else f", {self.n_members} members"
        return f"{self.in_set}{members}, by {WORDS[self.kind]}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Leaks:
    """What the guard found.

    Parameters
    ----------
    shown : tuple of Leak
        The first of each kind and pair of sets, up to the limit, sorted.
    n_pairs : int
        All of them.
    by_kind : mapping of Kind to int
        All of them, by what is the same; kinds without a leak are not there.
    unchecked : tuple of Unchecked
        Where a leak could hide.
    """

    shown: tuple[Leak, ...]
    n_pairs: int
    by_kind: Mapping[Kind, int]
    unchecked: tuple[Unchecked, ...]

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "leaks": self.n_pairs,
            "by_kind": {kind.value: n for kind, n in self.by_kind.items()},
            "pairs": [leak.document() for leak in self.shown],
            "unchecked": [one.document() for one in self.unchecked],
        }


class LeakageError(WorkflowError):
    """Sets that must share nothing share something.

    ``details`` stand beside the error in JSON: ``pairs`` and ``n_pairs``.
    """

    code = "leakage"

    def __init__(self, leaks: Leaks, *, split: str | None = None) -> None:
        n_more = leaks.n_pairs - len(leaks.shown)
        more = [f"and {n_more} more pairs"] if n_more else []
        told = "; ".join([*(leak.sentence() for leak in leaks.shown), *more])
        super().__init__(
            f"{f'split {split}: ' if split else ''}sets that must share nothing do: {told}",
            hint="draw a split of another name: it keeps subjects that share scans together, and"
            " out of test and holdout what a declared pretraining set holds; then publish that one:"
            " split under [publish] in study.toml",
            details={
                "pairs": [leak.document() for leak in leaks.shown],
                "n_pairs": leaks.n_pairs,
            },
        )
