"""Self-training on whistled letters: a teacher labels tapes that nobody transcribed, and a student learns from them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tone_corpus import LETTERS, hash_of, whistle, write_project
from typer.testing import CliRunner

from lowres.audio.shards import ShardReader
from lowres.backbones.native import load_recognizer
from lowres.cli.app import app
from lowres.errors import CheckpointError, CorpusError, TrainingError
from lowres.manifest.corpus import load_corpus
from lowres.recipe import load_recipe
from lowres.scoring.error_rates import character_error_rate
from lowres.stages import finetune_self_train as stage
from lowres.stages.finetune import FinetuneOptions, RunStarted, finetune
from lowres.stages.finetune_pseudo_labels import PSEUDO_LABELS_FILE, PseudoLabels, read_pseudo_labels
from lowres.stages.finetune_run import read_record
from lowres.stages.finetune_self_train import SelfTrainEvent, SelfTrainNotice, SelfTrainResult, finetune_self_train
from lowres.stages.run_folder import RunFolder, hash_of_fields
from lowres.training.monitors import EvaluationReport

pytestmark = pytest.mark.slow  # every test trains or exports for a second or more

TEACHER = "finetune-all-seed1"
STUDENT = "finetune-all-seed1-self-trained"
QUICK = ("finetune.updates=4", "finetune.evaluate_every_updates=2")


def said_on(number: int) -> str:
    generator = np.random.Generator(np.random.PCG64(1000 + number))
    return " ".join("".join(generator.choice(list(LETTERS), size=3)) for _ in range(12))


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a teacher that has learnt the letters."""
    project = write_project(tmp_path_factory.mktemp("learnt") / "project")
    recipe = load_recipe(project=project, overrides=["finetune.updates=110", "finetune.evaluate_every_updates=22"])
    finetune(project, recipe, FinetuneOptions())
    return project


@pytest.fixture
def project(learnt: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(learnt, tmp_path / "project"))


@pytest.fixture
def tapes(tmp_path: Path) -> Path:
    """Four tapes of whistled letters, one of them almost drowned in noise."""
    folder = tmp_path / "tapes"
    folder.mkdir()
    for number in range(4):
        samples = whistle(said_on(number))
        if number == 3:
            samples = 0.2 * samples + 0.1 * np.random.Generator(np.random.PCG64(5)).standard_normal(len(samples))
        soundfile.write(folder / f"tape{number}.wav", samples.astype(np.float32), 16_000)
    return folder


def self_train(
    project: Path,
    tapes: Path,
    *settings: str,
    watch: Callable[[SelfTrainEvent], None] = lambda _event: None,
    is_stop_asked: Callable[[], bool] = lambda: False,
    **options: object,
) -> SelfTrainResult:
    recipe = load_recipe(project=project, overrides=[*QUICK, *settings])
    asked = FinetuneOptions(**options)  # type: ignore[arg-type]
    return finetune_self_train(project, recipe, asked, tapes, watch, is_stop_asked=is_stop_asked)


def labels_of(project: Path, run: str = STUDENT) -> PseudoLabels:
    found = read_pseudo_labels(project, project / "runs" / run)
    assert found is not None
    return found


def test_whistled_letters_are_learnt(learnt: Path) -> None:
    error_rate = read_record(RunFolder(learnt / "runs" / TEACHER)).best_dev_character_error_rate
    assert error_rate is not None
    assert error_rate < 0.3


def test_unseen_whistles_are_labelled_right_and_the_noisy_ones_left_out(project: Path, tapes: Path) -> None:
    told: list[str] = []
    settings = "finetune.self_train_share=0.75"
    self_train(
        project, tapes, settings, watch=lambda e: told.append(e.sentence) if isinstance(e, SelfTrainNotice) else None
    )
    pieces = {piece.recording: piece for piece in labels_of(project).pieces}
    assert {name: piece.use for name, piece in pieces.items()} == {
        "tape0": "kept", "tape1": "kept", "tape2": "kept", "tape3": "less sure",
    }  # fmt: skip
    said, heard = [said_on(number) for number in range(3)], [pieces[f"tape{number}"].text for number in range(3)]
    assert character_error_rate(said, heard) < 0.3
    hours = sum(len(whistle(text)) for text in said) / 16_000 / 3600
    assert any(f"{hours:.2f} h in 3 of 4 pieces are kept" in sentence for sentence in told)


