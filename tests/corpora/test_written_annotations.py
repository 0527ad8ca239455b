"""A corpus written for ELAN or Praat: one file a recording, everything at its time, and read straight back."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lowres.annotation.formats import read_annotations
from lowres.audio.shards import ShardWriter
from lowres.corpora.layouts import ReaderSettings, read_corpus
from lowres.corpora.reading import CorpusReading
from lowres.corpora.writing import WrittenCorpus, write_for
from lowres.corpora.written_annotations import AnnotationLayout
from lowres.errors import CorpusError
from lowres.manifest.corpus import CorpusInfo, PreparedCorpus, load_corpus, write_corpus
from lowres.manifest.schema import UtteranceRow, table_from_rows

LAYOUTS: tuple[AnnotationLayout, ...] = ("elan", "textgrid")
RATE = 16_000
TAPE = (
    UtteranceRow("t/1", "tapes/day 1.mp3", 1.0, 2.0, None, "Ana", "train", "Mbote na yo", "lin"),
    UtteranceRow("t/2", "tapes/day 1.mp3", 2.0, 3.5, None, "Ben", "train", " ɛ́ɛ́ \t<ok> & co ", "lin"),
    UtteranceRow("t/3", "tapes/day 1.mp3", 3.0, 4.0, None, "Ana", "train", "a\nb", "lin"),
)
ALONE = UtteranceRow("one.wav-id", "one.wav", 0, 1.5, None, "", "test", "NA", "lin")


def prepared(folder: Path, rows: Sequence[UtteranceRow], sounds: dict[str, np.ndarray] | None = None) -> PreparedCorpus:
    """Make a prepared corpus whose recordings are noise, unless `sounds` says how an utterance sounds."""
    noise = np.random.default_rng(1).integers(-3000, 3000, 60 * RATE).astype(np.int16)
    (folder / "shards").mkdir(parents=True)
    offsets, lengths = [], []
    with ShardWriter(folder / "shards" / "part-00000.pcm") as writer:
        for row in rows:
            start, end = round(row.start_seconds * RATE), round((row.end_seconds or 0) * RATE)
            samples = (sounds or {}).get(row.utterance_id, noise[start:end])
            offsets.append(writer.append(samples))
            lengths.append(len(samples))
        writer.finish()
    table = table_from_rows(rows).assign(
        num_samples=lengths, offset_samples=offsets, shard="part-00000.pcm", duration_seconds=np.array(lengths) / RATE
    )
    write_corpus(folder, table, CorpusInfo(name="tiny", language="lin", licence="CC0"))
    return load_corpus(folder)


def export(
    tmp_path: Path, layout: AnnotationLayout, rows: Sequence[UtteranceRow], **more: dict[str, np.ndarray]
) -> tuple[WrittenCorpus, CorpusReading]:
    """Write a corpus and read it back with nothing said but the reader."""
    written = write_for(prepared(tmp_path / "corpus", rows, **more), tmp_path / "out", layout)
    return written, read_corpus(written.folder, ReaderSettings(reader="annotated"))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_written_is_read_back_with_nothing_more_to_say(tmp_path: Path, layout: AnnotationLayout) -> None:
    _, reading = export(tmp_path, layout, [*TAPE, ALONE])
    found = {(row.start_seconds, row.end_seconds, row.speaker, row.split, row.raw_text) for row in reading.rows}
    assert found == {
        (row.start_seconds, row.end_seconds, row.speaker, row.split, row.raw_text) for row in (*TAPE, ALONE)
    }
    assert (reading.skipped, reading.notes) == ([], [])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_recording_has_one_file_and_each_speaker_a_tier(tmp_path: Path, layout: AnnotationLayout) -> None:
    written, _ = export(tmp_path, layout, [*TAPE, ALONE])
    ending = ".eaf" if layout == "elan" else ".TextGrid"
    files = sorted(path.relative_to(written.folder).as_posix() for path in written.folder.rglob(f"*{ending}"))
    assert files == [f"test/one.wav-id{ending}", f"train/tapes_day_1{ending}"]
    tape = read_annotations(written.folder / files[1])
    assert [tier.name for tier in tape.tiers] == ["transcript@Ana", "transcript@Ben"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_sound_lies_where_the_times_say_with_silence_between(tmp_path: Path, layout: AnnotationLayout) -> None:
    written, reading = export(tmp_path, layout, [*TAPE, ALONE])
    noise = np.random.default_rng(1).integers(-3000, 3000, 60 * RATE).astype(np.int16)
    samples, rate = soundfile.read(written.folder / "train/tapes_day_1.wav", dtype="int16")
    assert (rate, len(samples)) == (RATE, 4 * RATE)
    assert not samples[:RATE].any()
    assert samples[RATE:].tolist() == noise[RATE : 4 * RATE].tolist()
    assert "1 recordings are silent wherever nothing was transcribed" in written.notes[0]
    assert {row.audio_path for row in reading.rows} == {"train/tapes_day_1.wav", "test/one.wav-id.wav"}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("speaker", ["Ana", ""])
def test_one_speakers_overlapping_utterances_are_all_there(
    tmp_path: Path, layout: AnnotationLayout, speaker: str
) -> None:
    rows = [replace(row, speaker=speaker, start_seconds=row.start_seconds / 2) for row in TAPE]
    rows.append(replace(rows[0], utterance_id="t/4", raw_text="at the very same time"))
    _, reading = export(tmp_path, layout, rows)
    found = sorted((row.start_seconds, row.end_seconds, row.speaker, row.raw_text) for row in reading.rows)
    assert found == sorted((row.start_seconds, row.end_seconds, row.speaker, row.raw_text) for row in rows)


def test_two_channels_of_one_recording_are_not_mixed_up(tmp_path: Path) -> None:
    loud = {"t/3": np.full(RATE, 9000, dtype=np.int16)}
    written, reading = export(tmp_path, "elan", TAPE, sounds=loud)
    assert "1 recordings have utterances that overlap on different channels" in written.notes[0]
    assert sorted(row.audio_path for row in reading.rows) == ["train/t_1.wav", "train/t_2.wav", "train/t_3.wav"]
    assert soundfile.read(written.folder / "train/t_3.wav", dtype="int16")[0].tolist() == loud["t/3"].tolist()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_recording_of_several_splits_tells_none_and_that_is_said(tmp_path: Path, layout: AnnotationLayout) -> None:
    written, reading = export(tmp_path, layout, [TAPE[0], replace(TAPE[1], split="dev")])
    assert "1 recordings hold utterances of several splits and are in mixed/" in written.notes[1]
    assert {row.split for row in reading.rows} == {""}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_corpus_gives_the_same_bytes(tmp_path: Path, layout: AnnotationLayout) -> None:
    contents = []
    for name in ("one", "two"):
        folder = write_for(prepared(tmp_path / f"corpus-{name}", [*TAPE, ALONE]), tmp_path / name, layout).folder
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        contents.append([(path.relative_to(folder).as_posix(), path.read_bytes()) for path in files])
    assert contents[0] == contents[1]
    assert len(contents[0]) == 5


@pytest.mark.parametrize("layout", LAYOUTS)
def test_names_never_lead_out_of_the_folder(tmp_path: Path, layout: AnnotationLayout) -> None:
    paths = ["../../../x.wav", "/etc/passwd", "..\\x.wav", ".hidden.wav", f"{'ɛ' * 300}.wav", "CON.wav", "?*|.wav"]
    rows = [replace(ALONE, utterance_id=str(number), audio_path=path) for number, path in enumerate(paths)]
    rows += [replace(row, utterance_id=f"{row.utterance_id}b", start_seconds=2.0, end_seconds=3.0) for row in rows]
    folder = write_for(prepared(tmp_path / "deep/corpus", rows), tmp_path / "deep/down/out", layout).folder
    assert len(list(folder.rglob("*.wav"))) == len(paths)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep"]
    assert len(read_corpus(folder, ReaderSettings(reader="annotated")).rows) == len(rows)


def test_a_text_that_elan_cannot_hold_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    corpus = prepared(tmp_path / "corpus", [replace(ALONE, raw_text="a\x01b")])
    with pytest.raises(CorpusError, match="U\\+0001"):
        write_for(corpus, tmp_path / "out", "elan")
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]
