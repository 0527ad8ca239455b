"""All runs of a project in one table: what the page and the terminal show of each run."""

from dataclasses import dataclass, field
from typing import Final, Literal

from lowres.scoring.bootstrap import Interval

RunState = Literal["unfinished", "finished", "stopped early", "collapsed", "damaged"]

STATE_WORDS: Final[dict[RunState, str]] = {
    "unfinished": "It was begun and has not ended: it trains now, or goes on with --resume.",
    "finished": "It made all its updates.",
    "stopped early": "It stopped because dev no longer became better.",
    "collapsed": "It unlearned everything, in every attempt.",
    "damaged": "Its run.json cannot be read.",
}


@dataclass(frozen=True)
class ScoredRate:
    """An error rate of a report, 0-1 and above; None where the report has none."""

    rate: float | None
    interval: Interval | None


@dataclass(frozen=True)
class ReportFigures:
    """What one report of a run says.

    Attributes:
        split: what was scored.
        words, characters: after the recipe's rules.
        num_utterances: that were scored.
        address: of its page, seen from reports/compare/.
        is_of_other_weights: whether the run was trained on since it was scored.
        language_model: the one decoded with; "" for none.
    """

    split: str
    words: ScoredRate
    characters: ScoredRate
    num_utterances: int
    address: str
    is_of_other_weights: bool = False
    language_model: str = ""


@dataclass(frozen=True)
class RunRow:
    """A run: what trained on what, how far, how well, and where its reports are.

    Attributes:
        trained_on: e.g. "1h list: 1.00 h, 1,140 utterances".
        start: what it was trained from: a backbone's name, or "random weights".
        learns: what of the backbone learned ("full", "lora", ...); "" from random weights.
        dev_character_error_rate, dev_word_error_rate: of the best checkpoint, 0-1; None before the first evaluation.
        size_bytes: of the whole run folder. date: when run.json was last written, "2026-11-28".
        seed_group: runs of one group differ only in their seed; "" is a group of its own.
        command: makes the report that it lacks; "" where it has one or cannot have one.
    """

    name: str
    state: RunState
    trained_on: str = ""
    start: str = ""
    learns: str = ""
    seed: int = 0
    updates: int = 0
    hours_processed: float = 0.0
    num_parameters: int = 0
    dev_character_error_rate: float | None = None
    dev_word_error_rate: float | None = None
    reports: tuple[ReportFigures, ...] = ()
    size_bytes: int = 0
    date: str = ""
    seed_group: str = ""
    command: str = ""
    problem: str = ""


@dataclass(frozen=True)
class SeedSpread:
    """Runs that differ only in their seed: mean and sample standard deviation of an error rate, 0-1."""

    runs: tuple[str, ...]
    measure: str
    mean: float
    deviation: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class RunsContents:
    """The table of a project's runs.

    Attributes:
        project: the folder's name.
        rows: the best on dev first, those without a figure last.
        spreads: of the groups that differ only in their seed.
        pretraining: names of the runs that make backbones, which have no error rate.
        language: the recipe's, "" where nobody said.
        commands: what to type next, each with what it does.
    """

    project: str
    rows: tuple[RunRow, ...]
    spreads: tuple[SeedSpread, ...] = ()
    pretraining: tuple[str, ...] = ()
    language: str = ""
    commands: tuple[tuple[str, str], ...] = field(default=())
