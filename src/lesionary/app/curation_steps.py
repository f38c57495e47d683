"""Counting what rules did: step by step, from rows that say what became of each series."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lesionary.ingest.curation import Stay
from lesionary.publish.curation_figure import FlowStep

Row = Mapping[str, Any]

GATE = "gate"
"""What stands for a rule where a series is unsound."""
GATE_LABEL = "Readable, whole, and of one grid"

MEASURED = ("measured", "Measured")
"""Name and words of the step that series leave the flow at whose units failed or are still due."""
WITH_LESIONS = ("lesions", "With lesions")
"""The same for ``images_without_lesions = false``."""
AT_PUBLISHING = (MEASURED, WITH_LESIONS)


def flow_steps(rows: Sequence[Row], rules: Sequence[tuple[str, str]]) -> Iterator[FlowStep]:
    """Yield the steps of a flow: the gate, then rules that the protocol had once, then its own.

    Parameters
    ----------
    rows : sequence of mapping
        ``outcome``, ``rule``, ``label``, ``shared_reason`` and ``unchecked`` of each series.
    rules : sequence of (str, str)
        Name and words of the protocol's rules in their order.
    """
    out: dict[tuple[str, str], Counter[str]] = {}
    unchecked: Counter[str] = Counter()
    for row in rows:
        unchecked.update({label for label, _ in row["unchecked"]})
        if row["outcome"] == Stay.OUT:
            step = (row["rule"], row["label"])
            out.setdefault(step, Counter())[row["shared_reason"]] += 1
    n_left = len(rows)
    for step in _ordered(out, rules):
        reasons = out.get(step, Counter())
        n_before, n_left = n_left, n_left - reasons.total()
        counted = sorted(reasons.items(), key=lambda entry: (-entry[1], entry[0]))
        yield FlowStep(step[1], n_before, n_left, tuple(counted), unchecked[step[1]])


def _ordered(
    out: Mapping[tuple[str, str], Any], rules: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    own = [*rules, *(step for step in AT_PUBLISHING if step in out)]
    strange = sorted(out.keys() - set(own), key=lambda step: (step[0] != GATE, step))
    return list(dict.fromkeys([*strange, *own]))


def flow_document(curated: Sequence[Row], rules: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the flow of one ingest as ``ingest --json`` shows it; empty where no series came."""
    if not curated:
        return {"considered": 0, "kept": 0, "steps": []}
    steps = [*flow_steps(curated, rules)]
    return {
        "considered": len(curated),
        "kept": steps[-1].n_left,
        "steps": [
            {
                "asks": step.label,
                "before": step.n_before,
                "left": step.n_left,
                "left_out": [{"reason": reason, "series": n} for reason, n in step.reasons],
                "unchecked": step.n_unchecked,
            }
            for step in steps
        ],
    }
