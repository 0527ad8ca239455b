"""Language models for a trained recogniser: made of training text, tuned on dev, stored beside its weights."""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, groupby
from pathlib import Path
from typing import Final

import numpy as np

from lowres.audio.shards import ShardReader
from lowres.backbones.native import Recognizer
from lowres.decoding.arpa import write_arpa
from lowres.decoding.beam_search import (
    BLANK_ID,
    BeamHypothesis,
    BeamSettings,
    LogProbs,
    ModelKind,
    demand_flashlight,
)
from lowres.decoding.beam_workers import BeamWorkers
from lowres.decoding.calibration import Calibration, calibrate
from lowres.decoding.greedy import greedy_labels
from lowres.decoding.ngram import RESERVED, NgramModel, estimate_ngrams
from lowres.decoding.settings import LanguageModelSettings
from lowres.decoding.stored_models import (
    KINDS,
    LANGUAGE_MODEL_FOLDER,
    DevRates,
    StoredModel,
    StoredModels,
    arpa_path,
    beam_model,
    hash_file,
    is_spellable,
    lexicon_path,
    write_description,
)
from lowres.decoding.tuning import tune
from lowres.decoding.word_times import time_words
from lowres.errors import CorpusError
from lowres.manifest.corpus import CORPUS_FOLDER, PreparedCorpus, load_corpus
from lowres.manifest.settings import DEV, TRAIN
from lowres.recipe import Recipe
from lowres.scoring.error_rates import character_error_rate, word_error_rate
from lowres.stages.evaluate_run import best_checkpoint, find_run, training_rows
from lowres.stages.finetune_speech import choose_dev_rows
from lowres.stages.language_model_text import GatheredText, gather_text
from lowres.stages.listening import (
    DEFAULT_BATCH_SECONDS,
    load_to_listen,
    log_probs_of,
    score_speech,
    speech_of,
    write_hypothesis,
)
from lowres.stages.machine import num_cores
from lowres.stages.tidying import tidier
from lowres.stages.word_confidence import judge_words
from lowres.text.vocabulary import Vocabulary
from lowres.training.precision import Compute, choose_compute

_PARTIAL: Final = f"{LANGUAGE_MODEL_FOLDER}.partial"


@dataclass(frozen=True)
class LanguageModelProgress:
    """What is being done, and for a model that is tuned: how many settings were tried and the best cost so far."""

    task: str
    num_tried: int = 0
    best_cost: float = 0.0


@dataclass(frozen=True)
class LanguageModelResult:
    """What was made, of what, and what it reaches on dev."""

    folder: Path
    run_name: str
    models: StoredModels
    fallback_orders: dict[ModelKind, tuple[int, ...]]
    """Orders whose discounts the text was too small to estimate."""

    dev_seconds: float
    """Seconds of dev that the weights were chosen on."""

    wall_seconds: float
    unspellable: tuple[str, ...]
    """Words of the text that neither model can write, for want of a label, the most frequent first."""

    @property
    def is_text_small(self) -> bool:
        """Whether rare n-grams were discounted by usual values; single letters are few and never rare in any text."""
        return any(kind == "word" or order > 1 for kind, orders in self.fallback_orders.items() for order in orders)


@dataclass(frozen=True)
class _Dev:
    """The part of dev that the weights are chosen on: scores and texts of each utterance, and its seconds.

    Texts are as the rules left them, which models and labels are made of; rates are those of tidied ones, as
    `lowres evaluate` measures them.
    """

    log_probs: list[LogProbs]
    texts: list[str]
    seconds: float
    tidy: Callable[[str], str]

    def rates(self, heard: Sequence[str]) -> DevRates:
        hypotheses = [self.tidy(text) for text in heard]
        return DevRates(
            word_error_rate(self._references, hypotheses), character_error_rate(self._references, hypotheses)
        )

    def calibrate(self, heard: Sequence[Sequence[int]], vocabulary: Vocabulary) -> Calibration | None:
        words = [
            time_words(log_probs, token_ids, vocabulary)
            for log_probs, token_ids in zip(self.log_probs, heard, strict=True)
        ]
        return calibrate(*judge_words(self._references, words, self.tidy))

    @cached_property
    def _references(self) -> list[str]:
        return [self.tidy(text) for text in self.texts]


