"""Evaluating with a language model: taken by itself, left out on demand, and what it brought is said."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from test_evaluate import FP32, RECIPE, write_project
from transcribing import SPEC, listen, write_speech
from typer.testing import CliRunner

from lowres.cli.app import app
from lowres.decoding import beam_workers
from lowres.decoding.calibration import Calibration
from lowres.decoding.word_times import HeardWord
from lowres.errors import CheckpointError, LowresError
from lowres.recipe import parse_recipe
from lowres.report.sentences import percent
from lowres.scoring.error_rates import word_error_rate
from lowres.stages.evaluate import EvaluationResult, evaluate
from lowres.stages.evaluate_gain import measure_gain
from lowres.stages.listening import Heard
from lowres.stages.lm import make_language_models
from lowres.stages.transcribe_work import close_listener
from lowres.stages.word_confidence import confidence_facts

RUN = "finetune-1h-seed1"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with language models that nobody may change."""
    folder = write_project(tmp_path_factory.mktemp("made"))
    with pytest.MonkeyPatch.context() as quickly:
        quickly.setattr("lowres.decoding.tuning._NUM_HALVINGS", 0)
        make_language_models(folder, parse_recipe(RECIPE))
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "project")


def run(project: Path, **options: object) -> EvaluationResult:
    return evaluate(project, parse_recipe(RECIPE), replace(FP32, **options))  # type: ignore[arg-type]


def test_a_language_model_is_taken_where_there_is_one(project: Path) -> None:
    result = run(project)
    assert result.gain is not None
    assert result.contents.text.hypotheses != run(project, language_model="none").contents.text.hypotheses


@pytest.mark.slow
def test_the_better_model_on_dev_is_taken(project: Path) -> None:
    description = project / "runs" / RUN / "checkpoints" / "best" / "language_model" / "language_model.json"
    data = json.loads(description.read_text(encoding="utf-8"))
    for kind, number in (("word", 0), ("character", 1)):
        data["models"][number]["dev"] = {"word_error_rate": 0.0, "character_error_rate": 0.0}
        data["models"][1 - number]["dev"] = {"word_error_rate": 1.0, "character_error_rate": 1.0}
        description.write_text(json.dumps(data), encoding="utf-8")
        named = run(project, language_model=kind).contents.text.hypotheses
        assert run(project).contents.text.hypotheses == named


def test_none_is_what_is_heard_without_any_model(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    without = write_project(tmp_path_factory.mktemp("without"))
    greedy, none = run(without), run(project, language_model="none")
    assert none.contents.text.hypotheses == greedy.contents.text.hypotheses
    assert (none.gain, greedy.gain) == (None, None)


def test_greedy_figures_beside_the_model_are_those_of_none(project: Path) -> None:
    result, none = run(project), run(project, language_model="none")
    assert result.gain is not None
    assert result.gain.greedy_word_error_rate == none.rates.words.counts.error_rate
    assert result.gain.greedy_character_error_rate == none.rates.characters.counts.error_rate
    share = 1 - result.rates.words.counts.error_rate / none.rates.words.counts.error_rate
    assert result.gain.words.share == pytest.approx(share)


def test_only_words_of_the_training_text_are_heard_with_a_word_model(project: Path) -> None:
    words = (project / "runs" / RUN / "checkpoints" / "best" / "language_model" / "words.txt").read_text(
        encoding="utf-8"
    )
    heard = run(project, language_model="word").contents.text.hypotheses
    assert {word for text in heard for word in text.split()} <= set(words.split("\n"))


def test_the_report_says_how_was_decoded_and_what_it_brought(project: Path) -> None:
    folder = run(project, language_model="character").folder
    report = (folder / "report.json").read_text(encoding="utf-8")
    page = (folder / "report.html").read_text(encoding="utf-8")
    for said in ("gram of labels, open vocabulary", "Without language model", "With the language model"):
        assert said in report
        assert said in page


def test_a_report_without_a_model_says_so(project: Path) -> None:
    folder = run(project, language_model="none").folder
    report = (folder / "report.json").read_text(encoding="utf-8")
    assert "greedy, without a language model" in report
    assert "With the language model" not in report


def test_scoring_on_dev_is_called_out(project: Path) -> None:
    badges = [caution.badge for caution in run(project, split="dev").contents.cautions]
    assert "tuned on dev" in badges
    for fair in (run(project), run(project, split="dev", language_model="none")):
        assert "tuned on dev" not in [caution.badge for caution in fair.contents.cautions]


def test_a_model_that_was_not_made_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="has no language model"):
        run(write_project(tmp_path), language_model="word")


