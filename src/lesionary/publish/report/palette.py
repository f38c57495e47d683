"""Greys and Okabe–Ito: colours that most colour-blind readers can tell apart.

References
----------
.. [1] Okabe and Ito, Color Universal Design (2008).
"""

BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
VERMILLION = "#D55E00"
PURPLE = "#CC79A7"
SKY = "#56B4E9"

INK = "#1f2328"
GREY = "#6b7280"
PALE = "#d5d9df"

GROUPS = (BLUE, ORANGE, GREEN, PURPLE, VERMILLION)
"""Kinds of lesions in figures, the most frequent first."""
OTHERS = "#8b929c"

OUTLINE = SKY
LONG_AXIS = ORANGE
SHORT_AXIS = PURPLE
