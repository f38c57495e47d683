"""Splits of a study: drawn once by subject, stored with their events, kept for good."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from lesionary.app.leakage import LeakReport, check_leakage
from lesionary.core.errors import InputError
from lesionary.learn.bonds import bound
from lesionary.learn.lots import Candidate, Part
from lesionary.learn.splits import Assignment, Share, SplitRules, assign

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lesionary.app.study import Study
    from lesionary.io.registry.transaction import Transaction

Stratum = Literal["modality", "region", "none"]

DEFAULT_SPLIT = "default"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_OF_ROLE = {"pretraining": Part.TRAIN, "train": Part.TRAIN, "test": Part.TEST}
_NO_FOLD = "only training subjects have folds, and only where folds were asked for"
_NO_SEED = "neither part nor fold was drawn"


@dataclass(frozen=True, slots=True)
class SplitOptions:
    """What the user asks for.

    Parameters
    ----------
    name : str
        One study may have several splits.
    test, holdout : float or int
        A share of the subjects, or a number of them.
    folds : int
        0 for none.
    seed : int
    by : {"modality", "region", "none"}
        What parts and folds are balanced by: what a subject's series are, taken together.
    """

    name: str = DEFAULT_SPLIT
    test: Share = 0.2
    holdout: Share = 0
    folds: int = 5
    seed: int = 0
    by: Stratum = "modality"

    @property
    def rules(self) -> SplitRules:
        """The same, as the lots are drawn by."""
        return SplitRules(self.test, self.holdout, self.folds, self.seed)


@dataclass(frozen=True, slots=True)
class SplitReport:
    """Who went where, and what the guard says of it."""

    options: SplitOptions
    assigned: Mapping[str, Assignment]
    new: frozenset[str]
    leakage: LeakReport

    def document(self) -> dict[str, Any]:
        """Return the contract's JSON."""
        sizes = Counter(one.part for one in self.assigned.values())
        rules, n = self.options.rules, len(self.assigned)
        return {
            "split": self.options.name,
            "asked": {
                "test": rules.n_of(rules.test, n),
                "holdout": rules.n_of(rules.holdout, n),
                "folds": rules.folds,
            },
            "sizes": {part.value: sizes[part] for part in Part},
            "new": len(self.new),
            "subjects": [_row(name, one) for name, one in self.assigned.items()],
            "leakage": self.leakage.document(),
        }


def _row(name: str, one: Assignment) -> dict[str, Any]:
    row: dict[str, Any] = {
        "subject": name,
        "part": one.part.value,
        "fold": one.fold,
        "origin": one.origin,
        "seed": one.seed,
    }
    texts = {"fold": _NO_FOLD, "seed": _NO_SEED}
    missing = {field: text for field, text in texts.items() if row[field] is None}
    return row | ({"reason": missing} if missing else {})


def require_name(name: str) -> str:
    """Return the name of a split or of a declared set, or refuse it."""
    if not _NAME.fullmatch(name):
        raise InputError(
            "a name has 1 to 64 letters, digits, `.`, `_` or `-`, and begins with one of the first"
            " two",
            code="usage",
        )
    return name


def split_study(study: "Study", options: SplitOptions | None = None) -> SplitReport:
    """Assign every subject that has no part yet; what is assigned stays.

    Subjects found to share a DICOM study or the voxels of a scan are one to the lots. What a layout
    says of a subject's images is kept, and what a declared set of the user says, too: what
    pretrained a model trains here, a declared test or holdout subject is one here.

    Raises
    ------
    InputError, WorkflowError
        As :func:`lesionary.learn.splits.assign`; nothing is written then. A leak is told in the
        report, not raised: it may be one between what was declared.
    """
    options = options or SplitOptions()
    require_name(options.name)
    with study.registry.writing(why=f"split {options.name}") as transaction:
        previous = _previous(transaction, options.name)
        candidates, leaders = _candidates(transaction, options.by)
        assigned = _assign_groups(candidates, leaders, options.rules, previous)
        new = {name: one for name, one in assigned.items() if name not in previous}
        _store(transaction, options.name, new)
    return SplitReport(
        options, assigned, frozenset(new), check_leakage(study, options.name if assigned else None)
    )


def published_subsets(study: "Study", split: str = DEFAULT_SPLIT) -> dict[str, str]:
    """Return the folder of the recist layout, ``train`` or ``test``, of each assigned subject.

    A holdout is published as a test set. Subjects that are not here go where their layout had them,
    and without a layout to ``train``.
    """
    from lesionary.io.registry import tables

    return {
        row["subject_id"]: "train" if row["part"] == Part.TRAIN else "test"
        for row in study.registry.rows(tables.split, name=split)
    }


def _previous(transaction: "Transaction", name: str) -> dict[str, Assignment]:
    from lesionary.io.registry.sets import split_rows

    return {
        row["subject_id"]: Assignment(Part(row["part"]), row["fold"], row["origin"], row["seed"])
        for row in split_rows(transaction.connection, name)
    }


def _store(transaction: "Transaction", name: str, new: Mapping[str, Assignment]) -> None:
    from lesionary.io.registry import tables

    rows = [
        {
            "name": name,
            "subject_id": subject,
            "part": one.part.value,
            "fold": one.fold,
            "origin": one.origin,
            "seed": one.seed,
        }
        for subject, one in new.items()
    ]
    transaction.insert(tables.split, rows, action="assigned")


def _candidates(
    transaction: "Transaction", by: Stratum
) -> tuple[dict[str, Candidate], dict[str, str]]:
    """Return every subject, and whom those go with that are linked to others."""
    from lesionary.io.registry import sets, tables

    connection = transaction.connection
    folders = sets.words_of_subjects(connection, "subset")
    strata = {} if by == "none" else sets.words_of_subjects(connection, by)
    roles = sets.declared_subjects(connection)
    candidates = {
        row["id"]: Candidate(
            name=row["id"],
            key=row["identity_hash"],
            stratum="+".join(strata.get(row["id"], ())),
            given=frozenset(map(Part, folders.get(row["id"], ())))
            | _parts_of(roles.get(row["id"], ())),
        )
        for row in transaction.rows(tables.subject)
    }
    return candidates, bound(sets.linked_subjects(connection))


def _parts_of(roles: "Iterable[str]") -> frozenset[Part]:
    return frozenset(_OF_ROLE.get(role, Part.HOLDOUT) for role in roles)


def _assign_groups(
    candidates: Mapping[str, Candidate],
    leaders: Mapping[str, str],
    rules: SplitRules,
    previous: Mapping[str, Assignment],
) -> dict[str, Assignment]:
    """Draw one lot for all subjects that go together; who was assigned before leads."""
    leader_of = {name: leaders.get(name, name) for name in candidates}
    merged: dict[str, Candidate] = {}
    before: dict[str, Assignment] = {}
    for name, leader in sorted(leader_of.items()):
        own = candidates[name]
        joined = merged.get(leader, replace(candidates[leader], given=frozenset()))
        merged[leader] = replace(joined, given=joined.given | own.given)
        if name in previous:
            before.setdefault(leader, previous[name])
    drawn = assign(merged.values(), rules, before)
    return {
        name: previous.get(name)
        or replace(
            drawn[leader], origin="given" if candidates[name].given else drawn[leader].origin
        )
        for name, leader in sorted(leader_of.items())
    }
