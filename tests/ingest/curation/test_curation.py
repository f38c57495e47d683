"""Every series ends in or out, with the rule and the reason."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesionary.core.errors import InputError
from lesionary.ingest.curation import (
    SeriesFacts,
    Stay,
    age_in_years,
    curate,
    rules_of_tables,
    technical_facts,
)

PLANTED = "CHEST DOE^JANE"
DESCRIPTIONS = [
    "CTAC",
    "PET AC",
    "PET NAC",
    "scout",
    "T2 tra",
    "T1 COR",
    f"CHEST {PLANTED}",
    "",
    None,
]


def optional(values):
    return st.none() | values


series_facts = st.builds(
    SeriesFacts,
    series=st.uuids().map(str),
    study=st.sampled_from(["study-1", "study-2", "study-3"]),
    subject=st.sampled_from(["a", "b"]),
    modality=optional(st.sampled_from(["CT", "PT", "MR", "SEG"])),
    body_part=optional(st.sampled_from(["CHEST", "LIVER", "KNEE"])),
    description=st.sampled_from(DESCRIPTIONS),
    n_slices=optional(st.integers(0, 300)),
    is_complete=optional(st.booleans()),
    slice_thickness_mm=optional(st.floats(0.1, 10)),
    corrections=optional(st.sampled_from([(), ("ATTN",), ("DECY",)])),
    age_years=optional(st.floats(0, 90)),
    lesion_diameters_mm=optional(st.lists(st.floats(0, 50), max_size=3).map(tuple)),
    frame_of_reference=optional(st.sampled_from(["f1", "f2"])),
    series_number=optional(st.integers(1, 9)),
)
tables = st.sampled_from([
    {"rule": "modality", "any_of": ["CT", "PT"]},
    {"rule": "region", "shows": ["chest"]},
    {"rule": "slices", "at_least": 40},
    {"rule": "slices", "complete": True},
    {"rule": "slice_thickness_mm", "at_most": 3.0},
    {"rule": "description", "exclude": ["scout*"]},
    {"rule": "sequence_type", "any_of": ["T2"]},
    {"rule": "plane", "any_of": ["axial"]},
    {"rule": "contrast", "enhanced": True},
    {"rule": "age_years", "at_least": 18},
    {"rule": "lesion_mm", "at_least": 10},
    {"rule": "pet_ct_pair"},
    {"rule": "exclude_pairs"},
    {"rule": "one_per"},
])  # fmt: skip
missing = st.sampled_from(["keep", "leave_out"])
rule_lists = st.lists(st.builds(lambda t, m: {**t, "missing": m}, tables, missing), max_size=5)
sets = st.lists(series_facts, max_size=12, unique_by=lambda facts: facts.series)


@given(sets, rule_lists)
def test_every_series_has_one_outcome_and_counts_add_up(series, written):
    rules = rules_of_tables(written)
    result = curate(series, rules)
    assert [one.series for one in result.decisions] == [facts.series for facts in series]
    n_before = len(series)
    for number, (step, rule) in enumerate(zip(result.steps, rules, strict=True)):
        assert (step.rule, step.n_before) == (rule.name, n_before)
        assert sum(n for _, n in step.reasons) == step.n_before - step.n_left
        assert sum(one.step == number for one in result.decisions) == step.n_before - step.n_left
        n_before = step.n_left
    assert len(result.kept) == n_before
    for one in result.decisions:
        assert (one.outcome is Stay.OUT) == bool(one.rule)
        assert one.reason or one.outcome is Stay.IN


@given(sets, rule_lists, st.randoms(use_true_random=False))
def test_the_order_of_the_series_decides_nothing(series, written, rng: random.Random):
    rules = rules_of_tables(written)
    shuffled = rng.sample(series, len(series))
    first = {one.series: one for one in curate(series, rules).decisions}
    assert {one.series: one for one in curate(shuffled, rules).decisions} == first


@given(sets, rule_lists)
def test_the_same_rules_on_what_is_in_keep_all_of_it(series, written):
    # `exclude_pairs` may pair what is left anew; all others judge again what they have judged.
    rules = rules_of_tables([one for one in written if one["rule"] != "exclude_pairs"])
    kept = set(curate(series, rules).kept)
    again = curate([facts for facts in series if facts.series in kept], rules)
    if not any(rule.name in {"pet_ct_pair", "one_per"} for rule in rules):
        assert set(again.kept) == kept


@given(sets, rule_lists)
def test_no_reason_repeats_a_description(series, written):
    for one in curate(series, rules_of_tables(written)).decisions:
        assert "JANE" not in one.reason


@given(sets, tables)
def test_keeping_what_is_not_known_never_leaves_out_more(series, table):
    if table["rule"] in {"exclude_pairs", "pet_ct_pair"}:
        return  # more PET that may be corrected make more pairs, of other members
    strict = curate(series, rules_of_tables([{**table, "missing": "leave_out"}]))
    lenient = curate(series, rules_of_tables([{**table, "missing": "keep"}]))
    assert set(strict.kept) <= set(lenient.kept)


def test_a_missing_element_leaves_out_unless_it_is_to_be_kept():
    one = SeriesFacts("s", "study", "subject")
    table = {"rule": "slice_thickness_mm", "at_most": 5}
    (out,) = curate([one], rules_of_tables([table])).decisions
    assert (out.outcome, out.reason) == (Stay.OUT, "slice thickness is not known")
    result = curate([one], rules_of_tables([{**table, "missing": "keep"}]))
    assert result.decisions[0].outcome is Stay.IN
    assert result.decisions[0].reason == "slice thickness is not known"
    assert result.steps[0].unchecked == (("slice thickness is not known", 1),)


@pytest.mark.parametrize(
    ("table", "known", "reason"),
    [
        ({"rule": "slices", "at_least": 20}, {"n_slices": 19}, "number of slices below 20: 19"),
        ({"rule": "slices", "complete": True}, {"is_complete": False}, "slices are missing"),
        ({"rule": "age_years", "at_least": 18}, {"age_years": 17.9}, "younger than 18 years"),
        ({"rule": "lesion_mm", "at_least": 10}, {"lesion_diameters_mm": (3.0, 9.9)},
         "largest lesion below 10 mm: 9.9 mm"),
        ({"rule": "lesion_mm", "at_least": 10}, {"lesion_diameters_mm": ()}, "no lesion"),
        ({"rule": "slice_thickness_mm", "at_most": 5}, {"slice_thickness_mm": 7.5},
         "slice thickness above 5 mm: 7.5 mm"),
        ({"rule": "image_type", "exclude": ["localizer"]}, {"image_type": ("LOCALIZER",)},
         "image type has localizer"),
        ({"rule": "licence", "any_of": ["CC BY 4*"]}, {"licence": "CC BY-NC 4.0"},
         "licence is not CC BY 4*"),
        ({"rule": "recist_evaluated"}, {"is_recist_evaluated": False}, "not evaluated by RECIST"),
    ],
)  # fmt: skip
def test_a_reason_has_values_and_units(table, known, reason):
    facts = SeriesFacts("s", "study", "subject", **known)
    assert curate([facts], rules_of_tables([table])).decisions[0].reason == reason


@pytest.mark.parametrize(
    ("table", "known"),
    [
        ({"rule": "slices", "at_least": 20}, {"n_slices": 20}),
        ({"rule": "age_years", "at_least": 18}, {"age_years": 18.0}),
        ({"rule": "lesion_mm", "at_least": 10}, {"lesion_diameters_mm": (3.0, 10.0)}),
        ({"rule": "modality", "any_of": ["ct"]}, {"modality": "CT"}),
        ({"rule": "units", "any_of": ["BQML"]}, {"units": "BQML"}),
        ({"rule": "sex", "any_of": ["F"]}, {"sex": "F"}),
    ],
)
def test_limits_belong_to_what_is_in(table, known):
    facts = SeriesFacts("s", "study", "subject", **known)
    assert curate([facts], rules_of_tables([table])).kept == ("s",)


def test_the_first_rule_that_puts_out_is_the_one_named():
    rules = rules_of_tables([
        {"rule": "modality", "any_of": ["CT"]},
        {"rule": "slices", "at_least": 20},
    ])  # fmt: skip
    facts = SeriesFacts("s", "study", "subject", modality="MR", n_slices=1)
    (decision,) = curate([facts], rules).decisions
    assert (decision.rule, decision.step) == ("modality", 0)


def test_one_identifier_twice_is_refused():
    facts = SeriesFacts("s", "study", "subject")
    with pytest.raises(InputError):
        curate([facts, replace(facts, modality="CT")], ())


def test_no_rules_keep_all_and_no_series_have_no_decisions():
    assert curate([SeriesFacts("s", "study", "subject")], ()).kept == ("s",)
    empty = curate([], rules_of_tables([{"rule": "slices", "at_least": 1}, {"rule": "one_per"}]))
    assert empty.decisions == ()
    assert [step.n_before for step in empty.steps] == [0, 0]


@pytest.mark.parametrize(
    ("text", "years"),
    [("065Y", 65.0), ("018M", 1.5), ("52Y", None), ("", None), (None, None), ("٠٦٥Y", None)],
)
def test_ages_are_read_as_dicom_writes_them(text, years):
    assert age_in_years(text) == years


def test_stored_technical_elements_become_facts():
    technical = {
        "Modality": "PT",
        "CorrectedImage": ["DECY", "ATTN"],
        "SliceThickness": 3,
        "PatientAge": "065Y",
        "ContrastBolusAgent": True,
        "EchoTime": [1.0, 2.0],
    }
    facts = SeriesFacts("s", "study", "subject", **technical_facts(technical))
    assert (facts.modality, facts.corrections) == ("PT", ("DECY", "ATTN"))
    assert (facts.slice_thickness_mm, facts.age_years) == (3.0, 65.0)
    assert facts.has_contrast is True
    assert facts.echo_time_ms is None


def names(series):
    return st.lists(st.sampled_from(series), unique=True) if series else st.just([])


@given(sets.filter(bool), rule_lists, st.data())
def test_what_is_held_never_leaves_and_is_not_counted(series, written, data):
    held = data.draw(names([facts.series for facts in series]))
    result = curate(series, rules_of_tables(written), held=held)
    assert set(held) <= set(result.kept)
    n_fresh = len(series) - len(held)
    assert all(step.n_left <= step.n_before <= n_fresh for step in result.steps)
    assert all(one.unchecked == () for one in result.decisions if one.series in held)


@given(sets.filter(bool), rule_lists, st.data(), st.randoms())
def test_decisions_do_not_depend_on_the_order_whoever_is_held_or_pending(
    series, written, data, chance
):
    identifiers = [facts.series for facts in series]
    known = {"held": data.draw(names(identifiers)), "pending": data.draw(names(identifiers))}
    rules = rules_of_tables(written)
    shuffled = list(series)
    chance.shuffle(shuffled)
    first, second = curate(series, rules, **known), curate(shuffled, rules, **known)
    assert set(first.decisions) == set(second.decisions)
    assert first.steps == second.steps


@given(sets.filter(bool), rule_lists, st.data())
def test_a_pending_series_is_out_only_by_what_is_known_of_it_alone(series, written, data):
    pending = data.draw(names([facts.series for facts in series]))
    rules = rules_of_tables(written)
    for one in curate(series, rules, pending=pending).decisions:
        if one.series in pending and one.outcome is Stay.OUT:
            (facts,) = (facts for facts in series if facts.series == one.series)
            assert facts.series not in curate([facts], rules, pending=[facts.series]).kept
            assert "is not known" not in one.reason


def test_a_held_ct_is_the_partner_of_a_pet_that_comes():
    ct = SeriesFacts("ct", "study", "a", modality="CT")
    pet = SeriesFacts("pet", "study", "a", modality="PT", corrections=("ATTN",))
    rules = rules_of_tables([{"rule": "pet_ct_pair"}])
    assert curate([pet], rules).kept == ()
    assert curate([pet, ct], rules, held=["ct"]).kept == ("pet", "ct")
