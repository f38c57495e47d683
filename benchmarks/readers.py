"""Consensus and chance-corrected agreement of three readers (rows 4 and 5).

The readers' maps of the thorax, all 45 lesions taken together: one byte a voxel, which all
contestants like best. SimpleITK's STAPLE and statsmodels' kappa see the whole image, as we do: a
crop has another prior and another chance agreement, so it is another number.
"""

from typing import Any

import numpy as np

from benchmarks.race import Bound, Contestant, Inputs, Row
from lesionary.agree.kappa import Coefficient, fleiss_kappa
from lesionary.core.readers.consensus import Consensus, Staple, consensus, staple
from lesionary.core.readers.patterns import foreground_patterns

THORAX = ("thorax_first", "thorax_second", "thorax_third")


def our_staple(masks: list[np.ndarray]) -> Staple:
    """Estimate probabilities, sensitivities and specificities from the patterns."""
    return staple(foreground_patterns(masks))


def our_consensus(masks: list[np.ndarray]) -> Consensus:
    """Do the same and write the consensus as a label map."""
    return consensus(masks)


def simpleitk_staple(images: list[Any]) -> tuple[Any, tuple[float, ...]]:
    """Estimate with ITK's filter; its result is the map of probabilities."""
    import SimpleITK as sitk

    tool = sitk.STAPLEImageFilter()
    tool.SetForegroundValue(1)
    return tool.Execute(images), tool.GetSensitivity()


def our_kappa(masks: list[np.ndarray]) -> Coefficient:
    """Compute kappa from the patterns, masks to number."""
    return fleiss_kappa(foreground_patterns(masks))


def statsmodels_kappa(masks: list[np.ndarray]) -> float:
    """Count each voxel's ratings by statsmodels' own function, then compute."""
    from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

    table, _ = aggregate_raters(np.stack([mask.ravel() for mask in masks], axis=1))
    return float(fleiss_kappa(table))


def statsmodels_kappa_of_counts(table: np.ndarray) -> float:
    """Compute from a table of ratings that was made before."""
    from statsmodels.stats.inter_rater import fleiss_kappa

    return float(fleiss_kappa(table))


def as_masks(**maps: np.ndarray) -> Inputs:
    """Give each reader's foreground, uint8."""
    return {"masks": [(maps[name] > 0).view(np.uint8) for name in THORAX]}


def as_images(**maps: np.ndarray) -> Inputs:
    """Give ITK images."""
    import SimpleITK as sitk

    return {"images": [sitk.GetImageFromArray(mask) for mask in as_masks(**maps)["masks"]]}


def as_counts(**maps: np.ndarray) -> Inputs:
    """Give how many readers left out and drew each voxel, shape (voxels, 2)."""
    drawn = sum(mask.ravel().astype(np.int64) for mask in as_masks(**maps)["masks"])
    return {"table": np.stack([len(THORAX) - drawn, drawn], axis=1)}


def sensitivities(rates: Any) -> str:
    """Say each reader's sensitivity to 6 digits."""
    return "sensitivity " + ", ".join(f"{rate:.6f}" for rate in rates)


ROW_4 = Row(
    "4",
    "STAPLE of three readers, whole thorax",
    THORAX,
    (
        Contestant(
            "lesionary staple",
            our_staple,
            "probability of each reader pattern, sensitivity, specificity",
            prepare=as_masks,
            answer=lambda found: sensitivities(found.sensitivity),
            is_ours=True,
        ),
        Contestant(
            "lesionary consensus",
            our_consensus,
            "the same, and the consensus as a label map",
            prepare=as_masks,
            answer=lambda found: sensitivities(found.staples[1].sensitivity),
            is_ours=True,
        ),
        Contestant(
            "SimpleITK STAPLE",
            simpleitk_staple,
            "map of probabilities, sensitivity, specificity",
            ("SimpleITK",),
            as_images,
            answer=lambda found: sensitivities(found[1]),
        ),
    ),
    (Bound(100.0),),
)

ROW_5 = Row(
    "5",
    "Fleiss' kappa of three readers, whole thorax",
    THORAX,
    (
        Contestant(
            "lesionary fleiss_kappa",
            our_kappa,
            "masks to number",
            prepare=as_masks,
            answer=lambda found: f"kappa {found.value:.9f}",
            is_ours=True,
        ),
        Contestant(
            "statsmodels, from masks",
            statsmodels_kappa,
            "aggregate_raters, then fleiss_kappa",
            ("statsmodels",),
            as_masks,
            answer=lambda kappa: f"kappa {kappa:.9f}",
        ),
        Contestant(
            "statsmodels, from ready counts",
            statsmodels_kappa_of_counts,
            "the table of ratings is made before: not timed",
            ("statsmodels",),
            as_counts,
            answer=lambda kappa: f"kappa {kappa:.9f}",
        ),
    ),
    (Bound(100.0),),
)

ROWS = (ROW_4, ROW_5)
