"""A table of links as a reader edited it, read as decisions on the links that there are.

What stands in the table is what shall be. A row as it was is affirmed; a row that leads elsewhere
relinks; one more row from a lesion that another row keeps is a split; a row whose later or earlier
lesion is emptied rejects. A link without a row is not decided, unless another row takes its later
lesion. The relation must go with the lesions that a row names; the status counts where a lesion is
gone: ``not_evaluable`` in place of ``absent`` rejects that it is absent.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lesionary.measure.response.faults import RowFault
from lesionary.measure.tracks.affirming import Decision, Verdict, affirm_what_holds
from lesionary.measure.tracks.records import LinkState, Place, Proposal, Relation, TrackStatus
from lesionary.measure.tracks.weaving import Tracks

_Key = tuple[Place, Place]

_ORDER = (Verdict.REJECT, Verdict.RELINK, Verdict.SPLIT, Verdict.AFFIRM)
"""Affirming comes last: a row that another one makes untrue is then found out."""

CONTRADICTED = "another row makes this link impossible: leave one of the two out"


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One row of an edited table.

    Parameters
    ----------
    line : int
        From 1 with the header.
    from_place, to_place : Place
        ``lesion`` is None where the field is empty; the series matters only where it is not.
    relation, status : str
        As they stand; empty where the table does not say.
    """

    line: int
    from_place: Place
    to_place: Place
    relation: str = ""
    status: str = ""

    @property
    def key(self) -> _Key:
        """What the row is about, whatever series stands where there is no lesion."""
        return _plain(self.from_place), _plain(self.to_place)


class LinkDecision(NamedTuple):
    """A decision, and the line that asks for it."""

    line: int
    decision: Decision


def decisions_of(
    tracks: Tracks, rows: Sequence[LinkRow], reader: str
) -> tuple[list[LinkDecision], list[RowFault]]:
    """Read a subject's rows as decisions.

    Parameters
    ----------
    tracks : Tracks
        As proposed, with what readers decided before.
    rows : sequence of LinkRow
        In any order.
    reader : str
        Who edited the table.

    Returns
    -------
    tuple of list and list
        The decisions in the order in which they apply, none for what is affirmed already; and what
        is wrong with rows. With a fault nothing is to be applied.
    """
    book = _Edits(tracks, reader)
    for row in rows:
        book.keep(row)
    for row in rows:
        if book.is_edited(row):
            book.change(row)
    book.take_away_what_is_replaced()
    decisions = sorted(book.decisions, key=lambda one: _ORDER.index(one.decision.verdict))
    if not book.faults:
        _, refused = affirm_what_holds(tracks, [one.decision for one in decisions])
        book.faults += [RowFault(decisions[n].line, CONTRADICTED) for n in refused]
    return decisions, book.faults


def _plain(place: Place) -> Place:
    return place if place.lesion is not None else Place(place.timepoint, "")


