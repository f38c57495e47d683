"""How far a mask, and every number that comes from it, can be trusted: in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass

from lesionary.publish.report.data import LesionRow, Method, ReviewState
from lesionary.publish.report.members import unreviewed
from lesionary.publish.report.summary import Summary
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


def verdict_of(lesions: Sequence[LesionRow], summary: Summary) -> Verdict | None:
    """Sum up the review states; None where there is no lesion."""
    n = summary.count("study", "", "lesions")
    if not n:
        return None
    n_drafts = summary.count("masks", "", "unreviewed_drafts")
    given = summary.count("masks", "", "unreviewed_others")
    if n_drafts:
        drafts = unreviewed(lesions, are_drafts=True)
        names = listed(sorted({row.segmenter or "an unnamed algorithm" for row in drafts}))
        share = f"All {grouped(n)}" if n_drafts == n else f"{grouped(n_drafts)} of {grouped(n)}"
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
