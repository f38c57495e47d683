"""The two lists of a protocol that come before its rules: modalities, and parts of the body.

They are rules as all others; what they leave out is sound, but the study is not about it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from lesionary.core.findings import Finding, Outcome
from lesionary.ingest.curation.facts import SeriesFacts
from lesionary.ingest.curation.verdict import Missing, Unfit, Unknown, Verdict

_HINT = "change [curate] in study.toml and ingest again, if it belongs to the study"


@dataclass(frozen=True, slots=True)
class ListedModality:
    """``[curate] modalities``: what the volume is, by header or name."""

    name: ClassVar[str] = "modality"
    any_of: tuple[str, ...]
    missing: Missing = "leave_out"
    label: str = ""

    def judge(self, facts: SeriesFacts) -> Verdict:
        """Say whether the modality is listed."""
        modality = facts.modality or "OT"
        return None if modality in self.any_of else _not_listed("modality", modality, self.any_of)


@dataclass(frozen=True, slots=True)
class ListedRegion:
    """``[curate] regions``: the study's own, told by words or, once it is read, by the lungs."""

    name: ClassVar[str] = "region"
    any_of: tuple[str, ...]
    missing: Missing = "keep"
    label: str = ""

    def judge(self, facts: SeriesFacts) -> Verdict:
        """Say whether the region is listed."""
        if facts.region is None:
            return Unknown("region")
        region = facts.region
        return None if region in self.any_of else _not_listed("region", region, self.any_of)


def listed_rules(
    modalities: Sequence[str], regions: Sequence[str]
) -> tuple[ListedModality, ListedRegion]:
    """Return the rules of the two lists, with their names in a flow chart."""
    return (
        ListedModality(tuple(modalities), label=f"Modality: {', '.join(modalities)}"),
        ListedRegion(tuple(regions), label=f"Region: {', '.join(map(_in_words, regions))}"),
    )


def _in_words(region: str) -> str:
    return region.replace("_", " + ")


def left_out_by(rule: str, reason: str) -> Finding:
    """Return the finding of a series that a rule leaves out."""
    return Finding(f"rule_{rule}", Outcome.LEFT_OUT, reason, _HINT)


def _not_listed(what: str, value: str, allowed: Sequence[str]) -> Unfit:
    return Unfit(f"{what} {value} is not of this protocol, which takes {', '.join(allowed)}")
