"""Who trains and who tests: subjects assigned to parts and folds, once and for good.

An assignment rests on the subject's own key and a seed, not on its number or on the order of input,
and it is never taken back: subjects that come later fill the parts up towards the shares asked for.
All series of a subject go where it goes (R14, A10).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from lesionary.core.errors import InputError, WorkflowError
from lesionary.learn.lots import Candidate, Part, draw, fold_up

_SHOWN = 5

Origin = Literal["given", "drawn"]
Share = float | int
"""A share of all subjects (0.2), or a number of them (20)."""


@dataclass(frozen=True, slots=True)
class SplitRules:
    """What is asked for.

    Parameters
    ----------
    test, holdout : float or int
        A float is a share of all subjects, from 0 to below 1, rounded half up, and at least one
        subject where it is not 0. An int is a number of subjects. A holdout is looked at once, at
        the end; a test set may serve to choose between models.
    folds : int
        Folds for cross-validation over the training subjects: 0 for none, else at least 2.
    seed : int
        Another seed draws others.

    Raises
    ------
    InputError
        Code ``split_impossible``, if no set of subjects could fulfil it.
    """

    test: Share = 0.2
    holdout: Share = 0
    folds: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        for name, share in (("test", self.test), ("holdout", self.holdout)):
            if isinstance(share, int):
                if share < 0:
                    raise _impossible(f"{name} asks for {share} subjects")
            elif not 0 <= share < 1:  # also refuses NaN
                raise _impossible(
                    f"a {name} share of {share} leaves nothing to train on or is no share",
                    "shares lie from 0 to below 1, as 0.2; whole numbers count subjects, as 20",
                )
        shares = [share for share in (self.test, self.holdout) if isinstance(share, float)]
        if sum(map(_exact, shares)) >= 1:
            raise _impossible("test and holdout together ask for all subjects")
        if self.folds < 0 or self.folds == 1:
            raise _impossible(f"{self.folds} folds", "0 for none, else 2 or more")

    def n_of(self, share: Share, n_subjects: int) -> int:
        """Return how many of so many subjects a share is."""
        if isinstance(share, int):
            return share
        rounded = int((_exact(share) * n_subjects).to_integral_value(ROUND_HALF_UP))
        return max(rounded, 1) if share > 0 and n_subjects else rounded


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where a subject went.

    Parameters
    ----------
    part : Part
    fold : int, optional
        From 0; None for what is not trained on, or where there are no folds.
    origin : {"given", "drawn"}
        Whether its part came with the images.
    seed : int, optional
        What part or fold were drawn with; None where neither was.
    """

    part: Part
    fold: int | None
    origin: Origin
    seed: int | None


def assign(
    candidates: Iterable[Candidate],
    rules: SplitRules,
    previous: Mapping[str, Assignment] | None = None,
) -> dict[str, Assignment]:
    """Give every subject a part, and those in training a fold.

    Parameters
    ----------
    candidates : iterable of Candidate
        All subjects, in any order, each once.
    rules : SplitRules
        What is asked for.
    previous : mapping of str to Assignment, optional
        What this split said before, by name; it stands, also of subjects that are no candidates.

    Returns
    -------
    dict of str to Assignment
        By name, sorted; every candidate and no other. Parts are as large as asked, unless given or
        previous parts are larger, or too few subjects are left to draw from.

    Raises
    ------
    InputError
        ``split_conflict``: a subject is given to two parts, or to another than it was drawn to.
        ``split_impossible``: nothing left to train on, or fewer training subjects than folds.
    WorkflowError
        ``split_settled``: another seed, or another number of folds, than this split was made with.
    """
    previous = previous or {}
    ordered = sorted(candidates, key=lambda one: one.name)
    _require_told_apart(ordered)
    _require_settled(rules, previous)
    parts = _kept_parts(ordered, previous)
    undecided = [one for one in ordered if one.name not in parts]
    for part, share in ((Part.HOLDOUT, rules.holdout), (Part.TEST, rules.test)):
        n_asked = rules.n_of(share, len(ordered))
        if n_asked > len(ordered):
            raise _impossible(f"{part} asks for {n_asked} of {_subjects(len(ordered))}")
        chosen = draw(part, n_asked, ordered, undecided, parts, rules.seed)
        parts |= dict.fromkeys(chosen, part)
        undecided = [one for one in undecided if one.name not in parts]
    parts |= {one.name: Part.TRAIN for one in undecided}
    training = [one for one in ordered if parts[one.name] is Part.TRAIN]
    _require_training(ordered, training, rules)
    before = {name: one.fold for name, one in previous.items() if one.fold is not None}
    folds = fold_up(training, before, rules.folds, rules.seed)
    drawn = {
        one.name: Assignment(
            part=parts[one.name],
            fold=folds.get(one.name),
            origin="given" if one.given else "drawn",
            seed=rules.seed if one.name in folds or not one.given else None,
        )
        for one in ordered
        if one.name not in previous
    }
    return {one.name: previous.get(one.name) or drawn[one.name] for one in ordered}


