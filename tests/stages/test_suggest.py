"""`suggest` lists what to transcribe next and writes drafts of it, and leaves alone what people have done."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from recognizers import TEXTS, vocabulary_of
from transcribing import RATE, SPEC, write_run, write_speech

from lowres.annotation.elan import read_elan
from lowres.annotation.transcript import SpokenUtterance, SpokenWord, Transcript
from lowres.audio.shards import ShardWriter
from lowres.errors import CorpusError
from lowres.manifest.corpus import CorpusInfo, write_corpus
from lowres.manifest.schema import UtteranceRow, table_from_rows
from lowres.manifest.table import read_table
from lowres.recipe import load_recipe
from lowres.stages import suggest as stage
from lowres.stages.suggest import SUGGESTIONS_COLUMNS, SUGGESTIONS_FILE, SuggestResult, suggest


def write_corpus_of(project: Path, texts: list[str], speakers: list[str] | None = None) -> None:
    """Write a corpus of seconds of noise."""
    rows = [
        UtteranceRow(
            f"u{number}", f"u{number}.wav", split="train", raw_text=text, speaker=speakers[number] if speakers else ""
        )
        for number, text in enumerate(texts)
    ]
    table = table_from_rows(rows)
    table = table.assign(
        text=table["raw_text"], num_samples=RATE, duration_seconds=1.0, shard="part-00000.pcm", offset_samples=0
    )
    (project / "corpus" / "shards").mkdir(parents=True, exist_ok=True)
    with ShardWriter(project / "corpus" / "shards" / "part-00000.pcm") as writer:
        noise = np.random.default_rng(0)
        table["offset_samples"] = [writer.append((noise.normal(size=RATE) * 999).astype(np.int16)) for _ in texts]
        writer.finish()
    write_corpus(project / "corpus", table, CorpusInfo(name="little"))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a network is heard fastest so
    folder = write_run(tmp_path / "project")
    write_corpus_of(folder, TEXTS[:4])
    yield folder
    torch.set_num_threads(before)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    for number in range(4):
        spoken = [(0.5, 2.5 + 0.2 * number), (4.0, 6.5)]
        write_speech(tmp_path / "archive" / f"rec{number}.wav", spoken, 7.0, seed=number)
    return tmp_path / "archive"


def run(project: Path, *sources: Path, **options: object) -> SuggestResult:
    return suggest(project, sources, SPEC, **options)  # type: ignore[arg-type]


def listed(result: SuggestResult) -> pd.DataFrame:
    return read_table(result.folder / SUGGESTIONS_FILE, SUGGESTIONS_COLUMNS)


def test_every_recording_is_listed_once_with_a_draft_of_what_is_suggested(project: Path, archive: Path) -> None:
    result = run(project, archive)
    assert result.folder == project / "suggestions" / "tiny"
    assert (result.num_candidates, result.num_transcribed, result.problems) == (4, 0, ())
    table = listed(result)
    assert table["rank"].tolist() == ["1", "2", "3", "4"]
    assert sorted(table["recording"]) == [f"rec{number}.wav" for number in range(4)]
    for row in table.itertuples():
        draft = read_elan(result.folder / row.draft)
        (utterances, *_) = draft.tiers
        assert len(utterances.annotations) == 2
        assert float(row.start_seconds) <= utterances.annotations[0].start_seconds + 0.05
        assert utterances.annotations[-1].end_seconds <= float(row.end_seconds) + 0.05
        assert draft.media[0].path == str((archive / row.recording).absolute())


def test_hours_end_the_list(project: Path, archive: Path) -> None:
    result = run(project, archive, hours=6 / 3600)
    assert len(result.suggestions) == 2
    assert sorted(path.suffix for path in result.folder.iterdir()) == ["", ".eaf", ".eaf", ".tsv"]


def test_the_list_is_the_same_every_time_and_corrected_drafts_are_never_written_over(
    project: Path, archive: Path
) -> None:
    first = run(project, archive)
    draft = first.folder / "rec0.eaf"
    draft.write_text("corrected", encoding="utf-8")
    second = run(project, archive)
    assert second.folder == project / "suggestions" / "tiny-2"
    assert run(project, archive).folder == project / "suggestions" / "tiny-3"
    assert draft.read_text(encoding="utf-8") == "corrected"
    assert listed(first).equals(listed(second))


@pytest.mark.parametrize("name", ["rec1.eaf", "rec1.TextGrid", "rec1.EAF", "rec1.srt"])
def test_what_has_annotations_beside_it_is_left_out(project: Path, archive: Path, name: str) -> None:
    (archive / name).write_text("", encoding="utf-8")
    result = run(project, archive)
    assert result.num_transcribed == 1
    assert "rec1.wav" not in listed(result)["recording"].tolist()
    assert len(run(project, archive, include_transcribed=True).suggestions) == 4


def test_what_the_corpus_has_transcripts_of_is_left_out(project: Path, archive: Path) -> None:
    for number in range(4):
        (archive / f"rec{number}.wav").rename(archive / f"u{2 * number}.wav")  # the corpus has u0 to u3
    (project / "mine.toml").write_text('name = "x"\n[corpus]\nfolder = "../archive"\n', encoding="utf-8")
    unknown = run(project, archive)
    assert unknown.num_transcribed == 0
    assert any("--recipe" in note for note in unknown.notes)
    recipe = load_recipe(str(project / "mine.toml"))
    result = run(project, archive, recipe=recipe)
    assert not any("--recipe" in note for note in result.notes)
    assert sorted(listed(result)["recording"]) == ["u4.wav", "u6.wav"]
    assert result.num_transcribed == 2
    for number in (4, 6):
        (archive / f"u{number}.eaf").write_text("", encoding="utf-8")
    with pytest.raises(CorpusError, match="All 4 recordings are transcribed"):
        run(project, archive, recipe=recipe)


def test_recordings_without_speech_and_damaged_ones_do_not_stop_the_others(project: Path, archive: Path) -> None:
    soundfile.write(archive / "silent.wav", np.zeros(5 * RATE), RATE)
    (archive / "damaged.wav").write_bytes(b"RIFF")
    result = run(project, archive)
    assert len(result.suggestions) == 4
    assert [name for name, _ in result.problems] == ["damaged.wav"]


def test_where_nothing_is_said_that_is_said_with_the_reason(project: Path, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.wav").write_bytes(b"RIFF")
    with pytest.raises(CorpusError, match=r"No speech was heard .*a\.wav"):
        run(project, tmp_path / "bad")


def test_one_recording_is_a_list_of_one(project: Path, archive: Path) -> None:
    (only,) = run(project, archive / "rec2.wav").suggestions
    assert only.candidate.name == "rec2.wav"


@pytest.mark.parametrize("speakers", [["ana", "ben", "", "ana"], ["ana"] * 4, None])
def test_speakers_of_the_training_speech_may_be_named_or_not(
    project: Path, archive: Path, speakers: list[str] | None
) -> None:
    write_corpus_of(project, TEXTS[:4], speakers)
    assert len(run(project, archive).suggestions) == 4


def test_a_corpus_without_training_speech_is_no_problem(project: Path, archive: Path) -> None:
    write_corpus_of(project, [])
    assert len(run(project, archive).suggestions) == 4


def test_names_that_are_no_utf8_are_listed(project: Path, archive: Path) -> None:
    name = b"caf\xe9\ttab.wav".decode(errors="surrogateescape")
    (archive / "rec0.wav").rename(archive / name)
    result = run(project, archive)
    assert name in listed(result)["recording"].tolist()
    assert all((result.folder / draft).is_file() for draft in listed(result)["draft"])


def test_long_recordings_are_passages_of_five_minutes_and_a_draft_holds_only_what_is_suggested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "sketch_voice", lambda _blocks: np.zeros(2))
    vocabulary = vocabulary_of(TEXTS, "characters")
    words = tuple(SpokenWord("tsa", 0.0, 1.0, 0.5) for _ in range(4))
    utterances = tuple(SpokenUtterance(start, start + 9.0, words) for start in (3.0, 280.0, 290.5, 301.0, 650.0))
    short = SpokenUtterance(1000.0, 1001.0, words[:2])
    path = write_speech(tmp_path / "a.wav", [], 1.0)
    transcript = Transcript(str(path), 1200.0, (*utterances, short))
    found = stage._cut(transcript, "a.wav", path, vocabulary, None)
    assert [(one.start_seconds, one.end_seconds, one.speech_seconds) for one in found] == [
        (3.0, 299.5, 27.0),
        (301.0, 310.0, 9.0),
        (650.0, 659.0, 9.0),
    ]
    assert [one.doubt for one in found] == [0.5] * 3
    chosen = stage.choose(found[:1], known_runs=frozenset(), known_voices=[], seconds=1e9)
    stage._write(tmp_path / "o", chosen, {"a.wav": transcript})
    (tier, *_) = read_elan(tmp_path / "o" / "a.eaf").tiers
    assert [one.start_seconds for one in tier.annotations] == [3.0, 280.0, 290.5]
