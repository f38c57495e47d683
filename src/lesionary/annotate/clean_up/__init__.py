"""Clean-up of drawn labels as declared steps, each counted before and after, each undoable.

A rule says which voxels a label must not hold; it takes voxels away and never adds or renames
one. Rules are applied in the order in which they are declared, each to what the one before left.
"""

from lesionary.annotate.clean_up.drawn import Context, Drawn, Removed, RuleError, Skipped
from lesionary.annotate.clean_up.grammar import (
    RULE_NAMES,
    parse_rule,
    rule_of_table,
    table_of,
    text_of,
)
from lesionary.annotate.clean_up.rules import (
    Centremost,
    Diameter,
    Intensity,
    Largest,
    MinVoxels,
    Rule,
)
from lesionary.annotate.clean_up.steps import (
    CleanUp,
    Count,
    Step,
    apply_rules,
    apply_to_layers,
)
from lesionary.annotate.clean_up.within import Within

__all__ = [
    "RULE_NAMES",
    "Centremost",
    "CleanUp",
    "Context",
    "Count",
    "Diameter",
    "Drawn",
    "Intensity",
    "Largest",
    "MinVoxels",
    "Removed",
    "Rule",
    "RuleError",
    "Skipped",
    "Step",
    "Within",
    "apply_rules",
    "apply_to_layers",
    "parse_rule",
    "rule_of_table",
    "table_of",
    "text_of",
]