def _require_told_apart(candidates: Sequence[Candidate]) -> None:
    for what in ("name", "key"):
        if len({getattr(one, what) for one in candidates}) != len(candidates):
            raise ValueError(f"two candidates of one {what}")
    split = [one for one in candidates if len(one.given) > 1]
    if split:
        raise InputError(
            f"{_named(split)} given both for {' and '.join(sorted(split[0].given))}",
            code="split_conflict",
            hint="put all images of a subject into one folder, train or test; what a declared"
            " pretraining set holds cannot test",
        )


def _require_settled(rules: SplitRules, previous: Mapping[str, Assignment]) -> None:
    """Hold a split to the seed and the number of folds it began with."""
    folds = {one.fold for one in previous.values() if one.fold is not None}
    seeds = {one.seed for one in previous.values() if one.seed is not None}
    n_trained = sum(one.part is Part.TRAIN for one in previous.values())
    n_before = max(folds) + 1 if folds else 0
    if n_trained and n_before != rules.folds:
        problem = f"this split has {n_before} folds, not {rules.folds}"
    elif seeds - {rules.seed}:
        problem = f"this split was drawn with seed {min(seeds - {rules.seed})}, not {rules.seed}"
    else:
        return
    raise WorkflowError(
        problem, code="split_settled", hint="what is assigned stays: make a split of another name"
    )


def _kept_parts(
    candidates: Sequence[Candidate], previous: Mapping[str, Assignment]
) -> dict[str, Part]:
    """Return parts that are not drawn: as before, else as given."""
    parts = {}
    moved = []
    for one in candidates:
        before = previous.get(one.name)
        if before is not None:
            parts[one.name] = before.part
            if one.given and before.part not in one.given:
                moved.append(one)
        elif one.given:
            (parts[one.name],) = one.given
    if moved:
        raise InputError(
            f"{_named(moved)} given for {min(moved[0].given)}, but this split has assigned"
            f" {parts[moved[0].name]} before",
            code="split_conflict",
            hint="what is assigned stays: make a split of another name",
        )
    return parts


def _require_training(
    everyone: Sequence[Candidate], training: Sequence[Candidate], rules: SplitRules
) -> None:
    if everyone and not training:
        raise _impossible(f"of {_subjects(len(everyone))} none is left to train on")
    if len(training) < rules.folds:
        raise _impossible(f"{rules.folds} folds over {_subjects(len(training))} to train on")


def _exact(share: float) -> Decimal:
    """Return a share as it is written: 0.15 of 10 is 1.5, whatever binary makes of it."""
    return Decimal(repr(share))


def _named(candidates: Sequence[Candidate]) -> str:
    names = ", ".join(one.name for one in candidates[:_SHOWN])
    n_more = len(candidates) - _SHOWN
    more = f" and {n_more} more" if n_more > 0 else ""
    return f"{names}{more} {'is' if len(candidates) == 1 else 'are'}"


def _subjects(n: int) -> str:
    return f"{n} subject{'' if n == 1 else 's'}"


def _impossible(problem: str, hint: str = "ask for fewer, or bring more subjects in") -> InputError:
    return InputError(f"this split cannot be: {problem}", code="split_impossible", hint=hint)
