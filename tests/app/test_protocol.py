import pytest

from lesionary.app.protocol import parse_protocol
from lesionary.core.errors import InputError
from lesionary.io.study_files import protocol_text, shipped_protocols


@pytest.mark.parametrize("name", shipped_protocols())
def test_shipped_protocols_are_valid_and_carry_their_name(name):
    assert parse_protocol(protocol_text(name), source=name).name == name


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("min_voxels = 50 ", "min_voxel = 50 ", "unknown key `measure.min_voxel`"),
        ('diameter = "caliper"', 'diameter = "ruler"', "'caliper' or 'as_published', not 'ruler'"),
        (
            "min_voxels = 50 ",
            'min_voxels = "50" ',
            "`measure.min_voxels` should be a valid integer",
        ),
        ("[publish]", "[publsh]", "unknown key `publsh`"),
        ("schema = 1", "schema = 2", "`schema` should be 1, not 2"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_its_line(old, new, says):
    text = protocol_text("general").replace(old, new)
    line = next(n for n, row in enumerate(text.splitlines(), start=1) if new in row)
    with pytest.raises(InputError) as caught:
        parse_protocol(text, source="study.toml")
    assert says in str(caught.value)
    assert f"line {line}:" in str(caught.value)
    assert caught.value.source == "study.toml"


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ('rule = "modality"\nany_of = ["MRI"]', "2 (modality): any_of` should be of 'CT'"),
        ('rule = "modality"\nany_of = ["MRI"]', "not 'MRI': did you mean 'MR'?"),
        ('rule = "slice"\nat_least = 3', "`curate.rule 2: rule` should be"),
        ('rule = "slice"\nat_least = 3', "did you mean 'slices'?"),
    ],
)
def test_a_wrong_rule_is_named_by_place_name_and_line(rule, says):
    text = protocol_text("general") + '\n[[curate.rule]]\nrule = "pet_ct_pair"\n'
    text += f"\n[[curate.rule]]\n{rule}\n"
    key = "any_of" if "any_of" in rule else 'rule = "slice"'
    line = text[: text.rindex(key)].count("\n") + 1
    with pytest.raises(InputError) as caught:
        parse_protocol(text, source="study.toml")
    assert says in caught.value.message
    assert f"line {line}:" in caught.value.message


def test_the_list_of_modalities_takes_codes_of_dicom_in_any_case():
    text = protocol_text("recist-ct")
    kept = parse_protocol(text.replace('modalities = ["CT"]', 'modalities = ["ct"]'), source="x")
    assert kept.curate.modalities == ["CT"]
    with pytest.raises(InputError, match=r"`curate\.modalities` .* did you mean 'PT'\?"):
        parse_protocol(text.replace('modalities = ["CT"]', 'modalities = ["PET"]'), source="x")


def test_the_tasks_of_the_archive_have_rules_clean_up_and_links_back():
    tasks = [name for name in shipped_protocols() if name.startswith("idc-")]
    assert len(tasks) == 7
    for name in tasks:
        protocol = parse_protocol(protocol_text(name), source=name)
        assert protocol.ingest.keep_uids
        assert protocol.curate.rule
        assert protocol.annotate.clean_up
        assert protocol.published is not None


def test_text_that_is_no_toml_is_an_error_with_its_line():
    with pytest.raises(InputError, match="line 1"):
        parse_protocol("= 3", source="study.toml")


def test_a_protocol_that_does_not_exist_lists_those_that_do():
    with pytest.raises(InputError) as caught:
        protocol_text("recist")
    assert "recist-ct" in caught.value.hint


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("match", '"iou:2"', "match"),
        ("match", '"foo"', "match"),
        ("tolerance_mm", "inf", "tolerance_mm"),
        ("tolerance_mm", "-1.0", "tolerance_mm"),
        ("size_edges_mm", "[5.0, 1.0]", "do not ascend"),
        ("composites", "{ x = [] }", "composites"),
        ("tolerances_mm", "{ x = nan }", "tolerances_mm"),
    ],
)
def test_a_wrong_value_of_evaluate_names_its_key_and_line(key, value, said):
    lines = protocol_text("general").splitlines()
    (number,) = [n for n, line in enumerate(lines, start=1) if line.startswith(f"{key} =")]
    lines[number - 1] = f"{key} = {value}"
    with pytest.raises(InputError) as refused:
        parse_protocol("\n".join(lines), source="study.toml")
    assert refused.value.code == "protocol"
    assert said in refused.value.message
    assert f"line {number}" in refused.value.message
