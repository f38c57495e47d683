"""One campaign: kill, look, go on, until as many kills are done as were asked for."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import urlsplit

import numpy as np

from torture.checks import (
    Expected,
    FaultError,
    check_entered,
    check_finished,
    check_ingested,
    check_killed,
    stage_reached,
)
from torture.commands import TOO_LONG_S, Command, Ended, OutlivedError, holds_lock
from torture.tally import ENDING, OUTSIDE, Tally
from torture.workshop import CalmError, Copy, Workshop, require_done, timed

P_FROM_NOTHING = 0.3
"""How often a study's ingest is killed too, before its run."""
P_PUBLISH = 0.3
"""How often a completed study is published anew, and killed meanwhile."""
MOST_INGEST_KILLS = 2
"""Of one study: an ingest that is killed starts anew each time, for it is all or nothing."""
MOST_RUN_KILLS = 4
"""Of one study: a release is written in one go, so later kills would all hit ``publish``."""
P_LOCAL = 0.15
"""How often a run has workers."""
P_CRASH_BETWEEN = 0.3
P_CRASH_DURING = 0.25
"""How often a database server is killed between two commands, and during one."""
P_SPARED = 0.5
"""How often a command that the server went away from is not killed as well."""
LONGEST_OUTAGE_S = 3.0
SOME_LEFT_OUT = (0, 1)
"""One series is faulty on purpose: then ``ingest`` ends with 1."""
OUTAGE_CODES = {"registry_unreachable"}
MOST_FAULTS = 5
REPORT_EVERY = 10


class End(Enum):
    """How a command came to its end."""

    DONE = auto()
    FAILED = auto()
    KILLED = auto()


@dataclass(frozen=True, slots=True)
class Calm:
    """Studies that nobody disturbed, and how long their commands took, in seconds."""

    empty: Copy
    ingested: Copy
    published: Copy
    expected: Expected
    seconds: dict[str, float]

    @classmethod
    def make(cls, workshop: Workshop) -> "Calm":
        """Make them.

        Raises
        ------
        CalmError
        """
        empty = workshop.new()
        ingested = workshop.copy(empty)
        seconds = {}
        seconds["ingest"] = timed(
            ingested, "ingest", *workshop.ingest_words(), allowed=SOME_LEFT_OUT
        )
        published = workshop.copy(ingested)
        seconds["run"] = timed(published, "run")
        with_workers = workshop.copy(ingested)
        seconds["run --cluster local"] = timed(with_workers, "run", "--cluster", "local")
        expected = Expected.of(published)
        check_finished(published, expected)
        check_finished(with_workers, expected)
        seconds["publish"] = timed(with_workers, "publish")
        workshop.discard(with_workers)
        return cls(empty, ingested, published, expected, seconds)