def test_a_smaller_share_keeps_fewer(project: Path, tapes: Path) -> None:
    self_train(project, tapes, "finetune.self_train_share=0.25")
    assert len(labels_of(project).kept) == 1


def test_the_student_tells_transcribed_from_pseudo_labelled(project: Path, tapes: Path) -> None:
    result = self_train(project, tapes)
    teacher, student = read_record(RunFolder(project / "runs" / TEACHER)), result.student
    assert student is not None
    kept = labels_of(project).kept
    hours = sum(len(whistle(said_on(int(piece.recording[-1])))) for piece in kept) / 16_000 / 3600
    assert (student.hours, student.num_utterances) == (teacher.hours, 24)
    assert student.pseudo_labelled_hours == pytest.approx(hours, abs=1e-4)
    assert (student.num_pseudo_labelled, student.teacher) == (2, TEACHER)
    assert (teacher.num_pseudo_labelled, teacher.teacher) == (0, "")
    assert (student.vocabulary_sha256, student.status) == (teacher.vocabulary_sha256, "finished")
    training = load_recognizer(project / "runs" / STUDENT / "checkpoints/best").metadata.training
    assert (training["hours"], training["pseudo_labelled_hours"]) == (teacher.hours, student.pseudo_labelled_hours)


def test_the_student_hears_the_pieces_as_they_are_on_the_tapes(project: Path, tapes: Path) -> None:
    self_train(project, tapes)
    labels = labels_of(project)
    for index, piece in enumerate(labels.kept):
        tape, _ = soundfile.read(tapes / f"{piece.recording}.wav", dtype="int16")
        assert np.array_equal(labels.reader().read(index), tape[piece.start_samples :][: piece.num_samples])


def test_a_resumed_student_equals_the_uninterrupted_one(project: Path, tapes: Path, tmp_path: Path) -> None:
    whole = Path(shutil.copytree(project, tmp_path / "whole"))
    self_train(whole, tapes)
    running, evaluated = [], []

    def note(event: SelfTrainEvent) -> None:
        if isinstance(event, RunStarted):
            running.append(event.record.name)
        if isinstance(event, EvaluationReport):
            evaluated.append(event.step)

    stopped = self_train(project, tapes, watch=note, is_stop_asked=lambda: bool(evaluated))
    assert (stopped.student, running) == (None, [STUDENT])
    shutil.rmtree(tapes)  # what was labelled is not labelled again
    result = self_train(project, tapes, "finetune.self_train_share=1.0", resume=True)
    assert result.student is not None
    assert (result.student.updates, result.student.times_resumed) == (4, 1)
    weights = Path("runs") / STUDENT / "checkpoints/last/weights.safetensors"
    assert hash_of(project / weights) == hash_of(whole / weights)


def test_latents_of_pieces_are_kept_like_those_of_utterances(project: Path, tapes: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(project, tmp_path / "other"))
    frozen = (f"finetune.backbone=runs/{TEACHER}/checkpoints/best", "finetune.train_feature_encoder=false")
    self_train(project, tapes, *frozen, "finetune.cache_latents=on")
    self_train(other, tapes, *frozen, "finetune.cache_latents=off")
    metrics = (project / "runs" / STUDENT / "metrics.jsonl").read_text(encoding="utf-8")
    assert "are computed once" in metrics
    weights = Path("runs") / STUDENT / "checkpoints/last/weights.safetensors"
    assert hash_of(project / weights) == hash_of(other / weights)


