"""Rules of a protocol that leave series out: sound ones, that the study is not about."""

from collections.abc import Collection
from dataclasses import dataclass

from lesionary.core.findings import Finding, Outcome


@dataclass(frozen=True, slots=True)
class CurationRules:
    """What a protocol lets in."""

    modalities: Collection[str]
    regions: Collection[str]


def rule_against(modality: str, region: str, rules: CurationRules) -> Finding | None:
    """Return the finding of the first rule that leaves a series out, or None."""
    if modality not in rules.modalities:
        return _left_out("rule_modality", f"modality {modality}", rules.modalities)
    if region not in rules.regions:
        return _left_out("rule_region", f"region {region}", rules.regions)
    return None


def _left_out(code: str, what: str, allowed: Collection[str]) -> Finding:
    return Finding(
        code,
        Outcome.LEFT_OUT,
        f"{what} is not of this protocol, which takes {', '.join(allowed)}",
        "change [curate] in study.toml and ingest again, if it belongs to the study",
    )