def test_a_damaged_model_is_refused(project: Path) -> None:
    folder = project / "runs" / RUN / "checkpoints" / "best" / "language_model"
    for path in folder.glob("*.arpa"):
        path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(CheckpointError, match="is not the file that was made"):
        run(project)
    (folder / "language_model.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointError, match="is damaged"):
        run(project)
    assert run(project, language_model="none").rates.words


def test_without_flashlight_decoding_is_greedy_and_says_so(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    none = run(project, language_model="none").contents.text.hypotheses
    monkeypatch.setitem(sys.modules, "flashlight.lib.text.decoder.kenlm", None)
    result = run(project)
    assert result.contents.text.hypotheses == none
    assert "needs flashlight's text decoder" in result.notes[0]
    with pytest.raises(LowresError, match="needs flashlight's text decoder"):
        run(project, language_model="word")
    done = CliRunner().invoke(app, ["evaluate", "--project", str(project)])
    assert done.exit_code == 0, done.output
    assert "Decoded greedily, without the language model." in " ".join(done.output.split())


def test_a_long_recording_is_transcribed_alike_by_one_process_and_by_several(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In passages, which the processes divide among themselves."""
    write_speech(tmp_path / "a.wav", [(2.0 * number, 2.0 * number + 1.2) for number in range(20)], 40.0)
    monkeypatch.setattr(beam_workers, "_FRAMES_WORTH_A_PROCESS", 1)
    spec = replace(SPEC, language_model="character", num_alternatives=2)
    made, started = [], []
    pool = beam_workers.ProcessPoolExecutor
    monkeypatch.setattr(
        beam_workers, "ProcessPoolExecutor", lambda number, **more: started.append(number) or pool(number, **more)
    )
    for num_cores in (1, 2):
        monkeypatch.setattr("lowres.stages.transcribe.num_cores", lambda num_cores=num_cores: num_cores)
        result = listen(project, tmp_path / "a.wav", spec=spec, output=tmp_path / f"{num_cores}")
        assert not result.problems
        close_listener()
        made.append((result.folder / "a.json").read_bytes())
    assert started == [2]
    assert made[0] == made[1]
    assert made[0].count(b'"start_seconds"') > 20


def test_the_command_prints_what_the_model_brought(project: Path) -> None:
    done = CliRunner().invoke(app, ["evaluate", "--project", str(project), "--no-recordings"])
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "Without language model: WER" in said
    assert "With the language model:" in said


def test_the_command_without_a_model_names_the_next_step(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    done = CliRunner().invoke(app, ["evaluate", "--project", str(project), "--no-recordings"])
    assert f"lowres lm --run {RUN}" in " ".join(done.output.split())
    done = CliRunner().invoke(app, ["evaluate", "--project", str(project), "--no-recordings", "--lm", "none"])
    assert "lowres lm" not in done.output


def test_the_gain_is_worked_out_from_tidied_texts() -> None:
    heard = Heard(texts=[" a b c", "d  e"], greedy=["a x c", "x "], words=[[], []])
    gain = measure_gain(["a b c", "d e"], heard, lambda text: " ".join(text.split()), seed=1)
    assert gain.greedy_word_error_rate == word_error_rate(["a b c", "d e"], ["a x c", "x"]) == pytest.approx(3 / 5)
    assert (gain.words.share, gain.characters.share) == (1, 1)
    assert gain.facts()[0] == ("Without language model", f"WER {percent(0.6)}, CER {percent(0.5)} (greedy)")


def test_a_model_that_brings_nothing_is_said_to() -> None:
    heard = Heard(texts=["a b", "c d"], greedy=["a b", "c x"], words=[[], []])
    gain = measure_gain(["a b", "c x"], heard, str.strip, seed=1)
    assert gain.words.share <= 0
    assert gain.words.chance_of_none == 1


def test_how_far_confidence_can_be_believed_is_said_of_the_scored_words() -> None:
    heard = [[HeardWord("a", 0, 1, 0.9, ()), HeardWord("b ", 1, 2, 0.9, ())], [HeardWord("c", 0, 1, 0.9, ())]]
    calibration = Calibration(temperature=1.0, shift=0.0, num_words=20, error=0.0, error_before=0.0)
    ((name, told),) = confidence_facts(["a b", "x"], heard, str.strip, calibration)
    assert name == "Confidence of words"
    # Three words of 90 %, of which two are right.
    assert f"error {percent(0.9 - 2 / 3, 1)} over 3 words" in told
    assert f"{percent(0.9, 1)} of them should be right, {percent(2 / 3, 1)} are" in told
    assert confidence_facts(["a b", "x"], heard, str.strip, None) == []