def test_a_stopped_teacher_is_gone_on_with(tmp_path: Path, tapes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, evaluated = write_project(tmp_path / "new"), []
    watch = lambda event: evaluated.append(event) if isinstance(event, EvaluationReport) else None  # noqa: E731
    result = self_train(project, tapes, watch=watch, is_stop_asked=lambda: bool(evaluated))
    assert (result.teacher, result.student) == (None, None)
    monkeypatch.setattr(stage, "_label", lambda *_: False)
    assert self_train(project, tapes, resume=True).teacher == read_record(RunFolder(project / "runs" / TEACHER))
    assert read_record(RunFolder(project / "runs" / TEACHER)).status == "finished"


def test_changed_labels_are_refused(project: Path, tapes: Path) -> None:
    evaluated: list[SelfTrainEvent] = []
    watch = lambda event: evaluated.append(event) if isinstance(event, EvaluationReport) else None  # noqa: E731
    self_train(project, tapes, watch=watch, is_stop_asked=lambda: bool(evaluated))
    path = project / "runs" / STUDENT / PSEUDO_LABELS_FILE
    path.write_text(path.read_text(encoding="utf-8").replace("\tkept\t", "\tkept\tb"), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"pseudo-labels of .* changed"):
        self_train(project, tapes, resume=True)


def test_recordings_of_the_corpus_itself_are_left_out(project: Path, tapes: Path) -> None:
    corpus = load_corpus(project / "corpus")
    row = corpus.rows("dev").iloc[0]
    samples = ShardReader(corpus.folder).read(row["shard"], row["offset_samples"], row["num_samples"])
    soundfile.write(tapes / "dev.wav", samples, 16_000)
    told: list[str] = []
    self_train(project, tapes, watch=lambda e: told.append(e.sentence) if isinstance(e, SelfTrainNotice) else None)
    assert "Left out: 1 recording, utterances of the corpus already (dev)." in told
    assert "dev" not in {piece.recording for piece in labels_of(project).pieces}


def test_a_teacher_of_other_hours_is_refused(project: Path, tapes: Path) -> None:
    with pytest.raises(CheckpointError, match="was trained on all of speech, and --hours is 1h"):
        self_train(project, tapes, run=TEACHER, hours=1.0)


def test_a_teacher_that_hears_nothing_is_one_sentence(
    project: Path, tapes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "label_pieces", lambda pieces, *_: list(pieces))
    with pytest.raises(TrainingError, match="heard nothing that could be learnt from in 4 pieces"):
        self_train(project, tapes)
    assert not (project / "runs" / STUDENT).exists()


def test_a_student_that_exists_is_not_trained_over(project: Path, tapes: Path) -> None:
    (project / "runs" / STUDENT).mkdir()
    shutil.copy(project / "runs" / TEACHER / "run.json", project / "runs" / STUDENT)
    with pytest.raises(CheckpointError, match="exists already"):
        self_train(project, tapes)


@pytest.mark.parametrize("content", [None, b"RIFFnothing"])
def test_a_folder_without_readable_recordings_is_refused_before_training(tmp_path: Path, content: bytes | None) -> None:
    project, folder = write_project(tmp_path / "new"), tmp_path / "folder"
    folder.mkdir()
    if content:
        (folder / "broken.wav").write_bytes(content)
    with pytest.raises(CorpusError, match=r"There is no recording|cannot be used"):
        self_train(project, folder)
    assert not (project / "runs").exists()


def test_records_from_before_self_training_are_read_and_hashed_as_they_were(project: Path) -> None:
    folder = RunFolder(project / "runs" / TEACHER)
    record = read_record(folder)
    found = json.loads((folder.path / "run.json").read_text(encoding="utf-8"))
    for name in ("num_pseudo_labelled", "pseudo_labelled_hours", "pseudo_labels_sha256", "teacher"):
        del found[name]
    (folder.path / "run.json").write_text(json.dumps(found | {"format_version": 1}), encoding="utf-8")
    assert read_record(folder) == record
    before = ("corpus_sha256", "subset_sha256", "vocabulary_sha256", "model_config", "backbone_sha256", "settings")
    assert read_record(folder).sha256 == hash_of_fields(record, before)


def test_the_command_shows_teacher_and_student(project: Path, tapes: Path) -> None:
    sets = [part for setting in QUICK for part in ("--set", setting)]
    command = ["finetune", "--project", str(project), "--self-train", str(tapes), *sets]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert [line.split()[0] for line in lines[-4:-2]] == ["teacher", "student"]
    assert lines[-2] == "The student is no better than its teacher on dev."
    assert f"lowres evaluate --run {TEACHER}" in lines[-1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--self-train", "tapes", "--seeds", "2"], "--self-train and --seeds cannot be used together."),
        (["--self-train", "nowhere"], "There is no folder nowhere to self-train on."),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    project = write_project(tmp_path / "new", num_train=1)
    result = CliRunner().invoke(app, ["finetune", "--project", str(project), *arguments])
    assert result.exit_code == 2
    assert sentence in result.output
