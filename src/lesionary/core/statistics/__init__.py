"""Statistics on plain arrays: each result says on how many values it rests, or why there is none.

Nothing here is ever NaN. What is undefined is None, and the result's ``reason`` says why; values
that are not finite are left out and the rest is counted. Cases of one patient are not independent:
where that matters, ``subjects`` names whose each value is.
"""

from lesionary.core.statistics.bland_altman import BlandAltman, bland_altman
from lesionary.core.statistics.bootstrap import BootstrapInterval, bootstrap_interval
from lesionary.core.statistics.cohen import RaterAgreement, cohen_kappa
from lesionary.core.statistics.icc import IntraclassCorrelation, icc
from lesionary.core.statistics.mean import MeanInterval, Resampling, mean_interval
from lesionary.core.statistics.ranks import (
    Correlation,
    KendallTau,
    average_ranks,
    kendall_tau_b,
    spearman,
)
from lesionary.core.statistics.result import Result
from lesionary.core.statistics.signed_rank import SignedRank, wilcoxon_signed_rank
from lesionary.core.statistics.spread import Rmse, Spread, rmse_from_mean, spread_of

__all__ = [
    "BlandAltman",
    "BootstrapInterval",
    "Correlation",
    "IntraclassCorrelation",
    "KendallTau",
    "MeanInterval",
    "RaterAgreement",
    "Resampling",
    "Result",
    "Rmse",
    "SignedRank",
    "Spread",
    "average_ranks",
    "bland_altman",
    "bootstrap_interval",
    "cohen_kappa",
    "icc",
    "kendall_tau_b",
    "mean_interval",
    "rmse_from_mean",
    "spearman",
    "spread_of",
    "wilcoxon_signed_rank",
]
