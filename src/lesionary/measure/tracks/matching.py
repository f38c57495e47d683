"""Which lesion of one time point is which of another (X5).

First every lesion may have one partner: the assignment that is likeliest as a whole, where having
none costs as much as a pair at :attr:`MatchOptions.least_score`. Then what is left over, or poorly
matched, and lies within another's place is proposed as a part of it: a split forwards, a merger
backwards. The rest is new or gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lesionary.measure.tracks.likeness import Form, MatchOptions, is_inside
from lesionary.measure.tracks.pairing import Pairing, pair
from lesionary.measure.tracks.records import (
    Proposal,
    Relation,
    TimepointLesions,
    TrackStatus,
    View,
)
from lesionary.measure.tracks.registration import RegistrationKind, Transform

BEYOND_EARLIER_SCAN = "its place was not scanned, or not looked through, at the earlier time point"
CUT_OFF = "the edge of a scan cuts it off: its sizes do not compare"

_LEAST_TRUST = 0.15
"""Quality of a transform below which nobody knows whether a lesion's place was scanned."""

_WHOLE = 0.95
"""Share of a lesion that the other scan must show for it to count as whole."""


def match(
    before: TimepointLesions,
    after: TimepointLesions,
    transform: Transform,
    options: MatchOptions | None = None,
) -> tuple[Proposal, ...]:
    """Propose what became of every lesion between two time points.

    Parameters
    ----------
    before, after : TimepointLesions
        Of one subject. Either may be without lesions.
    transform : Transform
        From the space of ``before`` to that of ``after``.
    options : MatchOptions, optional

    Returns
    -------
    tuple of Proposal
        Without names of tracks, which only :func:`~lesionary.measure.tracks.following.follow` can
        give. Each lesion of ``before`` is in at least one, each of ``after`` too; by order of
        lesions, new ones last.
    """
    options = options or MatchOptions()
    old = [Form.of(lesion, transform) for lesion in before.lesions]
    new = [Form.of(lesion) for lesion in after.lesions]
    earlier = [transform.moved(view.geometry) for view in before.views if view.has_mask]
    later = [view.geometry for view in after.views if view.has_mask]
    shown = [form.within(later) for form in old], [form.within(earlier) for form in new]
    pairing = pair(*shown, transform.kind, options)
    cut = [
        [one.volume_ml < _WHOLE * form.volume_ml for one, form in zip(ones, forms, strict=True)]
        for ones, forms in zip(shown, (old, new), strict=True)
    ]
    return _Teller(before, after, old, new, transform, (cut[0], cut[1])).tell(pairing)


@dataclass(eq=False)
class _Teller:
    """Turns a pairing into proposals."""

    before: TimepointLesions
    after: TimepointLesions
    old: Sequence[Form]
    new: Sequence[Form]
    transform: Transform
    is_cut: tuple[list[bool], list[bool]]

    @property
    def kind(self) -> RegistrationKind:
        return self.transform.kind

    def tell(self, pairing: Pairing) -> tuple[Proposal, ...]:
        links: list[Proposal] = []
        for n, partners in enumerate(pairing.partners):
            links += [self._link(pairing, n, m) for m in sorted(partners)]
            if not partners:
                links.append(self._gone(pairing, n))
        links += [self._new(pairing, m) for m in range(len(self.new)) if not pairing.owners(m)]
        return tuple(links)

    def _link(self, pairing: Pairing, n: int, m: int) -> Proposal:
        return Proposal(
            subject=self.before.subject,
            track="",
            from_place=self.old[n].lesion.place,
            to_place=self.new[m].lesion.place,
            relation=pairing.relation(n, m),
            score=pairing.score(n, m),
            registration=self.kind,
            note=CUT_OFF if self.is_cut[0][n] or self.is_cut[1][m] else "",
        )

    def _gone(self, pairing: Pairing, n: int) -> Proposal:
        is_known = self.transform.quality >= _LEAST_TRUST
        is_seen = is_known and is_shown(self.old[n], self.after.views)
        rival = float(pairing.scores[n].max(initial=0.0))
        return Proposal(
            subject=self.before.subject,
            track="",
            from_place=self.old[n].lesion.place,
            to_place=self.after.nowhere,
            relation=Relation.GONE,
            score=1 - rival,
            registration=self.kind,
            status=TrackStatus.ABSENT if is_seen else TrackStatus.NOT_EVALUABLE,
        )

    def _new(self, pairing: Pairing, m: int) -> Proposal:
        form = self.new[m]
        earlier = Form.of(form.lesion, self.transform.inverse())
        rival = float(pairing.scores[:, m].max(initial=0.0))
        return Proposal(
            subject=self.before.subject,
            track="",
            from_place=self.before.nowhere,
            to_place=form.lesion.place,
            relation=Relation.NEW,
            score=1 - rival,
            registration=self.kind,
            note="" if is_shown(earlier, self.before.views) else BEYOND_EARLIER_SCAN,
        )


def is_shown(form: Form, views: Sequence[View]) -> bool:
    """Tell whether at least half of a lesion lies in a scan that was looked through."""
    return any(
        view.has_mask and is_inside(view.geometry, form.points_mm).mean() >= 0.5 for view in views
    )
