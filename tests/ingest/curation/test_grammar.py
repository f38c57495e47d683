"""Rules as tables of a protocol."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.ingest.curation import (
    RULE_NAMES,
    RuleError,
    rule_of_table,
    rules_of_tables,
    table_of,
)

TABLES = [
    {"rule": "modality", "any_of": ["CT", "PT"]},
    {"rule": "region", "shows": ["liver"], "missing": "keep"},
    {"rule": "contrast", "enhanced": True, "phases": ["arterial"]},
    {"rule": "slice_thickness_mm", "at_least": 0.5, "at_most": 5.0},
    {"rule": "slices", "at_least": 20, "complete": True, "label": "Whole scans"},
    {"rule": "sequence_type", "any_of": ["T1", "T2*"]},
    {"rule": "pet_ct_pair", "corrected": True, "prefer_ct": ["ctac*"]},
    {"rule": "exclude_pairs", "corrected": False},
    {"rule": "one_per", "of": "subject", "take": "first"},
    {"rule": "age_years", "at_least": 18.0},
    {"rule": "lesion_mm", "at_least": 10.0},
    {"rule": "description", "exclude": ["scout*"], "of": "study"},
    {"rule": "recist_evaluated"},
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table["rule"])
def test_a_rule_goes_to_a_table_and_back(table):
    rule = rule_of_table(table)
    written = table_of(rule)
    assert table.items() <= written.items()
    assert rule_of_table(written) == rule


@pytest.mark.parametrize(
    ("table", "key", "says"),
    [
        ({}, "rule", "'modality'"),
        ({"rule": "colour"}, "rule", "not 'colour'"),
        ({"rule": "modalty"}, "rule", "did you mean 'modality'?"),
        ({"rule": "modality", "any_off": ["CT"]}, "any_off", "did you mean 'any_of'?"),
        ({"rule": "modality", "any_of": ["MRI"]}, "any_of", "not 'MRI': did you mean 'MR'?"),
        ({"rule": "modality", "any_of": ["CT", "pet"]}, "any_of", "did you mean 'PT'?"),
        ({"rule": "modality", "any_of": ["liver"]}, "any_of", "'CT', 'MR', 'PT'"),
        ({"rule": "sex", "any_of": ["female"]}, "any_of", "'F', 'M' or 'O'"),
        ({"rule": "modality"}, "any_of", "is missing"),
        ({"rule": "modality", "any_of": []}, "any_of", "a list of words"),
        ({"rule": "modality", "any_of": "CT"}, "any_of", "a list of words"),
        ({"rule": "modality", "anyof": ["CT"]}, "anyof", "`any_of`, `missing`, `label`"),
        ({"rule": "region", "shows": ["knee"]}, "shows", "'liver'"),
        ({"rule": "slices"}, "at_least", "is missing"),
        ({"rule": "slices", "at_least": 2.5}, "at_least", "a whole number"),
        ({"rule": "slices", "at_least": True}, "at_least", "a whole number"),
        ({"rule": "slices", "at_least": 9, "at_most": 8}, "at_most", "at least 9"),
        ({"rule": "age_years", "at_least": float("nan")}, "at_least", "a number"),
        ({"rule": "age_years", "at_least": -1}, "at_least", "at least 0"),
        ({"rule": "slices", "complete": "yes"}, "complete", "true or false"),
        ({"rule": "slices", "at_least": 1, "missing": "drop"}, "missing", "'leave_out' or 'keep'"),
        ({"rule": "slices", "at_least": 1, "label": "a\nb"}, "label", "one line"),
        ({"rule": "description", "exclude": ["***"]}, "exclude", "a list of words"),
        ({"rule": "one_per", "take": "best"}, "take", "'last', 'first' or 'most_slices'"),
    ],
)
def test_what_is_written_wrong_is_named_with_what_is_allowed(table, key, says):
    with pytest.raises(RuleError) as caught:
        rule_of_table(table)
    assert isinstance(caught.value, InputError)
    assert caught.value.key == key
    assert says in caught.value.message


def test_of_several_rules_the_wrong_one_is_counted():
    with pytest.raises(RuleError, match=r"curate\.rule 2: rule"):
        rules_of_tables([TABLES[0], {"rule": "colour"}])


json_like = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
keys = ["any_of", "shows", "at_least", "at_most", "missing", "of", "take", "exclude", "complete"]


@given(st.sampled_from(RULE_NAMES), st.dictionaries(st.sampled_from(keys), json_like))
def test_whatever_stands_in_a_table_it_is_a_rule_or_an_error_of_ours(name, rest):
    with suppress(RuleError):
        rule = rule_of_table({"rule": name, **rest})
        assert rule_of_table(table_of(rule)) == rule


@pytest.mark.parametrize(
    ("table", "key", "spelled"),
    [
        ({"rule": "modality", "any_of": ["ct", "Mr"]}, "any_of", ("CT", "MR")),
        ({"rule": "sequence_type", "any_of": ["t2"]}, "any_of", ("T2",)),
        ({"rule": "region", "shows": ["Liver"]}, "shows", ("liver",)),
    ],
)
def test_words_of_a_vocabulary_are_taken_in_any_case_and_kept_in_its_own(table, key, spelled):
    assert getattr(rule_of_table(table), key) == spelled


def test_rules_of_a_protocol_are_counted_from_one_and_named():
    with pytest.raises(RuleError) as caught:
        rules_of_tables([TABLES[0], {"rule": "slices", "at_leest": 3}])
    assert caught.value.key == "curate.rule 2 (slices): at_leest"
    assert caught.value.path == ("curate", "rule", "1", "at_leest")
    with pytest.raises(RuleError, match=r"`curate\.rule 1: rule` should be"):
        rules_of_tables([{"rule": "slises"}])
