"""A study's lineage as PROV, read by the reference library."""

import json
from itertools import chain

import pytest
from prov.model import ProvAgent, ProvAttribution, ProvDerivation, ProvDocument

from lesionary.app.explain.explaining import explain
from lesionary.app.explain.provenance import explanation_prov, write_study_prov
from lesionary.app.study import Study


def parsed(text: str) -> ProvDocument:
    document = ProvDocument.deserialize(content=text, format="json")
    again = ProvDocument.deserialize(content=document.serialize(format="json"), format="json")
    assert again == document
    return document


@pytest.mark.parametrize("value", ["ser-0001/1/volume_ml", "agreement/summary.csv:2:mean"])
def test_a_value_leads_to_scans_readers_and_code(read, value):
    made = explanation_prov(explain(Study.open(read), value))
    document = parsed(json.dumps(made))
    agents = {str(agent.label) for agent in document.get_records(ProvAgent)}
    assert "anna" in agents
    assert any(name.startswith("Lesionary") for name in agents)
    (start,) = (name for name in made["entity"] if name.startswith("lsn:value."))
    reached, due = set(), [start]
    while due:
        name = due.pop()
        reached.add(name)
        due += [
            one["prov:usedEntity"]
            for one in made["wasDerivedFrom"].values()
            if one["prov:generatedEntity"] == name and one["prov:usedEntity"] not in reached
        ]
    assert any(name.startswith("lsn:image.") for name in reached)
    assert any(name.startswith("lsn:annotation.") for name in reached)


def test_readers_are_persons_and_models_are_software(read):
    value = "evaluation/model/cases.csv:2:dsc"
    made = explanation_prov(explain(Study.open(read), value))
    kinds = {name: agent["prov:type"]["$"] for name, agent in made["agent"].items()}
    assert kinds["lsn:reader.anna"] == "prov:Person"
    assert kinds["lsn:model.model"] == "prov:SoftwareAgent"


@pytest.mark.parametrize("name", ["drafted", "read"])
def test_a_whole_study_is_one_document_the_same_every_time(name, request, tmp_path):
    study = Study.open(request.getfixturevalue(name))
    n_records = write_study_prov(study, tmp_path / "a.json")
    write_study_prov(study, tmp_path / "b.json")
    text = (tmp_path / "a.json").read_text("utf-8")
    assert text == (tmp_path / "b.json").read_text("utf-8")
    document = parsed(text)
    assert len(list(document.get_records())) == n_records
    named = {str(one.identifier) for one in document.get_records() if one.identifier}
    relations = map(document.get_records, (ProvDerivation, ProvAttribution))
    for relation in chain(*relations):
        assert {str(end) for _, end in relation.formal_attributes if end} <= named


def test_of_one_value_nothing_is_said_that_the_whole_study_does_not_say(read, tmp_path):
    study = Study.open(read)
    write_study_prov(study, tmp_path / "all.json")
    whole = json.loads((tmp_path / "all.json").read_text("utf-8"))
    part = explanation_prov(explain(study, "ser-0001/1/voxels"))
    assert part["prefix"] == whole["prefix"]
    for section, members in part.items():
        if section != "prefix":
            own = {name: one for name, one in members.items() if "value." not in name}
            assert own.items() <= whole[section].items()
