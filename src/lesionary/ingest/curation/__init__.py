"""Curation: rules over what is known of series, laid on in order, each exclusion with its reason.

A rule never opens an image. What it needs and a series lacks is said to be unknown; then the rule
leaves the series out, unless it says ``missing = "keep"``.
"""

from lesionary.ingest.curation.curation import Curation, Decision, Stay, Step, curate
from lesionary.ingest.curation.facts import SeriesFacts, age_in_years, technical_facts
from lesionary.ingest.curation.grammar import RULE_NAMES, rule_of_table, rules_of_tables, table_of
from lesionary.ingest.curation.verdict import Pair, Rule, RuleError

__all__ = [
    "RULE_NAMES",
    "Curation",
    "Decision",
    "Pair",
    "Rule",
    "RuleError",
    "SeriesFacts",
    "Stay",
    "Step",
    "age_in_years",
    "curate",
    "rule_of_table",
    "rules_of_tables",
    "table_of",
    "technical_facts",
]
