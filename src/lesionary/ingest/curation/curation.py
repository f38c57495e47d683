"""Curation: every series ends in or out, with the first rule that put it out and its reason."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from lesionary.core.errors import InputError
from lesionary.ingest.curation.facts import SeriesFacts
from lesionary.ingest.curation.verdict import (
    Missing,
    Pair,
    Rule,
    SeriesRule,
    Unfit,
    Unknown,
    Verdict,
)


class Stay(StrEnum):
    """Whether a series is part of the study."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one series.

    Parameters
    ----------
    series : str
        As in its facts.
    outcome : Stay
    rule : str
        Name of the rule that put it out; empty where it is in.
    step : int, optional
        Place of that rule, from 0.
    reason : str
        Why it is out; for a series that is in, what a rule could not check and let pass.
    shared_reason : str
        The same without the series' own value: what all have in common that a limit puts out.
    unchecked : tuple of (int, str)
        Rules, by their place, that let it pass without knowing what they ask, and what is lacking.
    """

    series: str
    outcome: Stay
    rule: str = ""
    step: int | None = None
    reason: str = ""
    shared_reason: str = ""
    unchecked: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What one rule did: how many came, how many it left, and why it put out the others.

    ``reasons`` counts the series by reason, the most frequent first; ``n_unchecked`` are those that
    it kept without knowing the element.
    """

    rule: str
    n_before: int
    n_left: int
    reasons: tuple[tuple[str, int], ...]
    unchecked: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Curation:
    """All decisions, in the order in which the series were given, and the flow of counts."""

    decisions: tuple[Decision, ...]
    steps: tuple[Step, ...]
    pairs: tuple[Pair, ...]

    @property
    def kept(self) -> tuple[str, ...]:
        """Series that are in, in the order given."""
        return tuple(one.series for one in self.decisions if one.outcome is Stay.IN)


def curate(
    series: Sequence[SeriesFacts],
    rules: Sequence[Rule],
    *,
    held: Collection[str] = (),
    pending: Collection[str] = (),
) -> Curation:
    """Lay the rules on the series, one after the other.

    Parameters
    ----------
    series : sequence of SeriesFacts
        Any order: it does not change what is decided.
    rules : sequence of Rule
        Each sees what the ones before have left. Without rules all is in.
    held : collection of str
        Series that are in for good: others are compared with them, no rule puts them out, and no
        count has them.
    pending : collection of str
        Series of which more will be known: out only by what is known of each alone.

    Returns
    -------
    Curation
        One decision a series, one step a rule. No series: no decisions, all counts 0.

    Raises
    ------
    InputError
        If two series have one identifier.
    """
    if len({facts.series for facts in series}) != len(series):
        raise InputError("two series have one identifier", hint="give each series of the list once")
    left = list(series)
    book = _Book(frozenset(held), frozenset(pending))
    pairs: tuple[Pair, ...] = ()
    for number, rule in enumerate(rules):
        verdicts, found = _verdicts(rule, left)
        left = book.lay(number, rule, left, verdicts)
        pairs = found if rule.name == "pet_ct_pair" else pairs
    kept = {facts.series for facts in left}
    decisions = tuple(book.decision(facts.series) for facts in series)
    whole = tuple(pair for pair in pairs if {pair.pet, pair.ct} <= kept)
    return Curation(decisions, tuple(book.steps), whole)


@dataclass(slots=True)
class _Book:
    """What was decided so far."""

    held: frozenset[str]
    pending: frozenset[str]
    steps: list[Step] = field(default_factory=list)
    _out: dict[str, Decision] = field(default_factory=dict)
    _unchecked: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def lay(
        self,
        number: int,
        rule: Rule,
        left: Sequence[SeriesFacts],
        verdicts: Mapping[str, Verdict],
    ) -> list[SeriesFacts]:
        """Note what one rule says; return whom it leaves."""
        reasons: Counter[str] = Counter()
        unchecked: Counter[str] = Counter()
        staying = []
        for facts in left:
            verdict = self._heard(rule, facts.series, verdicts.get(facts.series))
            reason, is_out = _decide(verdict, rule.missing)
            if is_out:
                shared = verdict.reason if isinstance(verdict, Unfit) else reason
                self._out[facts.series] = Decision(
                    facts.series, Stay.OUT, rule.name, number, reason, shared
                )
                reasons[shared] += 1
                continue
            if reason:
                self._unchecked.setdefault(facts.series, []).append((number, reason))
                unchecked[reason] += 1
            staying.append(facts)
        self.steps.append(
            Step(
                rule.name,
                self._n_counted(left),
                self._n_counted(staying),
                _counted(reasons),
                _counted(unchecked),
            )
        )
        return staying

    def decision(self, series: str) -> Decision:
        """Return what became of a series."""
        unchecked = tuple(self._unchecked.get(series, ()))
        if series in self._out:
            return replace(self._out[series], unchecked=unchecked)
        noted = "; ".join(reason for _, reason in unchecked)
        return Decision(series, Stay.IN, reason=noted, unchecked=unchecked)

    def _heard(self, rule: Rule, series: str, verdict: Verdict) -> Verdict:
        if series in self.held:
            return None
        if series not in self.pending:
            return verdict
        return verdict if isinstance(rule, SeriesRule) and isinstance(verdict, Unfit) else None

    def _n_counted(self, series: Sequence[SeriesFacts]) -> int:
        return sum(facts.series not in self.held for facts in series)


def _counted(reasons: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(reasons.items(), key=lambda entry: (-entry[1], entry[0])))


def _verdicts(
    rule: Rule, series: Sequence[SeriesFacts]
) -> tuple[dict[str, Verdict], tuple[Pair, ...]]:
    if isinstance(rule, SeriesRule):
        return {facts.series: rule.judge(facts) for facts in series}, ()
    selection = rule.select(series)
    return dict(selection.verdicts), selection.pairs


def _decide(verdict: Verdict, missing: Missing) -> tuple[str, bool]:
    """Return the reason, or what is unchecked, and whether the series is out."""
    if isinstance(verdict, Unfit):
        return str(verdict), True
    if isinstance(verdict, Unknown):
        return f"{verdict.element} is not known", missing == "leave_out"
    return "", False
