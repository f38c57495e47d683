"""The steps of a study on single files: what ``lesionary file`` does, for Python too.

>>> from lesionary import files                                     # doctest: +SKIP
>>> files.measure("ct.nii.gz", "mask.nii.gz")["lesions"]            # doctest: +SKIP
>>> files.agree(["anna.nii.gz", "ben.nii.gz"])["fleiss_kappa"]      # doctest: +SKIP
"""

from lesionary.app.files.adjudication import adjudicate
from lesionary.app.files.agreement import agree
from lesionary.app.files.cleaning import clean
from lesionary.app.files.consensus import consensus
from lesionary.app.files.conversion import convert
from lesionary.app.files.evaluation import evaluate
from lesionary.app.files.interpolation import interpolate
from lesionary.app.files.one_image import measure, segment
from lesionary.app.files.ratings import rating_summary as ratings
from lesionary.app.files.reading import PathLike, Reading
from lesionary.app.files.response import respond
from lesionary.app.files.scored_folders import FolderRules
from lesionary.app.files.scoring import Scoring

__all__ = [
    "FolderRules",
    "PathLike",
    "Reading",
    "Scoring",
    "adjudicate",
    "agree",
    "clean",
    "consensus",
    "convert",
    "evaluate",
    "interpolate",
    "measure",
    "ratings",
    "respond",
    "segment",
]
