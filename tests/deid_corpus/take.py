"""Put files through the door, in memory, and say what came of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lesionary.app.door import Door, Taken, open_door
from lesionary.ingest.deidentify.profile import Profile

from .corpus import RELEASED, Corpus
from .leaks import Leak, identifiers_left, leaks
from .score import Pair, Score, Scorer, broken_references, texts_of

KEY = b"a key for tests only, of 32 byte"
FIRST_NUMBER = 70_310_000


@dataclass(slots=True)
class NumbersOnly:
    """Who is who, in memory: a vault for one run."""

    numbers: dict[tuple[str, str], int] = field(default_factory=dict)

    def number_of(self, patient_id: str, issuer: str = "") -> int:
        """Return a patient's number."""
        return self.numbers.setdefault((patient_id, issuer), FIRST_NUMBER + 37 * len(self.numbers))

    def knows(self, number: int) -> bool:
        """Tell whether a number was given to somebody."""
        return number in self.numbers.values()


def corpus_door() -> Door:
    """Return a door with the usual profile, a key of its own and an empty vault."""
    return open_door(Profile.default(), KEY, NumbersOnly())


def content_of(taken: Taken) -> bytes:
    """Return the whole new file."""
    return b"".join(taken.chunks)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a corpus.

    Parameters
    ----------
    score : Score
    leaks : list of Leak
    broken : list of str
        References that lead nowhere now.
    surprises : list of str
        Files whose outcome is another than the corpus says.
    changed_twice : list of str
        Released files that change when they come again.
    outcomes : mapping of str to int
    """

    score: Score
    leaks: list[Leak]
    broken: list[str]
    surprises: list[str]
    changed_twice: list[str]
    outcomes: Mapping[str, int]


def through_the_door(corpus: Corpus) -> Result:
    """De-identify a corpus in memory, search and score what came out."""
    door, scorer = corpus_door(), Scorer()
    outputs: dict[str, bytes] = {}
    pairs, surprises, changed = [], [], []
    counted: dict[str, int] = {}
    for number, file in enumerate(corpus.files):
        taken = door.take(file.content)
        label = f"{taken.outcome.value} {taken.code}".strip()
        counted[label] = counted.get(label, 0) + 1
        if taken.outcome.value != file.outcome and not file.is_twin:
            surprises.append(f"{file.path}: {label}, not {file.outcome}")
        said = f"{taken.code} {taken.reason} {taken.hint} {taken!r}".encode()
        outputs[f"{number}"] = said + content_of(taken)
        if taken.outcome.value != RELEASED:
            scorer.hidden(file.path, is_met=not taken.chunks)
            continue
        pairs.append(Pair(file.path, file.content, content_of(taken), file.kept))
        again = door.take(content_of(taken))
        if content_of(again) != content_of(taken):
            changed.append(file.path)
    for pair in pairs:
        scorer.compare(pair)
    found = leaks(corpus.tokens, outputs)
    tokens = {file.path: file.tokens for file in corpus.files}
    for pair in pairs:
        found += identifiers_left(tokens[pair.name], texts_of(pair.after))
    leaked = {leak.token.text for leak in found}
    for token in corpus.tokens:
        what = f"{token.file}: {token.place}"
        scorer.removed(what, is_met=token.text not in leaked)
    score = scorer.finish()
    broken = broken_references(pairs, scorer.uids)
    return Result(score, found, broken, surprises, changed, counted)
