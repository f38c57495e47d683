"""How far a mask, and every number that comes from it, can be trusted: in plain words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from lesionary.publish.report.data import LesionRow, Method, ReviewState
from lesionary.publish.report.wording import counted, grouped, listed

_REVIEWED = {
    ReviewState.RATED: "A reader has rated it and left it as it was.",
    ReviewState.CORRECTED: "A reader has corrected it.",
    ReviewState.ADJUDICATED: "Readers disagreed, and an adjudicator decided.",
}
_MADE = {
    Method.AUTOMATIC: "Drafted by {}",
    Method.SEMIAUTOMATIC: "Drafted by {} from a box or correction of a person",
    Method.MANUAL: "Drawn by hand",
    Method.NOT_STATED: "Came with the scan, which does not say how it was drawn",
}


_DRAFTS = frozenset({Method.AUTOMATIC, Method.SEMIAUTOMATIC})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the top of the report says of all masks together."""

    is_draft: bool
    headline: str
    text: str


def trust_sentence(state: ReviewState, method: Method, segmenter: str) -> str:
    """Say who made a mask and who has looked at it."""
    made = _MADE[method].format(segmenter or "an unnamed algorithm")
    if state is ReviewState.UNREVIEWED:
        return f"{made}; no reader has reviewed it."
    return f"{made}. {_REVIEWED[state]}"


def verdict_of(lesions: Sequence[LesionRow]) -> Verdict | None:
    """Sum up the review states; None where there is no lesion."""
    if not lesions:
        return None
    n = len(lesions)
    unreviewed = [row for row in lesions if row.state is ReviewState.UNREVIEWED]
    drafts = [row for row in unreviewed if row.method in _DRAFTS]
    given = len(unreviewed) - len(drafts)
    if drafts:
        makers = Counter(row.segmenter or "an unnamed algorithm" for row in drafts)
        names = listed(sorted(makers))
        share = (
            f"All {grouped(n)}" if len(drafts) == n else f"{grouped(len(drafts))} of {grouped(n)}"
        )
        masks = "masks were" if n > 1 else "masks was"
        headline = f"{share} {masks} drafted by {names}, no reader has reviewed them."
        if n == 1:
            headline = f"The only mask was drafted by {names}, no reader has reviewed it."
        text = "Diameters and volumes of drafts are proposals: check them before they count."
        if given:
            more = counted(given, "more mask")
            text += f" {more} had no second reading."
        return Verdict(True, headline, text)
    if given:
        headline = f"{counted(given, 'mask')} of {grouped(n)} without a second reading."
        return Verdict(
            True, headline, "They came with the images; no reader of this study has rated them."
        )
    return Verdict(False, f"Readers have reviewed all {counted(n, 'mask')}.", "")
