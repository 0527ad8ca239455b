"""Evaluating a tiny untrained recogniser on a tiny corpus: the whole stage, its honesty and its errors."""

import json
import os
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import jiwer
import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from lowres.audio.shards import ShardWriter
from lowres.backbones.checkpoint_folder import CheckpointMetadata, write_checkpoint
from lowres.cli.app import app
from lowres.errors import CheckpointError, CorpusError
from lowres.manifest.corpus import CorpusInfo, load_corpus, write_corpus
from lowres.manifest.schema import UtteranceRow, table_from_rows
from lowres.model.config import preset, to_dict
from lowres.model.ctc import CTCRecognizer
from lowres.recipe import Recipe, parse_recipe
from lowres.report.recordings import embed_recordings
from lowres.stages import evaluate as evaluate_stage
from lowres.stages import evaluate_sound
from lowres.stages import measure_run as measure_stage
from lowres.stages.evaluate import EvaluateOptions, EvaluationProgress, evaluate
from lowres.stages.evaluate_run import find_run
from lowres.stages.listening import Heard
from lowres.stages.measure_run import measure_run
from lowres.text.normalize import describe_rules, normalize
from lowres.text.vocabulary import VocabularySettings, build_vocabulary

RECIPE = """
name = "little"
[language]
name = "Little"
iso_639_3 = "mdw"
[text]
rules = ["nfc", "lowercase", "strip_punctuation", "collapse_spaces"]
"""
RAW_TEXTS = ["Wáa dzé.", "La mwána!", "Mbía, yé adi", "Kyéma", "[bold]Okwá[/bold] ngá", "Ngá"]
SPLITS = ["train"] * 6 + ["dev"] * 4 + ["test"] * 8
SPEAKERS = ["ana"] * 6 + ["ben"] * 4 + ["ana", "ben", "", "eva", "eva", "ben", "eva", "ben"]

FP32 = EvaluateOptions(precision="fp32", embed_recordings=False)
MakeProject = Callable[..., Path]


def write_project(project: Path, *, splits: list[str] = SPLITS, checkpoint: bool = True, **training: object) -> Path:
    """Write lowres.toml, a corpus of noise and a run whose recogniser has random weights."""
    recipe = parse_recipe(RECIPE)
    (project / "lowres.toml").write_text(RECIPE, encoding="utf-8")
    table = write_little_corpus(project / "corpus", recipe, splits)
    if checkpoint:
        write_little_run(project / "runs" / "finetune-1h-seed1", table, training)
    return project


def write_little_corpus(folder: Path, recipe: Recipe, splits: list[str]) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    lengths = generator.integers(3_000, 30_000, len(splits))
    rows = [
        UtteranceRow(f"u{i:02d}", f"u{i:02d}.wav", speaker=SPEAKERS[i], split=split, raw_text=RAW_TEXTS[i % 6])
        for i, split in enumerate(splits)
    ]
    table = table_from_rows(rows)
    table["text"] = [normalize(text, recipe.text.rules) for text in table["raw_text"]]
    table["num_samples"] = lengths
    table["duration_seconds"] = lengths / 16_000
    table["shard"] = "part-00000.pcm"
    (folder / "shards").mkdir(parents=True)
    with ShardWriter(folder / "shards" / "part-00000.pcm") as writer:
        noise = [(generator.normal(size=n) * 3000).astype(np.int16) for n in lengths]
        table["offset_samples"] = [writer.append(samples) for samples in noise]
        writer.finish()
    rules = tuple(describe_rules(recipe.text.rules))
    write_corpus(folder, table, CorpusInfo(name="little", language="mdw", text_rules=rules, licence="CC0"))
    return table


def write_little_run(run: Path, table: pd.DataFrame, training: dict[str, object]) -> None:
    vocabulary = build_vocabulary(table.loc[table["split"] == "train", "text"].tolist(), VocabularySettings())
    config = replace(
        preset("xs"),
        conv_layers=((8, 10, 5), (8, 8, 4), (8, 8, 4), (8, 4, 2), (8, 4, 2)),
        width=16,
        num_layers=1,
        num_heads=2,
        feed_forward_width=16,
        positional_kernel=4,
        positional_groups=2,
    )
    torch.manual_seed(1)
    model = CTCRecognizer(config, len(vocabulary))
    with torch.no_grad():
        model.head.weight.mul_(30)  # frames differ enough for letters to come out
    metadata = CheckpointMetadata(
        kind="recognizer",
        model_config=to_dict(config),
        vocabulary=vocabulary.to_json(),
        vocabulary_sha256=vocabulary.hash,
        step=7,
        training={"subset_label": "all", "seed": 1, "dev_character_error_rate": 0.9, **training},
    )
    write_checkpoint(run / "checkpoints" / "best", model.state_dict(), metadata)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path)


