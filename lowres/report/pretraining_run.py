"""A pretraining run as its folder tells it: what a run's log holds that only pretraining has."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lowres.report.run_log import Point, RunLog, list_of, mapping_of, number_of, read_run_log, text_of


@dataclass(frozen=True)
class TrainedCorpus:
    """One corpus of the mixture; `share` is the share aimed at of all hours drawn, 0-1, or None."""

    language: str
    corpus: str
    hours: float
    num_utterances: int
    share: float | None
    licence: str
    consent: str


@dataclass(frozen=True)
class PretrainingRun:
    """A pretraining run; whatever is missing from its folder is the paper's."""

    log: RunLog

    @property
    def name(self) -> str:
        """The run's name."""
        return self.log.name or "pretraining"

    @property
    def num_distractors(self) -> int:
        """K; the paper's 100 where the folder does not say."""
        return max(round(number_of(self.log.record.get("num_distractors")) or 100), 1)

    @property
    def quantizer(self) -> Mapping[str, Any]:
        """Settings of the quantiser."""
        return mapping_of(self.log.record.get("quantizer_config"))

    @property
    def num_codebooks(self) -> int:
        """G; what the reports show, or 2, where the folder does not say."""
        stated = number_of(self.quantizer.get("num_codebooks"))
        return (
            int(stated) if stated else max((len(list_of(e.get("code_perplexity"))) for e in self.log.steps), default=2)
        )

    @property
    def num_entries(self) -> int:
        """V; the paper's 320 where the folder does not say."""
        return max(round(number_of(self.quantizer.get("num_entries")) or 320), 1)

    @property
    def corpora(self) -> tuple[TrainedCorpus, ...]:
        """What was trained on, in the order of run.json."""
        return tuple(
            TrainedCorpus(
                language=text_of(row.get("language")),
                corpus=text_of(row.get("corpus")),
                hours=number_of(row.get("hours")) or 0.0,
                num_utterances=round(number_of(row.get("num_utterances")) or 0),
                share=number_of(row.get("share")),
                licence=text_of(row.get("licence")),
                consent=text_of(row.get("consent")),
            )
            for row in map(mapping_of, list_of(self.log.record.get("languages")))
        )

    @cached_property
    def hours_drawn(self) -> dict[str, float]:
        """Hours each language was drawn for, by the latest report that says so."""
        for event in reversed(self.log.steps):
            drawn = mapping_of(event.get("hours_per_language"))
            if drawn:
                return {str(language): number_of(hours) or 0.0 for language, hours in drawn.items()}
        return {}

    @cached_property
    def held_out_languages(self) -> list[str]:
        """Languages that were evaluated, those with most speech to train on first."""
        found = dict.fromkeys(str(name) for event in self.log.evaluations for name in mapping_of(event.get("held_out")))
        hours: dict[str, float] = {}
        for corpus in self.corpora:
            hours[corpus.language] = hours.get(corpus.language, 0.0) + corpus.hours
        return sorted(found, key=lambda language: -hours.get(language, 0.0))

    def held_out_curve(self, language: str, name: str) -> list[Point]:
        """Return a figure of one language's held-out speech over the run."""
        return self.log.curve(
            self.log.evaluations, lambda event: mapping_of(mapping_of(event.get("held_out")).get(language)).get(name)
        )


def read_pretraining_run(folder: Path) -> PretrainingRun:
    """Read a run folder.

    Args:
        folder: holds run.json and, once something was reported, metrics.jsonl.

    Raises:
        CheckpointError: there is no run.json, or it is not a JSON object.
    """
    return PretrainingRun(read_run_log(folder))
