"""How long the probabilities of responses take, of a whole trial (row 14). No peer has any."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from benchmarks.race import AtMost, Contestant, Inputs, Row
from lesionary.core.terms import LesionKind
from lesionary.measure.response.judging import respond
from lesionary.measure.response.records import Observation, Role, Status
from lesionary.measure.uncertainty.predicting import uncertain_response

N_PATIENTS = 100
N_TIMEPOINTS = 5
ORGANS = ("liver", "liver", "lung", "lung", "bone")
MOST_S = 10.0


def trial() -> Inputs:
    """Make up 100 patients with five targets at five time points, shrinking and growing."""
    rng = np.random.default_rng(14)
    shape = (N_PATIENTS, len(ORGANS), N_TIMEPOINTS)
    steps = 0.15 * rng.standard_normal((N_PATIENTS, 1, N_TIMEPOINTS))
    steps = steps + 0.08 * rng.standard_normal(shape)
    steps[:, :, 0] = np.log(rng.uniform(12, 60, shape[:2]))
    read_mm = np.exp(steps.cumsum(axis=2) + 0.06 * rng.standard_normal(shape))
    return {"observations": [_row(*place, size) for place, size in np.ndenumerate(read_mm)]}


def _row(patient: int, lesion: int, timepoint: int, size_mm: float) -> Observation:
    return Observation(
        subject=f"{patient:03d}",
        timepoint=str(timepoint),
        lesion=f"L{lesion}",
        role=Role.TARGET,
        kind=LesionKind.TUMOUR,
        organ=ORGANS[lesion],
        diameter_mm=Decimal(f"{size_mm:.1f}"),
        status=Status.PRESENT,
    )


def said(rows: Sequence[Any]) -> str:
    """Say how many responses are open."""
    known = [row.probability for row in rows if getattr(row, "probability", None)]
    n_open = sum(max(one.values()) < 0.95 for one in known)
    return f"{len(rows)} time points; {n_open} open" if known else f"{len(rows)} time points"


ROW_14 = Row(
    "14",
    "Probability of each response, 100 patients × 5 time points × 5 lesions",
    (),
    (
        Contestant(
            "lesionary file respond --uncertainty",
            uncertain_response,
            "4,000 draws a patient; each source by itself, the lesion that moves it most",
            prepare=trial,
            answer=said,
            is_ours=True,
        ),
        Contestant(
            "lesionary file respond",
            respond,
            "responses alone, without any probability",
            prepare=trial,
            answer=said,
            is_ours=True,
            is_partial=True,
        ),
    ),
    (AtMost(MOST_S),),
    about="No other program gives a probability; the table is in memory, and one core does it.",
)
ROWS = (ROW_14,)