@dataclass
class _Edits:
    tracks: Tracks
    reader: str
    decisions: list[LinkDecision] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)
    _kept: dict[_Key, Proposal] = field(default_factory=dict)
    _used: set[_Key] = field(default_factory=set)
    _split: dict[Place, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._links = {(_plain(one.from_place), _plain(one.to_place)): one
                       for one in self.tracks.links}  # fmt: skip
        self._lesions = frozenset(self.tracks.places)
        self._twins = frozenset(self.tracks.twins)

    def is_edited(self, row: LinkRow) -> bool:
        """Tell whether no link is as the row says."""
        return row.key not in self._links

    def keep(self, row: LinkRow) -> None:
        """Take a row that is about a link that there is."""
        link = self._links.get(row.key)
        if link is None:
            return
        if row.key in self._kept:
            self._fault(row, "this link has another row already")
            return
        self._kept[row.key] = link
        is_other = link.relation is Relation.GONE and row.status not in {"", link.status}
        why = _fault_of_words(row) or (_fault_of_status(row, link) if is_other else "")
        if why:
            self._fault(row, why)
        elif is_other:
            self._decide(row.line, Verdict.REJECT, link)
        elif link.state is not LinkState.AFFIRMED:
            self._decide(row.line, Verdict.AFFIRM, link)

    def change(self, row: LinkRow) -> None:
        """Take a row that is about no link that there is."""
        start, end = row.key
        why = _fault_of_words(row) or self._fault_of_places(start, end)
        if why:
            self._fault(row, why)
        elif end.lesion is None:
            self._cut(row, [link for link in self._from(start, end.timepoint) if link.is_joining])
        elif start.lesion is None:
            self._cut(row, self._into(end))
        else:
            self._lead(row, start, end)

    def take_away_what_is_replaced(self) -> None:
        """Reject links without a row whose later lesion another row has taken."""
        taken = [
            (one.line, self._later_end(one.decision))
            for one in self.decisions
            if one.decision.verdict is Verdict.RELINK
        ]
        for line, place in taken:
            for link in self._open(self._into(place)):
                self._use(link)
                self._decide(line, Verdict.REJECT, link)

    def _later_end(self, decision: Decision) -> Place:
        is_new = decision.from_place.lesion is None
        return decision.to_place if is_new else decision.to[0]

    def _lead(self, row: LinkRow, start: Place, end: Place) -> None:
        """Lead from one lesion to another, instead of what led elsewhere, or besides."""
        ahead = self._from(start, end.timepoint)
        if free := self._open(ahead):
            self._use(free[0])
            self._decide(row.line, Verdict.RELINK, free[0], end)
        elif kept := [link for link in ahead if link.is_joining and self._is_kept(link)]:
            self._decide(row.line, Verdict.SPLIT, kept[0], end)
        elif new := self._open(link for link in self._into_anything(end) if not link.is_joining):
            self._use(new[0])
            self._decide(row.line, Verdict.RELINK, new[0], start)
        else:
            self._fault(row, CONTRADICTED if ahead else "no link leads from there to that time")

    def _cut(self, row: LinkRow, links: Sequence[Proposal]) -> None:
        """Cut a link: its earlier lesion is gone, its later one new."""
        if free := self._open(links):
            self._use(free[0])
            self._decide(row.line, Verdict.REJECT, free[0])
        elif not any(_key(link) in self._used for link in links):
            self._fault(row, CONTRADICTED if links else "there is no link to cut")

    def _fault_of_places(self, start: Place, end: Place) -> str:
        for name, place in (("from", start), ("to", end)):
            if place.timepoint not in self.tracks.timepoints:
                return f"`{name}_timepoint` is none of this subject's"
            if place.lesion is not None and place not in self._lesions:
                if place in self._twins:
                    return f"`{name}_lesion` is known by another series of the same time point"
                return f"`{name}_lesion` is no lesion of that series and time point"
        if start.lesion is None and end.lesion is None:
            return "names no lesion"
        times = self.tracks.timepoints
        if times.index(start.timepoint) >= times.index(end.timepoint):
            return "leads from a time point to one that is not later"
        return ""

    def _from(self, start: Place, timepoint: str) -> list[Proposal]:
        return [
            link
            for link in self.tracks.links
            if link.from_place == start and link.to_place.timepoint == timepoint
        ]

    def _into(self, end: Place) -> list[Proposal]:
        return [link for link in self._into_anything(end) if link.is_joining]

    def _into_anything(self, end: Place) -> list[Proposal]:
        return [link for link in self.tracks.links if link.to_place == end]

    def _open(self, links: Iterable[Proposal]) -> list[Proposal]:
        """Return links that no row has kept or used."""
        return [one for one in links if not self._is_kept(one) and _key(one) not in self._used]

    def _is_kept(self, link: Proposal) -> bool:
        return _key(link) in self._kept

    def _use(self, link: Proposal) -> None:
        self._used.add(_key(link))

    def _decide(self, line: int, verdict: Verdict, link: Proposal, *to: Place) -> None:
        decision = Decision(verdict, link.from_place, link.to_place, self.reader, to)
        self.decisions.append(LinkDecision(line, decision))

    def _fault(self, row: LinkRow, reason: str) -> None:
        self.faults.append(RowFault(row.line, reason))


def _fault_of_words(row: LinkRow) -> str:
    """Return how a row's relation contradicts the lesions that it names."""
    if row.relation not in {"", *Relation}:
        return f"relation is one of {', '.join(Relation)}"
    start, end = row.key
    has = {Relation.GONE: end.lesion is None, Relation.NEW: start.lesion is None}
    is_joining = start.lesion is not None and end.lesion is not None
    if row.relation and not has.get(Relation(row.relation), is_joining):
        lesions = "both lesions" if is_joining else "one lesion only"
        return f"says {row.relation}, and names {lesions}"
    return ""


def _fault_of_status(row: LinkRow, link: Proposal) -> str:
    if (link.status, row.status) == (TrackStatus.ABSENT, TrackStatus.NOT_EVALUABLE):
        return ""
    return "of the status only `absent` can be changed, to `not_evaluable`"


def _key(link: Proposal) -> _Key:
    return _plain(link.from_place), _plain(link.to_place)


def link_rows(table: Iterable[tuple[int, dict[str, str]]], faults: list[RowFault]) -> Iterator[
    tuple[str, LinkRow]
]:  # fmt: skip
    """Yield subject and row of each record of ``tracks.csv``; note what cannot be read."""
    for line, row in table:
        try:
            ends = [_place_of(row, end) for end in ("from", "to")]
        except ValueError as error:
            faults.append(RowFault(line, str(error)))
            continue
        status = row.get("status", "")
        yield row["subject"], LinkRow(line, ends[0], ends[1], row.get("relation", ""), status)


def _place_of(row: dict[str, str], end: str) -> Place:
    text = row[f"{end}_lesion"]
    if text and not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise ValueError(f"`{end}_lesion` is no number of a lesion")
    return Place(row[f"{end}_timepoint"], row[f"{end}_series"], int(text) if text else None)