@dataclass(slots=True)
class Campaign:
    """Kills commands on studies of a workshop.

    Parameters
    ----------
    workshop : Workshop
    n_kills : int
        How many runs to kill; ingests and publications that are killed come on top.
    seed : int
        Of moments and choices.
    say : callable
        Takes lines of progress.
    """

    workshop: Workshop
    n_kills: int
    seed: int
    say: Callable[[str], None]
    tally: Tally = field(init=False)
    calm: Calm = field(init=False)
    _rng: np.random.Generator = field(init=False)
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        registry = "SQLite" if self.workshop.server is None else "PostgreSQL"
        self.tally = Tally(registry)
        self._rng = np.random.default_rng(self.seed)
        self._began = time.monotonic()

    def wage(self) -> Tally:
        """Do all the kills.

        Raises
        ------
        CalmError
            If something goes wrong before anything is killed.
        """
        self.calm = Calm.make(self.workshop)
        took = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.calm.seconds.items())
        self.say(f"{self.tally.registry}: undisturbed: {took}")
        while self._goes_on():
            self._one_study()
        self.say(self.tally.line(time.monotonic() - self._began, self.n_kills))
        return self.tally

    def _goes_on(self) -> bool:
        return self.tally.n_runs_killed < self.n_kills and len(self.tally.faults) < MOST_FAULTS

    def _one_study(self) -> None:
        """Bring one study from nothing, or from its ingest, to its release, and beyond."""
        from_nothing = self._rng.random() < P_FROM_NOTHING
        study = self.workshop.copy(self.calm.empty if from_nothing else self.calm.ingested)
        with self._noting_faults(study):
            if from_nothing:
                self._kill_ingests(study)
            self._kill_runs(study)
            if self._rng.random() < P_PUBLISH:
                self._kill("publish", study)
                self._look_at_killed(study)
                timed(study, "run")
                self._look_at_finished(study)
            self.workshop.discard(study)

    @contextmanager
    def _noting_faults(self, study: Copy) -> Iterator[None]:
        try:
            yield
        except (FaultError, CalmError, OutlivedError) as error:
            self._start_server()
            self.tally.faults.append(f"{study.folder.name}, seed {self.seed}: {error}")
            self.say(f"FAULT in {self.tally.faults[-1]}")

    def _kill_ingests(self, study: Copy) -> None:
        end = End.KILLED
        for _ in range(MOST_INGEST_KILLS):
            if end is End.DONE:
                break
            end = self._kill("ingest", study)
            if end is End.KILLED:
                is_in = check_ingested(study, self.calm.expected)
                end = End.DONE if is_in else End.KILLED
                what = "that were in already" if is_in else "that left nothing"
                self.tally.counts["verifies clean"] += 1
                self.tally.counts[f"killed ingests {what}"] += 1
        if end is not End.DONE:
            timed(study, "ingest", *self.workshop.ingest_words(), allowed=SOME_LEFT_OUT)
        check_entered(study, self.calm.expected, at_once=True)
        self.tally.counts["ingests completed"] += 1

    def _kill_runs(self, study: Copy) -> None:
        end, n_kills = End.KILLED, 0
        while self._goes_on() and n_kills < MOST_RUN_KILLS and end is not End.DONE:
            n_kills += 1
            how = "run --cluster local" if self._rng.random() < P_LOCAL else "run"
            end = self._kill(how, study)
            if end is not End.DONE:
                self._look_at_killed(study)
        if end is not End.DONE:
            timed(study, "run")
        self._look_at_finished(study)

    def _look_at_finished(self, study: Copy) -> None:
        """Hold everything against the calm run's."""
        check_finished(study, self.calm.expected)
        for what in ("runs completed", "releases identical", "verifies clean"):
            self.tally.counts[what] += 1

    def _look_at_killed(self, study: Copy) -> None:
        check_killed(study, self.calm.expected)
        self.tally.counts["verifies clean"] += 1

    def _kill(self, how: str, study: Copy) -> End:
        """Start a command and kill it at a moment, unless it ends before."""
        name, *words = how.split()
        if name == "ingest":
            words = list(map(str, self.workshop.ingest_words()))
        moment_s = self._rng.random() * self.calm.seconds[how]
        with study.start(name, *words) as command:
            had_outage = self._wait(command, moment_s)
            was_inside = holds_lock(study.folder / "study.lock")
            has_ended = command.has_ended_by(0)
            command.kill()
            self._start_server()
            if has_ended:
                return self._ended(name, command.result(), had_outage=had_outage)
        if self._rng.random() < P_CRASH_BETWEEN:
            self._crash_server("between commands")
        self.tally.kills[how, self._place(name, study, was_inside=was_inside)] += 1
        if name == "run" and self.tally.n_runs_killed % REPORT_EVERY == 0:
            self.say(self.tally.line(time.monotonic() - self._began, self.n_kills))
        return End.KILLED

    def _wait(self, command: Command, moment_s: float) -> bool:
        """Wait for the moment; tell whether the server was away for a while before it came."""
        has_crash = self.workshop.server is not None and self._rng.random() < P_CRASH_DURING
        crash_s, outage_s = self._rng.random() * moment_s, self._rng.random() * LONGEST_OUTAGE_S
        is_spared = self._rng.random() < P_SPARED
        if not has_crash:
            command.has_ended_by(moment_s)
            return False
        if command.has_ended_by(crash_s):
            return False
        self._crash_server("during a command", outage_s=outage_s)
        command.has_ended_by(TOO_LONG_S if is_spared else moment_s)
        return True

    def _ended(self, name: str, ended: Ended, *, had_outage: bool) -> End:
        """Judge the end of a command that its kill came too late for."""
        self._check_discreet(ended)
        allowed = SOME_LEFT_OUT if name == "ingest" else (0,)
        if had_outage and ended.error_code in OUTAGE_CODES:
            self.tally.counts["outages that a command ended at, with a clear error"] += 1
            return End.FAILED
        require_done(ended, name, allowed)
        if had_outage:
            self.tally.counts["outages that a command survived"] += 1
        return End.DONE

    def _check_discreet(self, ended: Ended) -> None:
        if self.workshop.server is None:
            return
        password = urlsplit(self.workshop.server.url).password
        if password and password in f"{ended.document} {ended.messages}":
            raise FaultError("a command tells the password of its registry")

    def _place(self, name: str, study: Copy, *, was_inside: bool) -> str:
        if not was_inside:
            return OUTSIDE
        if name != "run":
            return name
        return stage_reached(study, self.calm.expected) or ENDING

    def _crash_server(self, when: str, *, outage_s: float = 0.0) -> None:
        if self.workshop.server is not None:
            self.workshop.server.kill()
            time.sleep(outage_s)
            self.workshop.server.start()
            self.tally.counts[f"crashes of the server {when}"] += 1

    def _start_server(self) -> None:
        if self.workshop.server is not None:
            self.workshop.server.start()
