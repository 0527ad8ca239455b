"""A written corpus is read back as what it was, and is there whole or not at all."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from lowres.audio.shards import ShardReader, ShardWriter
from lowres.corpora import writing
from lowres.corpora.layouts import ReaderSettings, read_corpus
from lowres.corpora.writing import CorpusLayout, write_for
from lowres.errors import AudioError, CorpusError
from lowres.manifest.corpus import CorpusInfo, PreparedCorpus, load_corpus, write_corpus
from lowres.manifest.schema import UtteranceRow, table_from_rows

LAYOUTS: tuple[CorpusLayout, ...] = ("kaldi", "lhotse", "common_voice", "audio_folder")
ROWS = (
    UtteranceRow("b/tape-1/ref/00000000-00001250", "t.wav", 0, 1, None, "ana", "train", 'Mbote, "ndeko"!', "lin"),
    UtteranceRow("a", "a.wav", 0, 1, None, "ben", "train", '"Ɛ́ɛ́"', "lin"),
    UtteranceRow("A", "A.wav", 0, 1, None, "ben", "dev", '"Ɛ́ɛ́" na "yo"', "lin"),
    UtteranceRow("..", "c.wav", 0, 1, None, "", "test", "'a, b'; c|d", "lin"),
    UtteranceRow("ọ̀rọ̀", "d.wav", 0, 1, None, "ana", "test", "NA", "lin"),
    UtteranceRow("con:1", "e.wav", 0, 1, None, "ana", "other", "=1+1  # 2", "lin"),
)


def prepared(folder: Path, rows: Sequence[UtteranceRow] = ROWS, **info: object) -> PreparedCorpus:
    """Make a prepared corpus whose utterances are noise of different lengths; the last row is set aside."""
    rows = [*rows, UtteranceRow("left-out", "x.wav", 0, 1, None, "", "train", "x")]
    generator = np.random.default_rng(1)
    (folder / "shards").mkdir(parents=True)
    lengths = [1601 + 7 * number for number in range(len(rows))]
    with ShardWriter(folder / "shards" / "part-00000.pcm") as writer:
        offsets = [writer.append(generator.integers(-32768, 32768, length).astype(np.int16)) for length in lengths]
        writer.finish()
    table = table_from_rows(rows).assign(
        num_samples=lengths, offset_samples=offsets, shard="part-00000.pcm", duration_seconds=np.array(lengths) / 16_000
    )
    table.loc[table.index[-1], "included"] = False
    write_corpus(folder, pd.DataFrame(table), CorpusInfo(name="tiny", language="lin", licence="CC0", **info))  # type: ignore[arg-type]
    return load_corpus(folder)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_written_is_read_back_the_same(tmp_path: Path, layout: CorpusLayout) -> None:
    corpus = prepared(tmp_path / "corpus")
    write_for(corpus, tmp_path / "out", layout)
    reading = read_corpus(tmp_path / "out", ReaderSettings(reader=layout, language="lin"))
    assert reading.skipped == []
    assert {(row.utterance_id, row.raw_text, row.split, row.speaker, row.language) for row in reading.rows} == {
        (row.utterance_id, row.raw_text, row.split, row.speaker, row.language) for row in ROWS
    }
    shards = ShardReader(corpus.folder)
    known = corpus.table.set_index("utterance_id")
    for row in reading.rows:
        samples, rate = soundfile.read(tmp_path / "out" / row.audio_path, dtype="int16")
        where = known.loc[row.utterance_id]
        original = shards.read(where["shard"], int(where["offset_samples"]), int(where["num_samples"]))
        assert rate == 16_000
        assert samples.tolist() == original.tolist()
        assert (row.start_seconds, row.end_seconds) == (0, None)


@pytest.mark.parametrize("layout", ["lhotse", "common_voice", "audio_folder"])
def test_flac_holds_the_same_samples(tmp_path: Path, layout: CorpusLayout) -> None:
    for suffix in (".wav", ".flac"):
        write_for(prepared(tmp_path / f"corpus{suffix}"), tmp_path / f"out{suffix}", layout, audio_suffix=suffix)
    for path in (tmp_path / "out.wav").rglob("*.wav"):
        flac = tmp_path / "out.flac" / path.relative_to(tmp_path / "out.wav").with_suffix(".flac")
        assert soundfile.read(flac, dtype="int16")[0].tolist() == soundfile.read(path, dtype="int16")[0].tolist()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_corpus_gives_the_same_bytes(tmp_path: Path, layout: CorpusLayout) -> None:
    contents = []
    for name in ("one", "two"):
        folder = write_for(prepared(tmp_path / f"corpus-{name}"), tmp_path / name, layout).folder
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        contents.append([(path.relative_to(folder).as_posix(), path.read_bytes()) for path in files])
    assert contents[0] == contents[1]


def test_the_files_are_where_their_programs_look_for_them(tmp_path: Path) -> None:
    corpus = prepared(tmp_path / "corpus", ROWS[1:3])
    found = {}
    for layout in LAYOUTS:
        folder = write_for(corpus, tmp_path / layout, layout).folder
        found[layout] = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    directories = [
        f"data/{split}/{name}" for split in ("dev", "train") for name in ("spk2utt", "text", "utt2spk", "wav.scp")
    ]
    assert found["kaldi"] == ["README.md", "audio/A_2.wav", "audio/a.wav", *directories]
    assert found["lhotse"][3:] == [
        "recordings_dev.jsonl.gz", "recordings_train.jsonl.gz", "supervisions_dev.jsonl.gz",
        "supervisions_train.jsonl.gz",
    ]  # fmt: skip
    assert found["common_voice"][1:] == ["lin/clips/A_2.wav", "lin/clips/a.wav", "lin/dev.tsv", "lin/train.tsv"]
    assert found["audio_folder"][1:] == [
        "train/a.wav", "train/metadata.csv", "validation/A_2.wav", "validation/metadata.csv",
    ]  # fmt: skip


def test_kaldi_tables_are_sorted_by_bytes_and_list_speakers_both_ways(tmp_path: Path) -> None:
    rows = [replace(ROWS[1], utterance_id=key, speaker=who) for key, who in (("ɛ", "z"), ("b", "z"), ("Z", "a b"))]
    result = write_for(prepared(tmp_path / "corpus", rows), tmp_path / "out", "kaldi")
    directory = tmp_path / "out/data/train"
    assert (directory / "utt2spk").read_text(encoding="utf-8") == "Z a_b\nb z\nɛ z\n"
    assert (directory / "spk2utt").read_text(encoding="utf-8") == "a_b Z\nz b ɛ\n"
    assert result.notes == (
        "1 speakers hold what the layout cannot and are written otherwise, such as 'a b' as 'a_b'.",
    )


def test_what_a_layout_cannot_hold_is_said(tmp_path: Path) -> None:
    rows = [replace(ROWS[1], utterance_id="tape 1", raw_text="a\n\tb ", speaker="")]
    notes = write_for(prepared(tmp_path / "corpus", rows), tmp_path / "kaldi", "kaldi").notes
    assert [note.split(",")[0] for note in notes] == [
        "1 ids hold what the layout cannot and are written otherwise",
        "1 utterances have no speaker and are missing in utt2spk; Kaldi itself wants a line for each",
        "1 transcripts lost line breaks",
    ]
    row = read_corpus(tmp_path / "kaldi", ReaderSettings(reader="kaldi")).rows[0]
    assert (row.utterance_id, row.raw_text) == ("tape_1", "a b")
    assert write_for(prepared(tmp_path / "again", rows), tmp_path / "lhotse", "lhotse").notes == ()
    assert read_corpus(tmp_path / "lhotse", ReaderSettings(reader="lhotse")).rows[0].raw_text == "a\n\tb "


def test_ids_that_would_become_the_same_are_refused(tmp_path: Path) -> None:
    rows = [replace(ROWS[1], utterance_id=key) for key in ("tape 1", "tape_1")]
    corpus = prepared(tmp_path / "corpus", rows)
    with pytest.raises(CorpusError, match="'tape 1' and 'tape_1' would both be written as 'tape_1'"):
        write_for(corpus, tmp_path / "out", "kaldi")
    assert len(list(write_for(corpus, tmp_path / "out", "lhotse").folder.rglob("*.wav"))) == 2


@pytest.mark.parametrize("layout", LAYOUTS)
def test_ids_never_lead_out_of_the_folder(tmp_path: Path, layout: CorpusLayout) -> None:
    keys = ["../../../x", "/etc/passwd", "..\\x", "-rf", ".hidden", "x" * 300, "ɛ" * 300, "a\0b", "CON", "?*|"]
    rows = [replace(ROWS[1], utterance_id=key) for key in keys]
    folder = write_for(prepared(tmp_path / "deep/corpus", rows), tmp_path / "deep/down/out", layout).folder
    wavs = list(folder.rglob("*.wav"))
    assert len(wavs) == len(keys)
    assert len({path.parent for path in wavs}) == 1
    assert "CON.wav" not in {path.name for path in wavs}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep"]
    read = {row.utterance_id for row in read_corpus(folder, ReaderSettings(reader=layout)).rows}
    assert read >= set(keys) - {"a\0b"}


def test_bytes_that_were_no_text_are_marked(tmp_path: Path) -> None:
    rows = [replace(ROWS[1], raw_text="a\udcff")]
    for layout in LAYOUTS:
        write_for(prepared(tmp_path / f"corpus-{layout}", rows), tmp_path / layout, layout)
        assert read_corpus(tmp_path / layout, ReaderSettings(reader=layout)).rows[0].raw_text == "a\ufffd"


def test_what_may_be_done_with_the_recordings_goes_along(tmp_path: Path) -> None:
    info = {"consent": "by word of mouth\n2019", "warnings": ("Speakers are shared.",), "synthetic": True}
    written = write_for(prepared(tmp_path / "corpus", **info), tmp_path / "out", "lhotse")
    text = (written.folder / "README.md").read_text(encoding="utf-8")
    for words in ("# tiny", "Licence: CC0", "Consent: by word of mouth 2019", "a machine", "* Speakers are shared."):
        assert words in text


def test_what_was_written_is_counted(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    corpus = prepared(tmp_path / "corpus")
    written = write_for(corpus, tmp_path / "out", "lhotse", progress=lambda done, total: calls.append((done, total)))
    assert written.utterances_per_split == {"train": 2, "dev": 1, "test": 2, "other": 1}
    assert written.num_excluded == 1
    assert written.seconds == sum(1601 + 7 * number for number in range(6)) / 16_000
    assert calls == [(number, 6) for number in range(1, 7)]


def test_a_folder_with_something_in_it_is_refused_and_an_empty_one_is_taken(tmp_path: Path) -> None:
    corpus = prepared(tmp_path / "corpus")
    (tmp_path / "out").mkdir()
    assert write_for(corpus, tmp_path / "out", "lhotse").folder == tmp_path / "out"
    before = sorted(path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*"))
    with pytest.raises(CorpusError, match="exists already"):
        write_for(corpus, tmp_path / "out", "kaldi")
    assert sorted(path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")) == before


def test_a_target_inside_the_working_folder_may_be_the_folder_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    write_for(prepared(tmp_path / "corpus"), Path(), "lhotse")
    assert (tmp_path / "here" / "README.md").is_file()


def test_nothing_is_left_of_a_corpus_that_could_not_be_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = prepared(tmp_path / "corpus")

    def refuse(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "write_layout_tables", refuse)
    with pytest.raises(CorpusError, match="No space left on device"):
        write_for(corpus, tmp_path / "out", "lhotse")
    (corpus.folder / "shards/part-00000.pcm").write_bytes(b"")
    with pytest.raises(AudioError):
        write_for(corpus, tmp_path / "out", "lhotse")
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_recordings_alone_and_flac_for_kaldi_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="has no transcripts"):
        write_for(prepared(tmp_path / "corpus", transcribed=False), tmp_path / "out", "lhotse")
    with pytest.raises(CorpusError, match=r"Kaldi does not read \.flac"):
        write_for(prepared(tmp_path / "other"), tmp_path / "out", "kaldi", audio_suffix=".flac")
