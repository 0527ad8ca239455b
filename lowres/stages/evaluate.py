"""Evaluate: from a trained recogniser and a prepared corpus to a report on speech it was not trained on."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

from lowres.audio.constants import SAMPLE_RATE
from lowres.audio.shards import ShardReader
from lowres.backbones.native import Recognizer
from lowres.manifest.corpus import CORPUS_FOLDER, PreparedCorpus, load_corpus
from lowres.recipe import Recipe
from lowres.report.contents import Caution, ReportContents
from lowres.report.files import recover_report, write_report
from lowres.scoring.scorecard import Rates, Scorecard, ScoredText, score
from lowres.stages.evaluate_gain import Gain, measure_gain
from lowres.stages.evaluate_run import (
    best_checkpoint,
    cautions_about_changes,
    choose_split,
    computing_facts,
    describe_provenance,
    find_run,
    gather_split_facts,
    training_rows,
)
from lowres.stages.evaluate_sound import NO_SOUND, ReportSound, gather_sound, measure_levels
from lowres.stages.language_model import LanguageModelChoice, OpenSearch, caution_about_search, open_search
from lowres.stages.listening import DEFAULT_BATCH_SECONDS, Heard, listen, load_to_listen, speech_of
from lowres.stages.model_card import write_model_card
from lowres.stages.tidying import tidier
from lowres.stages.word_confidence import confidence_facts
from lowres.text.graphemes import split_graphemes
from lowres.training.feed import TrainingSpeech
from lowres.training.precision import Compute, choose_compute
from lowres.training.settings import ListeningPrecision


@dataclass(frozen=True)
class EvaluateOptions:
    """What the command line adds to the recipe."""

    run: str | None = None
    """Name of the run; None takes the newest."""

    split: str | None = None
    """"train", "dev" or "test"; None takes the recipe's, or test, or dev where there is no test."""

    language_model: LanguageModelChoice = "auto"
    """Which of the recogniser's language models to search with; "auto" takes the better one on dev, if it has any."""

    precision: ListeningPrecision = "auto"
    batch_seconds: float | None = None
    """Seconds of padded audio decoded together; the result in fp32 does not depend on it."""

    embed_recordings: bool = True
    """Whether the page holds the recordings, as far as they are small."""

    all_recordings: bool = False
    """Whether those that do not fit into the page are written beside it."""


SCORED_COLUMNS: Final = ("speaker", "duration_seconds", "raw_text", "text")
"""What an evaluation reads of a manifest beside where the sound lies."""

EvaluationTask = Literal["listening", "scoring", "embedding recordings", "writing"]


@dataclass(frozen=True)
class EvaluationProgress:
    """How far an evaluation is; seconds of audio listened to so far, of how many."""

    task: EvaluationTask
    done_seconds: float
    total_seconds: float


@dataclass(frozen=True)
class EvaluationResult:
    """What was measured and where the report lies."""

    folder: Path
    contents: ReportContents
    run_name: str
    split: str
    compute: Compute
    decoding_seconds: float
    """Wall time of reading, network and decoding."""

    wall_seconds: float
    num_embedded: int
    num_beside: int
    page_bytes: int
    gain: Gain | None = None
    """What the language model brought over greedy decoding; None where none was used."""

    notes: tuple[str, ...] = ()
    """Sentences on what was done otherwise than asked for, such as greedy decoding where a library is missing."""

    @property
    def scorecard(self) -> Scorecard:
        """All figures."""
        return self.contents.scorecard

    @property
    def rates(self) -> Rates:
        """Word and character error rate after the recipe's rules."""
        return self.scorecard.normalised

    @property
    def audio_seconds(self) -> float:
        """Seconds of audio that were scored."""
        return sum(self.contents.text.durations_seconds)

    @property
    def hours_of_audio_per_hour(self) -> float:
        """Speed of decoding."""
        return self.audio_seconds / max(self.decoding_seconds, 1e-9)


