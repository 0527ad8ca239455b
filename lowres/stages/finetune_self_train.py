"""Self-training: a teacher labels recordings that nobody transcribed, and a student learns from these labels as well.

One round, as in Bartelds et al. 2023 ("Making more of little data"), with the teacher's least sure labels left out.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from lowres.corpora.settings import ReaderSettings
from lowres.errors import CheckpointError, CorpusError, TrainingError
from lowres.manifest.corpus import CORPUS_FOLDER, PreparedCorpus, load_corpus
from lowres.manifest.overlap import count
from lowres.recipe import CorpusSection, Recipe
from lowres.stages.finetune import FinetuneEvent, FinetuneOptions, FinetuneResult, finetune
from lowres.stages.finetune_labelling import cut_recordings, keep_surest, label_pieces
from lowres.stages.finetune_open import as_recorded
from lowres.stages.finetune_pseudo_labels import (
    PSEUDO_LABELS_FILE,
    LabelledPiece,
    hours_of,
    self_train_folder,
    write_pseudo_labels,
)
from lowres.stages.finetune_run import RunRecord, read_record
from lowres.stages.finetune_speech import hours_label
from lowres.stages.listening import load_to_listen
from lowres.stages.prepare import PrepareOptions, prepare
from lowres.stages.prepare_corpora import Preparation, find_unchanged
from lowres.stages.run_folder import RUN_FILE, RunFolder, name_is_no_path
from lowres.training.precision import choose_compute

STUDENT_SUFFIX: Final = "-self-trained"
_ENDED: Final = ("finished", "stopped early")
_MOST_NAMED: Final = 5


@dataclass(frozen=True)
class SelfTrainNotice:
    """Something that was done or found, as a sentence."""

    sentence: str


@dataclass(frozen=True)
class SelfTrainProgress:
    """How far preparing or labelling the recordings is."""

    task: str
    """Such as "decoding recordings"."""

    done: float
    total: float
    """0 where it is not known."""


SelfTrainEvent = FinetuneEvent | SelfTrainNotice | SelfTrainProgress


@dataclass(frozen=True)
class SelfTrainResult:
    """How teacher and student ended."""

    teacher_run: str
    student_run: str
    teacher: RunRecord | None
    """None where somebody stopped it before the teacher had ended."""

    student: RunRecord | None
    """None where somebody stopped it before the student had ended."""

    @property
    def better_run(self) -> str:
        """The run with fewer wrong characters on dev: the teacher where both are equal, the student without dev."""
        before, after = (
            record.best_dev_character_error_rate if record else None for record in (self.teacher, self.student)
        )
        return self.teacher_run if before is not None and after is not None and before <= after else self.student_run


@dataclass(frozen=True)
class _Call:
    """What every step of one self-training needs."""

    project: Path
    recipe: Recipe
    options: FinetuneOptions
    watch: Callable[[SelfTrainEvent], None]
    is_stop_asked: Callable[[], bool]

    def run_folder(self, name: str) -> RunFolder:
        return RunFolder(self.project / "runs" / name)

    def say(self, sentence: str) -> None:
        self.watch(SelfTrainNotice(sentence))


def finetune_self_train(
    project: Path,
    recipe: Recipe,
    options: FinetuneOptions,
    folder: Path,
    watch: Callable[[SelfTrainEvent], None] = lambda _event: None,
    *,
    is_stop_asked: Callable[[], bool] = lambda: False,
) -> SelfTrainResult:
    """Train a teacher, label the recordings of a folder with it, and train a student on both.

    The student is the run NAME-self-trained: the same start, vocabulary and settings, except that settings which
    follow the hours of speech follow those of both. It hears every piece as often as every transcribed utterance.

    Args:
        project: the project folder; recordings are prepared in `prepared/self-train/`, runs are written to `runs/`.
        recipe: as for `finetune`; `finetune.self_train_share` says how much is kept.
        options: as for `finetune`, for teacher and student alike: a time budget is each one's own. A teacher that has
            ended already is taken as it is; with `resume`, so is a student, and what is not ended goes on.
        folder: recordings of any format and length; they should hold nothing of dev and test.
        watch: told of both runs' events and of what is done between them.
        is_stop_asked: as for `finetune`.

    Raises:
        CorpusError: the folder holds no recording that can be read, or as `finetune`.
        CheckpointError: the student exists already, the teacher does not fit the corpus or options, or as `finetune`.
        TrainingError: the teacher heard nothing at all, or as `finetune`.
    """
    teacher_run = _teacher_run(recipe, options)
    student_run = teacher_run + STUDENT_SUFFIX
    call = _Call(project, recipe, options, watch, is_stop_asked)
    student_folder = call.run_folder(student_run)
    is_begun = (student_folder.path / RUN_FILE).exists()
    if is_begun and not options.resume:
        raise CheckpointError(
            f"The run {student_folder.path} exists already.",
            "Go on with it by adding --resume, or train another teacher and student with --run NAME or --seed N.",
        )
    is_labelled = options.resume and (student_folder.path / PSEUDO_LABELS_FILE).exists()
    recordings = None if is_labelled else _prepare_recordings(call, folder)
    teacher = _train_or_take(call, teacher_run)
    stopped = SelfTrainResult(teacher_run, student_run, teacher, None)
    if teacher is None or is_stop_asked():
        return stopped
    call = replace(call, options=as_recorded(options, teacher))
    if recordings is not None and not _label(call, recordings, teacher_run, student_folder):
        return stopped
    return replace(stopped, student=_train_or_take(call, student_run))


def _teacher_run(recipe: Recipe, options: FinetuneOptions) -> str:
    if options.run is not None:
        return name_is_no_path(options.run).removesuffix(STUDENT_SUFFIX)
    seed = recipe.finetune.seed if options.seed is None else options.seed
    return f"finetune-{hours_label(options.hours)}-seed{seed}"


def _train_or_take(call: _Call, name: str) -> RunRecord | None:
    """Train a run, go on with it, or take it where it has ended; None when somebody stopped it.

    Raises:
        CheckpointError: it has ended, and was trained on another corpus or on other hours than asked for.
    """
    folder, options = call.run_folder(name), replace(call.options, run=name)
    is_begun = (folder.path / RUN_FILE).exists()
    if is_begun and (record := read_record(folder)).status in _ENDED:
        _check_still_fits(call, folder, record)
        call.say(f"The run {name} has {record.status} already and is taken as it is.")
        return record
    options = replace(options, resume=options.resume and is_begun)
    result: FinetuneResult = finetune(call.project, call.recipe, options, call.watch, is_stop_asked=call.is_stop_asked)
    return None if result.ending == "interrupted" else result.record


def _check_still_fits(call: _Call, folder: RunFolder, record: RunRecord) -> None:
    remedy = "Train another teacher with --run NAME."
    if record.corpus_sha256 != load_corpus(call.project / CORPUS_FOLDER).info.manifest_sha256:
        raise CheckpointError(f"The corpus was prepared again after the run {folder.path} was trained on it.", remedy)
    if call.options.hours is not None and call.options.hours != record.hours_asked:
        asked, trained = hours_label(call.options.hours), hours_label(record.hours_asked)
        raise CheckpointError(
            f"The run {folder.path} was trained on {trained} of speech, and --hours is {asked}.", remedy
        )


def _prepare_recordings(call: _Call, folder: Path) -> PreparedCorpus:
    """Prepare the recordings, unless they are prepared already and nothing has changed.

    Raises:
        CorpusError: there is no such folder, or no recording in it can be read.
    """
    if not folder.is_dir():
        raise CorpusError(f"There is no folder {folder} to self-train on.", "Name a folder of recordings.")
    place = folder.resolve()
    # Two folders may both be called "radio".
    name = f"{place.name}-{sha256(str(place).encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"
    recipe = Recipe(
        name=place.name,
        language=call.recipe.language,
        corpus=CorpusSection(folder=str(place), reader=ReaderSettings(reader="recordings")),
    )
    target = self_train_folder(call.project, name)
    options = PrepareOptions()

    def progress(step: str, done: int, total: int) -> None:
        call.watch(SelfTrainProgress(f"{step} recordings", done, total))

    try:
        if find_unchanged(call.project, Preparation(name, recipe, target), options.seed, progress) is None:
            checks = prepare(call.project, recipe, options, progress, target=target).checks
            for check in checks:
                if check.severity == "drop" and check.sentence:
                    call.say(check.sentence)
    except CorpusError as error:
        raise CorpusError(error.message, "Name a folder that holds recordings after --self-train.") from error
    corpus = load_corpus(target)
    info = corpus.info
    left_out = f"; {info.num_excluded:,} left out, named in {target / 'checks.tsv'}" if info.num_excluded else ""
    hours = sum(info.hours_per_split.values())
    recordings = count(info.num_utterances, "recording")
    call.say(f"{place.name}: {recordings} without transcripts, {hours:.2f} h{left_out}.")
    return corpus


def _label(call: _Call, recordings: PreparedCorpus, teacher_run: str, student: RunFolder) -> bool:
    """Label the recordings and write what was heard into the student's folder; tell whether it came to an end.

    Raises:
        TrainingError: there is nothing to learn from.
    """
    cutting = cut_recordings(recordings, load_corpus(call.project / CORPUS_FOLDER))
    _say_left_out(call, "utterances of the corpus already", cutting.known)
    _say_left_out(call, "shorter than a second", cutting.too_short)
    compute = choose_compute(call.recipe.finetune.precision)
    best = call.run_folder(teacher_run).best
    recognizer = load_to_listen(call.project, best, compute)

    def progress(done: float, total: float) -> bool:
        call.watch(SelfTrainProgress("transcribing recordings", done, total))
        return not call.is_stop_asked()

    labelled = label_pieces(cutting.pieces, recordings, recognizer, compute, progress)
    if labelled is None:
        return False
    pieces = keep_surest(labelled, call.recipe.finetune.self_train_share)
    if not any(piece.use == "kept" for piece in pieces):
        raise TrainingError(
            f"The teacher {teacher_run} heard nothing that could be learnt from in {len(pieces):,} pieces of the "
            f"recordings in {recordings.folder}.",
            "Measure it with `lowres evaluate`; train it longer or on more hours, or give it other recordings.",
        )
    write_pseudo_labels(student.path, pieces, corpus=recordings.folder.name, teacher=teacher_run)
    call.say(describe_choice(pieces))
    call.say(f"All pieces, with their texts: {student.path / PSEUDO_LABELS_FILE}")
    return True


def _say_left_out(call: _Call, what: str, names: tuple[str, ...]) -> None:
    if names:
        dots = " ..." if len(names) > _MOST_NAMED else ""
        call.say(f"Left out: {count(len(names), 'recording')}, {what} ({', '.join(names[:_MOST_NAMED])}{dots}).")


def describe_choice(pieces: list[LabelledPiece]) -> str:
    """Say how much of the labelled speech is learnt from and how much is left out, and why."""
    kept = [piece for piece in pieces if piece.use == "kept"]
    parts = [
        f"{hours_of(found):.2f} h ({len(found):,}) {why}"
        for use, why in (
            ("less sure", "that the teacher is less sure of"),
            ("nothing heard", "in which it heard nothing"),
            ("too short", "that are too short for their text"),
        )
        if (found := [piece for piece in pieces if piece.use == use])
    ]
    left_out = f" Left out: {', '.join(parts)}." if parts else ""
    lowest = min(piece.confidence for piece in kept)
    return (
        f"Pseudo-labels: {hours_of(kept):.2f} h in {len(kept):,} of {len(pieces):,} pieces are kept, the least sure of "
        f"them with a confidence of {lowest:.2f}.{left_out}"
    )
