"""Transcripts that do not fit are found by what a recogniser hears, and `prepare` knows of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from recognizers import make_recognizer
from typer.testing import CliRunner

from lowres.audio.shards import ShardWriter
from lowres.backbones.checkpoint_folder import write_checkpoint
from lowres.backbones.native import Recognizer
from lowres.cli.app import app
from lowres.errors import CorpusError
from lowres.manifest.checks import read_checks
from lowres.manifest.corpus import CorpusInfo, load_corpus, write_corpus
from lowres.manifest.misfits import MISFITS_FILE, Misfits, MisfitsPlace, check_misfits, write_misfits
from lowres.manifest.schema import UtteranceRow, table_from_rows
from lowres.model.ctc import CTCOutput
from lowres.recipe import load_recipe
from lowres.stages import align_corpus as stage
from lowres.stages.align_corpus import align_corpus
from lowres.stages.evaluate_run import best_checkpoint
from lowres.stages.prepare_corpora import find_unchanged, list_preparations
from lowres.training.batches import Indices
from lowres.training.feed import TrainingSpeech

WORDS = ("tsa", "ngo", "ba", "na", "ɓo", "tsé")
SECOND = 16_000


def say_something(num: int, seed: int = 0) -> list[str]:
    chance = np.random.default_rng(seed)
    return [" ".join(chance.choice(WORDS, chance.integers(3, 7))) for _ in range(num)]


def write_project(project: Path, texts: Sequence[str], **columns: list[object]) -> pd.DataFrame:
    """Write a corpus of seconds of noise with these transcripts, and a run."""
    rows = [
        UtteranceRow(f"u{number:02d}", f"u{number:02d}.wav", split="train" if number % 2 else "dev", raw_text=text)
        for number, text in enumerate(texts)
    ]
    table = table_from_rows(rows)
    table = table.assign(
        text=table["raw_text"], num_samples=SECOND, duration_seconds=1.0, shard="part-00000.pcm", **columns
    )
    (project / "corpus" / "shards").mkdir(parents=True, exist_ok=True)
    with ShardWriter(project / "corpus" / "shards" / "part-00000.pcm") as writer:
        table["offset_samples"] = [
            writer.append(np.full(SECOND, number, dtype=np.int16)) for number in range(len(table))
        ]
        writer.finish()
    write_corpus(project / "corpus", table, CorpusInfo(name="little"))
    recognizer = make_recognizer("xs")
    write_checkpoint(best_checkpoint(project / "runs" / "tiny"), recognizer.model.state_dict(), recognizer.metadata)
    return table


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is heard in each utterance of the corpus, as its (constant) samples number them."""
    texts: list[str] = []

    def score(recognizer: Recognizer, speech: TrainingSpeech, **_: object) -> Iterator[tuple[Indices, CTCOutput]]:
        vocabulary = recognizer.vocabulary
        for index in range(len(speech.num_samples)):
            labels = vocabulary.encode(texts[int(speech.read_samples(index)[0])])
            scores = torch.full((1, 120, len(vocabulary)), -7.0)
            scores[:, :, 0] = -0.1
            for place, label in enumerate(labels):
                scores[0, 3 * place + 1, 0], scores[0, 3 * place + 1, label] = -4.0, -0.1
            yield (index,), CTCOutput(scores, scores, torch.tensor([120]))

    monkeypatch.setattr(stage, "score_speech", score)
    return texts


def test_exchanged_transcripts_are_found_and_no_others(tmp_path: Path, said: list[str]) -> None:
    said += say_something(40)
    written = list(said)
    written[3], written[17] = said[17], said[3]
    write_project(tmp_path, written)
    calls: list[tuple[float, float]] = []
    found = align_corpus(tmp_path, progress=lambda done, total: calls.append((done, total)))
    worst = [found.misfits.utterance_ids[index] for index in np.argsort(found.misfits.fits)[:2]]
    assert sorted(worst) == ["u03", "u17"]
    assert found.separation > 0.9
    assert found.misfits.heard[3] == said[3]
    assert [fit for index, fit in enumerate(found.misfits.fits) if index not in (3, 17)] == pytest.approx([1.0] * 38)
    assert calls[-1] == (40.0, 40.0)
    assert (found.run_name, found.path) == ("tiny", tmp_path / MISFITS_FILE)
    assert check_misfits(load_corpus(tmp_path / "corpus").table, MisfitsPlace(tmp_path)).utterance_ids == ["u03", "u17"]


def test_a_misfit_that_was_left_out_is_looked_at_again(tmp_path: Path, said: list[str]) -> None:
    said += say_something(30)
    written = list(said)
    written[4] = said[9]
    included = [number not in (4, 5) for number in range(30)]
    flags = ["misfit" if number == 4 else "silent" if number == 5 else "" for number in range(30)]
    write_project(tmp_path, written, included=included, flags=flags)
    found = align_corpus(tmp_path)
    assert len(found.misfits.fits) == 29
    assert "u05" not in found.misfits.utterance_ids
    assert "u04" in [found.misfits.utterance_ids[index] for index in found.misfits.bad]


def test_utterances_that_were_learned_from_are_counted(tmp_path: Path, said: list[str]) -> None:
    said += say_something(24)
    write_project(tmp_path, said)
    assert align_corpus(tmp_path).num_heard_in_training == 12