Report = Callable[[LanguageModelProgress], None]


def make_language_models(
    project: Path,
    recipe: Recipe,
    *,
    run: str | None = None,
    texts: Sequence[Path] = (),
    words: Path | None = None,
    progress: Report = lambda _progress: None,
) -> LanguageModelResult:
    """Make a word model and a character model for a run's best checkpoint and choose their weights on dev.

    Args:
        project: the project folder; `language_model/` is written into the run's best checkpoint, in place of an older.
        recipe: its text rules and its `[language_model]`.
        run: name of the run; None takes the newest.
        texts: files of more text, besides those that the recipe names.
        words: a file of words to expect more often, in place of the recipe's.
        progress: told what is being done.

    Raises:
        CorpusError: no prepared corpus, no dev to tune on, no text, or a text file that cannot be read.
        CheckpointError: no such run, or its checkpoint is damaged.
        LowresError: beam search is not possible on this machine.
    """
    started = time.perf_counter()
    demand_flashlight()
    settings = recipe.language_model
    corpus = load_corpus(project / CORPUS_FOLDER)
    run_folder = find_run(project, run)
    checkpoint = best_checkpoint(run_folder)
    compute = choose_compute("auto")
    recognizer = load_to_listen(project, checkpoint, compute)
    training = corpus.rows(TRAIN) if settings.all_transcripts else training_rows(corpus, recognizer.metadata)
    text = gather_text(
        corpus,
        training,
        recipe.text.rules,
        files=[*(recipe.beside(name) for name in settings.texts), *texts],
        words=words or (recipe.beside(settings.words) if settings.words else None),
    )
    progress(LanguageModelProgress("listening to dev"))
    dev = _hear_dev(corpus, recognizer, settings.tuning_seconds, compute, tidier(recipe.text.rules))
    partial = checkpoint / _PARTIAL
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        vocabulary = recognizer.vocabulary
        unspellable = _find_unspellable(text, vocabulary)
        made, fallback = [], {}
        for kind in KINDS:
            model = _estimate(kind, text, vocabulary, settings)
            fallback[kind] = model.fallback_orders
            made.append(
                _store_and_tune(
                    kind, model, dev, vocabulary, settings, partial, progress, num_unspellable=len(unspellable)
                )
            )
        greedy = [greedy_labels(log_probs) for log_probs in dev.log_probs]
        models = StoredModels(
            vocabulary.hash,
            text.sources,
            len(text.expected_words),
            tuple(made),
            dev.rates([vocabulary.decode(token_ids) for token_ids in greedy]),
            dev.calibrate(greedy, vocabulary),
        )
        write_description(partial, models)
        folder = checkpoint / LANGUAGE_MODEL_FOLDER
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return LanguageModelResult(
        folder, run_folder.name, models, fallback, dev.seconds, time.perf_counter() - started, unspellable
    )


def _hear_dev(
    corpus: PreparedCorpus, recognizer: Recognizer, seconds: float, compute: Compute, tidy: Callable[[str], str]
) -> _Dev:
    rows = choose_dev_rows(corpus.rows(DEV), seconds)
    if rows.empty:
        raise CorpusError(
            f"The corpus in {corpus.folder} has no dev split to choose the weights of a language model on.",
            "Prepare it with one (`[splits]` in the recipe).",
        )
    speech = speech_of(rows, ShardReader(corpus.folder))
    scores: dict[int, LogProbs] = {}
    for indices, output in score_speech(
        recognizer, speech, compute=compute, batch_seconds=DEFAULT_BATCH_SECONDS[compute.device]
    ):
        scores |= log_probs_of(indices, output)
    nothing = np.zeros((0, len(recognizer.vocabulary)), dtype=np.float32)
    return _Dev(
        [scores.get(index, nothing) for index in range(len(rows))],
        rows["text"].tolist(),
        float(rows["duration_seconds"].sum()),
        tidy,
    )