def test_the_figures_are_jiwers_on_the_test_split(project: Path) -> None:
    result = evaluate(project, parse_recipe(RECIPE), FP32)
    text = result.contents.text
    assert list(text.references) == load_corpus(project / "corpus").rows("test")["text"].tolist()
    assert any(text.hypotheses)
    assert result.rates.words.counts.error_rate == jiwer.wer(list(text.references), list(text.hypotheses))
    assert result.rates.characters.counts.error_rate == jiwer.cer(list(text.references), list(text.hypotheses))
    raw = jiwer.wer(list(text.raw_references), list(text.hypotheses))
    assert result.scorecard.raw.words.counts.error_rate == raw
    assert result.hours_of_audio_per_hour > 0


def test_what_is_heard_to_the_letter_is_right_whatever_form_the_rules_leave(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule behind "nfc" (lowercase of J with a caron, a map to a mark) leaves text that is not NFC."""
    corpus = load_corpus(project / "corpus")
    table = corpus.table.assign(text=[unicodedata.normalize("NFD", text) for text in corpus.table["text"]])
    write_corpus(project / "corpus", table, corpus.info)
    said = table.loc[table["split"] == "test", "text"].tolist()
    heard = Heard(texts=said, greedy=said, words=[[] for _ in said])
    monkeypatch.setattr(evaluate_stage, "listen", lambda *_args, **_options: heard)
    monkeypatch.setattr(measure_stage, "listen", lambda *_args, **_options: heard)
    result = evaluate(project, parse_recipe(RECIPE), FP32)
    assert result.rates.words.counts.num_errors == result.rates.characters.counts.num_errors == 0
    assert result.contents.text.references == result.contents.text.hypotheses
    # "mwána" was trained on as "mwa\u0301na": it is no new word.
    known = {word for text in table.loc[table["split"] == "train", "text"] for word in text.split()}
    assert {word for text in said for word in text.split()} <= known
    assert result.scorecard.unseen_words.num_unseen == 0
    measured = measure_run(project, parse_recipe(RECIPE), load_corpus(project / "corpus"), "finetune-1h-seed1", "test")
    assert sum(measured.word_errors) == sum(measured.character_errors) == 0


def test_the_result_does_not_depend_on_the_batch_size(project: Path) -> None:
    heard = [
        evaluate(project, parse_recipe(RECIPE), replace(FP32, batch_seconds=seconds)).contents.text.hypotheses
        for seconds in (0.01, 2.5, 1000.0)
    ]
    assert heard[0] == heard[1] == heard[2]


def test_the_report_says_how_it_was_made(project: Path) -> None:
    result = evaluate(project, parse_recipe(RECIPE), EvaluateOptions(precision="fp32"))
    assert result.folder == project / "reports" / "finetune-1h-seed1-test"
    found = json.loads((result.folder / "report.json").read_text(encoding="utf-8"))
    assert (found["run"], found["split"], found["licence"]) == ("finetune-1h-seed1", "test", "CC0")
    assert found["text_rules"] == describe_rules(parse_recipe(RECIPE).text.rules)
    assert "torch" in found["made_from"]["Versions"]
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    assert page.count("data:audio/") == 8
    assert "[bold]okwá" not in page
    assert str(project) not in page + json.dumps(found)


def test_recordings_that_do_not_fit_go_beside_the_page_where_asked_for(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate_sound, "embed_recordings", partial(embed_recordings, budget_bytes=20_000))
    kept = evaluate(project, parse_recipe(RECIPE), EvaluateOptions(precision="fp32"))
    assert 0 < kept.num_embedded < 8
    assert not (kept.folder / "recordings").exists()
    result = evaluate(project, parse_recipe(RECIPE), EvaluateOptions(precision="fp32", all_recordings=True))
    assert (result.num_embedded, result.num_beside) == (kept.num_embedded, 8 - kept.num_embedded)
    files = sorted(path.name for path in (result.folder / "recordings").iterdir())
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    assert len(files) == result.num_beside
    assert all(f'"recordings/{name}"' in page for name in files)


def test_utterances_are_scored_by_how_loud_they_are(project: Path) -> None:
    # Noise with a standard deviation of 3,000 lies 20.8 dB below 32,768.
    (group,) = evaluate(project, parse_recipe(RECIPE), FP32).scorecard.levels
    assert (group.name, group.num_utterances) == ("-25 to -20 dB", 8)


def test_speakers_and_sentences_met_in_training_are_counted(project: Path) -> None:
    overlap = evaluate(project, parse_recipe(RECIPE), FP32).contents.split_facts.overlap
    assert overlap.shared_speakers == ("ana",)
    assert (overlap.num_speakers, overlap.num_utterances, overlap.num_shared_sentences) == (3, 8, 8)


def test_only_the_training_utterances_really_used_count_as_seen(tmp_path: Path) -> None:
    # 1 second of training speech holds one utterance at most.
    project = write_project(tmp_path, subset_label="0.02min")
    result = evaluate(project, parse_recipe(RECIPE), FP32)
    assert result.contents.split_facts.overlap.num_shared_sentences < 8
    assert result.scorecard.unseen_words.num_unseen > 0


def test_dev_is_scored_where_there_is_no_test_and_said_to_be(tmp_path: Path) -> None:
    project = write_project(tmp_path, splits=["train"] * 6 + ["dev"] * 12)
    result = evaluate(project, parse_recipe(RECIPE), FP32)
    assert result.split == "dev"
    assert "scored on dev" in [caution.badge for caution in result.contents.cautions]


def test_rules_that_changed_since_prepare_are_called_out(project: Path) -> None:
    changed = parse_recipe(RECIPE.replace('"lowercase", ', ""))
    badges = [caution.badge for caution in evaluate(project, changed, FP32).contents.cautions]
    assert "text rules changed" in badges


def test_a_corpus_prepared_again_since_training_is_called_out(tmp_path: Path) -> None:
    project = write_project(tmp_path, corpus_sha256="0" * 64)
    badges = [caution.badge for caution in evaluate(project, parse_recipe(RECIPE), FP32).contents.cautions]
    assert "corpus changed" in badges


def test_the_newest_run_is_taken_unless_one_is_named(project: Path) -> None:
    table = load_corpus(project / "corpus").table
    write_little_run(project / "runs" / "second", table, {})
    assert evaluate(project, parse_recipe(RECIPE), FP32).run_name == "second"
    named = replace(FP32, run="finetune-1h-seed1")
    assert evaluate(project, parse_recipe(RECIPE), named).run_name == "finetune-1h-seed1"


@pytest.mark.parametrize("name", ["third", "..", "../runs/finetune-1h-seed1", ""])
def test_a_run_that_does_not_exist_is_refused_with_those_that_do(project: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match="no run called") as caught:
        evaluate(project, parse_recipe(RECIPE), replace(FP32, run=name))
    assert "finetune-1h-seed1" in caught.value.hint


def test_without_a_recogniser_the_remedy_is_named(tmp_path: Path) -> None:
    project = write_project(tmp_path, checkpoint=False)
    with pytest.raises(CheckpointError) as caught:
        evaluate(project, parse_recipe(RECIPE), FP32)
    assert "lowres finetune" in caught.value.hint


def test_a_split_without_utterances_is_refused(tmp_path: Path) -> None:
    project = write_project(tmp_path, splits=["train"] * 18)
    with pytest.raises(CorpusError, match="neither a test nor a dev split"):
        evaluate(project, parse_recipe(RECIPE), FP32)
    with pytest.raises(CorpusError, match="no dev split"):
        evaluate(project, parse_recipe(RECIPE), replace(FP32, split="dev"))


def test_progress_reaches_the_end(project: Path) -> None:
    seen: list[EvaluationProgress] = []
    evaluate(project, parse_recipe(RECIPE), replace(FP32, batch_seconds=1), seen.append)
    listening = [step.done_seconds for step in seen if step.task == "listening"]
    assert listening == sorted(listening)
    assert listening[-1] == pytest.approx(seen[-1].total_seconds)
    assert seen[-1].task == "writing"


def test_the_command_prints_the_answer_the_badges_and_the_report(project: Path) -> None:
    done = CliRunner().invoke(app, ["evaluate", "--project", str(project), "--precision", "fp32"])
    assert done.exit_code == 0, done.output
    for said in ("Little: finetune-1h-seed1, test split, 8 utterances", "words (WER)", "CER, raw", "few utterances"):
        assert said in done.output
    assert "speakers seen in training" in done.output
    assert "hours of audio per hour" in done.output
    assert str(project / "reports" / "finetune-1h-seed1-test" / "report.html") in done.output
    assert "next: " in done.output


def test_the_command_takes_split_run_and_overrides(project: Path) -> None:
    arguments = ["--split", "dev", "--run", "finetune-1h-seed1", "--no-recordings", "--set", "evaluate.seed=3"]
    done = CliRunner().invoke(app, ["evaluate", "--project", str(project), *arguments])
    assert done.exit_code == 0, done.output
    assert (project / "reports" / "finetune-1h-seed1-dev" / "report.json").is_file()


def test_a_tampered_checkpoint_is_refused_before_a_report_is_touched(project: Path) -> None:
    weights = project / "runs" / "finetune-1h-seed1" / "checkpoints" / "best" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")
    done = CliRunner().invoke(app, ["evaluate", "--project", str(project)])
    assert done.exit_code == 2
    assert "was changed or cut short" in done.output
    assert not (project / "reports").exists()


def test_only_the_newest_checkpoint_need_be_readable(project: Path) -> None:
    (best,) = project.glob("runs/*/checkpoints/best")
    newest = (best / "checkpoint.json").stat().st_mtime_ns
    broken = project / "runs" / "old" / "checkpoints" / "best" / "checkpoint.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("{", encoding="utf-8")
    os.utime(broken, ns=(newest - 10**9, newest - 10**9))
    assert find_run(project, None) == best.parents[1]
    os.utime(broken, ns=(newest + 10**9, newest + 10**9))
    with pytest.raises(CheckpointError, match="newest run, old, cannot be used") as caught:
        find_run(project, None)
    assert "--run" in caught.value.hint


def test_a_best_checkpoint_whose_exchange_was_cut_short_is_found(project: Path) -> None:
    (best,) = project.glob("runs/*/checkpoints/best")
    best.rename(best.with_name(".best.previous"))
    run = best.parents[1]
    assert find_run(project, run.name) == run