def test_too_few_utterances_or_one_sentence_say_nothing(tmp_path: Path, said: list[str]) -> None:
    said += ["tsa ngo"] * 25
    write_project(tmp_path / "few", said[:19])
    with pytest.raises(CorpusError, match="19 transcribed utterances: too few"):
        align_corpus(tmp_path / "few")
    write_project(tmp_path / "same", ["tsa ngo", "Tsa  ngo"] * 12)
    with pytest.raises(CorpusError, match="All utterances say the same"):
        align_corpus(tmp_path / "same")


def test_partners_say_something_else_and_are_about_as_long() -> None:
    keys = ["a", "bb", "bb", "bb", "cc", "dddd", "dddd", "eeeee"]
    assert [keys[one] for one in stage._partners(keys)] == ["bb", "cc", "cc", "cc", "dddd", "eeeee", "eeeee", "a"]
    many = ["yes"] * 50_000 + ["no"]
    partners = stage._partners(many)
    assert {many[one] for one in partners[:-1]} == {"no"}
    assert partners[-1] != 50_000


# prepare -------------------------------------------------------------------------------------------------------------


def write_recordings(folder: Path, num: int = 12) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(num):
        noise = 0.1 * np.random.default_rng(number).standard_normal(SECOND + 100 * number)
        soundfile.write(folder / f"u{number:02d}.wav", noise, SECOND)
        (folder / f"u{number:02d}.txt").write_text(f"tsa ngo {'ba ' * (number % 5)}na", encoding="utf-8")


def accuse(project: Path, *names: str, prefix: str = "") -> None:
    table = load_corpus(project / "corpus").table
    rows = table.loc[table["utterance_id"].isin([prefix + name for name in names])]
    write_misfits(
        project,
        Misfits(
            tuple(rows["utterance_id"]),
            tuple(rows["text"]),
            tuple(rows["duration_seconds"]),
            ('= "a"\t[bold]\n',) * len(rows),
            (0.0,) * len(rows),
            0.1,
        ),
    )


def prepare(project: Path, *options: str) -> str:
    result = CliRunner().invoke(app, ["prepare", "--project", str(project), "--workers", "1", *options])
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())


def test_prepare_flags_misfits_the_next_time_and_leaves_them_out_if_told_to(tmp_path: Path) -> None:
    write_recordings(tmp_path / "rec")
    (tmp_path / "lowres.toml").write_text('name = "little"\n[corpus]\nfolder = "rec"\n', encoding="utf-8")
    prepare(tmp_path)
    accuse(tmp_path, "u03", "u07")
    output = prepare(tmp_path)
    assert "have a transcript that fits" in output, output
    table = load_corpus(tmp_path / "corpus").table.set_index("utterance_id")
    assert table.index[table["flags"].str.contains("misfit")].tolist() == ["u03", "u07"]
    assert table["included"].all()
    checks = read_checks(tmp_path / "corpus")
    assert checks is not None
    assert checks.loc[checks["check"] == "misfit", "detail"].tolist() == ['heard: = "a"\t[bold]\n'] * 2
    prepare(tmp_path, "--set", 'checks.drop=["misfit"]')
    table = load_corpus(tmp_path / "corpus").table.set_index("utterance_id")
    assert table.index[~table["included"]].tolist() == ["u03", "u07"]
    result = CliRunner().invoke(app, ["inspect", "--project", str(tmp_path)])
    assert result.exit_code == 0, result.output
    page = next((tmp_path / "reports").rglob("*.html")).read_text(encoding="utf-8")
    assert "The transcript does not fit" in page
    assert "[bold]" in page


def test_a_file_that_changed_makes_a_corpus_that_was_to_be_reused_anew(tmp_path: Path) -> None:
    write_recordings(tmp_path)
    (tmp_path / "lowres.toml").write_text('name = "little"\n[corpus]\nfolder = "."\n', encoding="utf-8")
    prepare(tmp_path)
    (first,) = list_preparations(tmp_path, load_recipe(project=tmp_path))

    def is_unchanged() -> bool:
        return find_unchanged(tmp_path, first, 1, lambda _step, _done, _all: None) is not None

    assert is_unchanged()
    accuse(tmp_path, "u03")
    assert not is_unchanged()
    prepare(tmp_path)
    assert is_unchanged()


def test_misfits_of_joined_corpora_reach_the_corpus_that_they_are_of(tmp_path: Path) -> None:
    entries = ""
    (tmp_path / "recipes").mkdir()
    for name in ("first", "second"):
        write_recordings(tmp_path / name)
        (tmp_path / "recipes" / f"{name}.toml").write_text(f'[corpus]\nfolder = "../{name}"\n', encoding="utf-8")
        entries += f'[[pretrain.corpora]]\nrecipe = "recipes/{name}.toml"\n'
    (tmp_path / "lowres.toml").write_text(f'name = "both"\n{entries}', encoding="utf-8")
    prepare(tmp_path)
    accuse(tmp_path, "u03", prefix="second/")
    prepare(tmp_path)
    flagged = {
        name: [row.utterance_id for row in load_corpus(folder).table.itertuples() if "misfit" in row.flags]
        for name, folder in {
            "first": tmp_path / "prepared" / "first",
            "second": tmp_path / "prepared" / "second",
            "both": tmp_path / "corpus",
        }.items()
    }
    assert flagged == {"first": [], "second": ["u03"], "both": ["second/u03"]}
