"""Who stays: the protocol's rules laid on all candidates together, and images read only of those.

Rules judge what comes in together with what the study holds: a CT that is held can be the partner
of a PET that comes now. What is held never leaves.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from lesionary.app.curation_steps import GATE, GATE_LABEL, flow_document
from lesionary.app.intake.candidates import Candidate
from lesionary.app.intake.images import Admission, Admitted, region_by_lungs
from lesionary.core.findings import Finding, Outcome
from lesionary.ingest.curate import left_out_by
from lesionary.ingest.curation import Curation, Rule, SeriesFacts, Stay, curate
from lesionary.ingest.curation.verdict import SeriesRule
from lesionary.ingest.series import ImageSeries


@dataclass(frozen=True, slots=True)
class Curated:
    """What became of one series: a row of the registry's ``curation``.

    ``image`` is the image's key where it is in; ``rule`` is ``gate`` where it is unsound.
    """

    key: str
    number: int
    outcome: Stay
    rule: str = ""
    label: str = ""
    reason: str = ""
    shared_reason: str = ""
    unchecked: tuple[tuple[str, str], ...] = ()
    image: str | None = None


def distinct(curated: Iterable[Curated]) -> list[Curated]:
    """Return each series once, in the order of their files; one that came twice is in if it may."""
    of_key: dict[str, Curated] = {}
    for one in sorted(curated, key=lambda one: (one.outcome is not Stay.IN, one.number)):
        of_key.setdefault(one.key, one)
    return sorted(of_key.values(), key=lambda one: (one.number, one.key))


@dataclass(frozen=True, slots=True)
class HeldSeries:
    """What the study holds, as far as rules compare with it.

    Parameters
    ----------
    facts : mapping of str to SeriesFacts
        By keyed series UID; empty where no rule compares series.
    images : mapping of str to str
        Keyed series UIDs of what is held, by the name that curation knows it by.
    """

    facts: Mapping[str, SeriesFacts] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Selection:
    """Admits the candidates that the rules leave.

    Parameters
    ----------
    admission : Admission
    rules : sequence of Rule
        In their order; each has its words of a flow chart.
    labels : sequence of str
        Those words.
    held : HeldSeries
    advance : callable
        Called once for each candidate that is done with.
    """

    admission: Admission
    rules: Sequence[Rule]
    labels: Sequence[str]
    held: HeldSeries
    advance: Callable[[], None]
    curated: list[Curated] = field(default_factory=list)
    admitted: dict[int, Admitted] = field(default_factory=dict)
    """Images by the place of their candidate."""
    ruled_out: list[Candidate] = field(default_factory=list)
    unsound: list[Candidate] = field(default_factory=list)
    _facts: dict[int, SeriesFacts] = field(default_factory=dict)
    _pending: set[int] = field(default_factory=set)

    def admit(self, candidates: Sequence[Candidate]) -> Curation:
        """Admit whom the rules leave; note of all others why they are left out."""
        names = _own_names(candidates)
        for place, candidate in enumerate(candidates):
            if candidate.facts is None:
                self._refuse(candidate, candidate.refusal)
            else:
                self._facts[place] = replace(candidate.facts, series=names[place])
                if candidate.is_pending:
                    self._pending.add(place)
        while True:
            result = self._curate(candidates)
            kept = {one.series for one in result.decisions if one.outcome is Stay.IN}
            waiting = [
                place
                for place, facts in self._facts.items()
                if facts.series in kept and not self._is_read(place)
            ]
            if not waiting:
                break
            for place in waiting:
                self._read(place, candidates[place])
        self._settle(candidates, result)
        return result

    def flow(self) -> dict[str, Any]:
        """Return how many came, and whom each rule left out, as ``ingest --json`` shows it."""
        rules = [(rule.name, label) for rule, label in zip(self.rules, self.labels, strict=True)]
        return flow_document([asdict(one) for one in distinct(self.curated)], rules)

    def _is_read(self, place: int) -> bool:
        return place in self.admitted

    def _curate(self, candidates: Sequence[Candidate]) -> Curation:
        """Lay the rules on all that is open, beside what the study holds."""
        own = {candidates[place].key: facts.series for place, facts in self._facts.items()}
        coming = {self.held.images[key] for key in own if key in self.held.images}
        held = {name for key, name in own.items() if key in self.held.images}
        others = [facts for uid, facts in self.held.facts.items() if uid not in coming]
        pending = {self._facts[place].series for place in self._pending}
        result = curate(
            [*self._facts.values(), *others],
            self.rules,
            held=held | {facts.series for facts in others},
            pending=pending - held,
        )
        return replace(result, decisions=result.decisions[: len(self._facts)])

    def _read(self, place: int, candidate: Candidate) -> None:
        """Read one volume, and store it if it may stay by all that is known of itself."""
        loaded = candidate.read()
        if isinstance(loaded, tuple):
            del self._facts[place]
            self._pending.discard(place)
            self._refuse(candidate, loaded)
            return
        facts = self._known(place, loaded)
        is_held = candidate.key in self.held.images
        if not is_held and not curate([facts], self._own_rules()).kept:
            return
        image = self.admission.admit(candidate.number, loaded, candidate.named, _region(facts))
        if isinstance(image, Finding):
            del self._facts[place]
            self._refuse(candidate, [image])
            return
        self.admitted[place] = image
        self.advance()

    def _known(self, place: int, loaded: ImageSeries) -> SeriesFacts:
        facts = self._facts[place]
        n_slices = loaded.volume.geometry.shape[0] if facts.n_slices is None else facts.n_slices
        region = facts.region or region_by_lungs(loaded)
        self._facts[place] = replace(facts, n_slices=n_slices, region=region)
        self._pending.discard(place)
        return self._facts[place]

    def _own_rules(self) -> list[Rule]:
        return [rule for rule in self.rules if isinstance(rule, SeriesRule)]

    def _refuse(self, candidate: Candidate, findings: Iterable[Finding]) -> None:
        """Note that the gate, or the study, does not take a candidate."""
        found = list(findings)
        self.admission.journal.refuse(candidate.number, found, n_instances=candidate.n_instances)
        against = [one for one in found if one.outcome in {Outcome.LEFT_OUT, Outcome.IGNORED}]
        if any(one.outcome is Outcome.LEFT_OUT for one in found):
            self.unsound.append(candidate)
        if against and candidate.key not in self.held.images:
            self.curated.append(
                Curated(
                    candidate.key,
                    candidate.number,
                    Stay.OUT,
                    GATE,
                    GATE_LABEL,
                    against[0].reason,
                    against[0].code.replace("_", " "),
                )
            )
        self.advance()

    def _settle(self, candidates: Sequence[Candidate], result: Curation) -> None:
        """Note every decision; who was stored and is out after all goes again."""
        for place, decision in zip(self._facts, result.decisions, strict=True):
            candidate, image = candidates[place], self.admitted.get(place)
            is_out = decision.outcome is Stay.OUT
            if is_out:
                finding = left_out_by(decision.rule, decision.reason)
                self.admission.journal.refuse(
                    candidate.number, [finding], n_instances=candidate.n_instances, by_rule=True
                )
                self.ruled_out.append(candidate)
                if image is None:
                    self.advance()
                else:
                    self._take_back(place, image)
            if candidate.key in self.held.images or (image is not None and not image.is_new):
                continue
            self.curated.append(
                Curated(
                    candidate.key,
                    candidate.number,
                    decision.outcome,
                    decision.rule,
                    "" if decision.step is None else self.labels[decision.step],
                    decision.reason,
                    decision.shared_reason,
                    tuple((self.labels[step], lacking) for step, lacking in decision.unchecked),
                    None if is_out or image is None else image.key,
                )
            )

    def _take_back(self, place: int, image: Admitted) -> None:
        """Let an image go whose partner failed; its object is garbage."""
        del self.admitted[place]
        if image.is_new:
            self.admission.held.discard(image.summary)
            self.admission.journal.forget(image.key)


def _own_names(candidates: Sequence[Candidate]) -> list[str]:
    """Return a name for each candidate: its key, and which one it is where several share it."""
    seen: Counter[str] = Counter()
    names = []
    for candidate in candidates:
        seen[candidate.key] += 1
        n = seen[candidate.key]
        names.append(candidate.key if n == 1 else f"{candidate.key}/{n}")
    return names


def _region(facts: SeriesFacts) -> Any:
    return facts.region