def _estimate(
    kind: ModelKind, text: GatheredText, vocabulary: Vocabulary, settings: LanguageModelSettings
) -> NgramModel:
    if kind == "word":
        return estimate_ngrams(
            [sentence.split() for sentence in text.sentences],
            order=settings.word_order,
            expected=text.expected_words,
            expected_share=settings.word_share,
            prune_below=settings.prune_below,
        )
    # A label's probability comes from its neighbours: the words to expect are sentences of their own here.
    sentences = chain.from_iterable(_cut(one, vocabulary) for one in (*text.sentences, *text.expected_words))
    return estimate_ngrams(
        [_spell(sentence, vocabulary) for sentence in sentences],
        order=settings.character_order,
        vocabulary=vocabulary.tokens[BLANK_ID + 1 :],
        prune_below=settings.prune_below,
    )


def _cut(sentence: str, vocabulary: Vocabulary) -> Iterator[str]:
    """Cut a sentence at the words that cannot be spelled: what stands around them would seem to begin and end there."""
    if is_spellable(sentence, vocabulary):
        yield sentence
        return
    for can_be_spelled, words in groupby(sentence.split(), lambda word: is_spellable(word, vocabulary)):
        if can_be_spelled:
            yield " ".join(words)


def _find_unspellable(text: GatheredText, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the words that cannot be spelled, the most frequent first."""
    counts = Counter(word for sentence in (*text.sentences, *text.expected_words) for word in sentence.split())
    return tuple(word for word, _ in counts.most_common() if not is_spellable(word, vocabulary))


def _spell(sentence: str, vocabulary: Vocabulary) -> list[str]:
    return [vocabulary.tokens[token_id] for token_id in vocabulary.encode(sentence)]


def _store_and_tune(
    kind: ModelKind,
    model: NgramModel,
    dev: _Dev,
    vocabulary: Vocabulary,
    settings: LanguageModelSettings,
    folder: Path,
    progress: Report,
    *,
    num_unspellable: int,
) -> StoredModel:
    """Write one model into `folder` and choose its weights: those with the lowest sum of word and character errors.

    Word errors alone would let whole words be guessed where letters were heard; character errors alone hardly see a
    missing space. A person who corrects a draft pays for both.
    """
    progress(LanguageModelProgress(f"reading the {kind} model"))
    path = arpa_path(folder, kind)
    write_arpa(model, path)
    words = list(model.words[len(RESERVED) :]) if kind == "word" else []
    if kind == "word":
        lexicon_path(folder).write_text("\n".join(words), encoding="utf-8", newline="\n")
    dev_units = [reference.split() if kind == "word" else _spell(reference, vocabulary) for reference in dev.texts]
    known = set(model.words)
    units = [unit for sentence in dev_units for unit in sentence]
    with BeamWorkers(beam_model(kind, path, vocabulary, words), num_cores()) as workers:

        def search(weights: BeamSettings) -> list[BeamHypothesis]:
            return [best[0] for best in workers.decode(dev.log_probs, weights)]

        def rate(found: list[BeamHypothesis]) -> DevRates:
            return dev.rates([write_hypothesis(hypothesis, vocabulary) for hypothesis in found])

        def cost(weights: BeamSettings) -> float:
            rates = rate(search(weights))
            return rates.word_error_rate + rates.character_error_rate

        tuned = tune(
            kind,
            cost,
            progress=lambda tried, best: progress(LanguageModelProgress(f"tuning the {kind} model", tried, best)),
        )
        weights = replace(tuned.settings, beam_size=settings.beam_size)
        found = search(weights)
    return StoredModel(
        kind=kind,
        order=model.order,
        num_ngrams=tuple(len(table.word) for table in model.tables),
        sha256=hash_file(path),
        perplexity=model.perplexity(dev_units),
        unknown_share=sum(unit not in known for unit in units) / max(len(units), 1),
        num_unspellable=num_unspellable,
        settings=weights,
        dev=rate(found),
        calibration=dev.calibrate([hypothesis.token_ids for hypothesis in found], vocabulary),
    )
