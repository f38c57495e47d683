"""Words that options take; kept here because importing their stages would load numpy."""

from typing import Literal

AffineChoice = Literal["sform", "qform"]
CriteriaChoice = Literal["recist11", "irecist"]