def evaluate(
    project: Path,
    recipe: Recipe,
    options: EvaluateOptions,
    progress: Callable[[EvaluationProgress], None] = lambda _progress: None,
) -> EvaluationResult:
    """Score a run's best checkpoint on the test split (dev where there is none) and write its report.

    Args:
        project: the project folder; `corpus/` and `runs/` are read, `reports/<run>-<split>/` is written,
            and the run's model card renewed.
        recipe: its language, its text rules and its seed for the intervals.
        options: which run and split, and how to compute.
        progress: told how far it is.

    Returns:
        Every figure, and where the report is.

    Raises:
        CorpusError: no prepared corpus, or it has no such split.
        CheckpointError: no such run, or its checkpoint is damaged.
        LowresError: the report could not be written.
    """
    started = time.perf_counter()
    corpus = load_corpus(project / CORPUS_FOLDER, SCORED_COLUMNS)
    run = find_run(project, options.run)
    split = choose_split(corpus, options.split or recipe.evaluate.split)
    with suppress(OSError):  # a disk that refuses is told of when the report is written
        recover_report(_report_folder(project, run.name, split))
    compute = choose_compute(options.precision)
    checkpoint = best_checkpoint(run)
    recognizer = load_to_listen(project, checkpoint, compute)
    rows = corpus.rows(split)
    total = float(rows["duration_seconds"].sum())
    speech = speech_of(rows, ShardReader(corpus.folder))
    with open_search(checkpoint, recognizer.vocabulary, options.language_model) as search:
        heard, decoding_seconds = _listen(recognizer, speech, search, compute, options, progress)
    progress(EvaluationProgress("scoring", total, total))
    tidy = tidier(recipe.text.rules)
    references = [tidy(text) for text in rows["text"].tolist()]
    gain = measure_gain(references, heard, tidy, seed=recipe.evaluate.seed) if search.stored else None
    contents = _score(
        corpus,
        recipe,
        recognizer,
        run_name=run.name,
        split=split,
        references=references,
        hypotheses=[tidy(text) for text in heard.texts],
        levels_db=measure_levels(speech),
        facts=[
            *search.facts(),
            *(gain.facts() if gain else ()),
            *confidence_facts(references, heard.words, tidy, search.calibration),
            *computing_facts(compute, total / max(decoding_seconds, 1e-9)),
        ],
        more_cautions=caution_about_search(search, split),
    )
    written = _write(project, recipe, contents, speech, options, progress)
    write_model_card(project, run)
    return EvaluationResult(
        folder=written.folder,
        contents=contents,
        run_name=run.name,
        split=split,
        compute=compute,
        decoding_seconds=decoding_seconds,
        wall_seconds=time.perf_counter() - started,
        num_embedded=len(written.sound.embedded),
        num_beside=written.sound.num_beside,
        page_bytes=written.page_bytes,
        gain=gain,
        notes=search.notes,
    )


def _listen(
    recognizer: Recognizer,
    speech: TrainingSpeech,
    search: OpenSearch,
    compute: Compute,
    options: EvaluateOptions,
    progress: Callable[[EvaluationProgress], None],
) -> tuple[Heard, float]:
    """Transcribe the split; return the texts and the seconds that it took."""
    total = int(speech.num_samples.sum()) / SAMPLE_RATE
    started = time.perf_counter()
    heard = listen(
        recognizer,
        speech,
        compute=compute,
        batch_seconds=options.batch_seconds or DEFAULT_BATCH_SECONDS[compute.device],
        search=search.search,
        timed=search.calibration is not None,
        progress=lambda done: progress(EvaluationProgress("listening", done, total)),
    )
    return heard, time.perf_counter() - started


def _score(
    corpus: PreparedCorpus,
    recipe: Recipe,
    recognizer: Recognizer,
    *,
    run_name: str,
    split: str,
    references: Sequence[str],
    hypotheses: Sequence[str],
    levels_db: Sequence[float | None],
    facts: Sequence[tuple[str, str]],
    more_cautions: Sequence[Caution],
) -> ReportContents:
    rows, training = corpus.rows(split), training_rows(corpus, recognizer.metadata)
    tidy = tidier(recipe.text.rules)
    text = ScoredText(
        utterance_ids=rows["utterance_id"].tolist(),
        speakers=rows["speaker"].tolist(),
        durations_seconds=rows["duration_seconds"].tolist(),
        references=references,
        raw_references=rows["raw_text"].tolist(),
        hypotheses=hypotheses,
    )
    return ReportContents(
        text=text,
        scorecard=score(
            text,
            training_counts=Counter(word for line in training["text"] for word in tidy(line).split()),
            split_graphemes=_splitter(recipe),
            levels_db=levels_db,
            seed=recipe.evaluate.seed,
        ),
        provenance=describe_provenance(corpus, recipe, recognizer, run_name=run_name, split=split, facts=facts),
        split_facts=gather_split_facts(corpus, rows, training, recognizer, split),
        more_cautions=(*cautions_about_changes(corpus, recipe, recognizer.metadata), *more_cautions),
    )


@dataclass(frozen=True)
class _Written:
    """Where a report was written, what can be heard in it, and how large its page is."""

    folder: Path
    sound: ReportSound
    page_bytes: int


def _write(
    project: Path,
    recipe: Recipe,
    contents: ReportContents,
    speech: TrainingSpeech,
    options: EvaluateOptions,
    progress: Callable[[EvaluationProgress], None],
) -> _Written:
    total = sum(contents.text.durations_seconds)
    sound = NO_SOUND
    if options.embed_recordings:
        progress(EvaluationProgress("embedding recordings", total, total))
        sound = gather_sound(speech, contents.scorecard.worst, all_recordings=options.all_recordings)
    progress(EvaluationProgress("writing", total, total))
    folder = _report_folder(project, contents.provenance.run_name, contents.provenance.split)
    sizes = write_report(
        folder, contents, split=_splitter(recipe), recordings=sound.embedded, write_beside=sound.write_beside
    )
    return _Written(folder, sound, sizes["report.html"])


def _report_folder(project: Path, run: str, split: str) -> Path:
    return project / "reports" / f"{run}-{split}"


def _splitter(recipe: Recipe) -> Callable[[str], list[str]]:
    return partial(split_graphemes, declared=recipe.text.graphemes)
