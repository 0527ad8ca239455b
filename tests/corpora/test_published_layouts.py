"""FLEURS, Multilingual LibriSpeech and the crowdsourced corpora of OpenSLR become rows; damage is named, not fatal."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lowres.corpora.layouts import CorpusReading, ReaderName, ReaderSettings, read_corpus
from lowres.errors import CorpusError

Write = Callable[..., Path]
LONG = "x" * 300


def skipped(reading: CorpusReading) -> list[tuple[str, str]]:
    return [(one.place, one.reason) for one in reading.skipped]


# ---- FLEURS

FLEURS = ReaderSettings(reader="fleurs")


def fleurs_line(name: str, text: str) -> str:
    return f"7\t{name}\t{text}\t{text.lower()}\th a |\t16000\tMALE\n"


def test_fleurs_keeps_the_sentence_as_it_was_written(write: Write) -> None:
    write("audio/train/1.wav"), write("audio/dev/1.wav"), write("audio/test/2.wav")
    write("train.tsv", fleurs_line("1.wav", '"Habari," alisema, "yako?"'))
    write("dev.tsv", fleurs_line("1.wav", "Ndiyo."))
    rows = read_corpus(write("test.tsv", fleurs_line("2.wav", "Hapana.\r")), FLEURS).rows
    assert [(row.utterance_id, row.audio_path, row.split, row.raw_text, row.speaker) for row in rows] == [
        ("train/1", "audio/train/1.wav", "train", '"Habari," alisema, "yako?"', ""),
        ("dev/1", "audio/dev/1.wav", "dev", "Ndiyo.", ""),
        ("test/2", "audio/test/2.wav", "test", "Hapana.", ""),
    ]


def test_fleurs_recordings_may_lie_in_one_folder(write: Write) -> None:
    write("audio/1.wav")
    assert read_corpus(write("train.tsv", fleurs_line("1.wav", "Ndiyo.")), FLEURS).rows[0].audio_path == "audio/1.wav"


def test_one_of_several_fleurs_languages_has_to_be_chosen(write: Write) -> None:
    for language in ("sw_ke", "wo_sn"):
        write(f"{language}/audio/train/1.wav")
        folder = write(f"{language}/train.tsv", fleurs_line("1.wav", "Ndiyo."))
    with pytest.raises(CorpusError, match="several languages: sw_ke, wo_sn") as caught:
        read_corpus(folder, FLEURS)
    assert "corpus.reader.subfolder" in caught.value.hint
    assert len(read_corpus(folder, ReaderSettings(reader="fleurs", subfolder="wo_sn")).rows) == 1


def test_broken_lines_of_fleurs_are_named_and_the_rest_is_read(write: Write) -> None:
    write("audio/train/1.wav")
    lines = ["7\n", fleurs_line("", "x"), fleurs_line("1.wav", ""), fleurs_line("gone.wav", "x")]
    lines += [fleurs_line(f"{LONG}.wav", "x"), fleurs_line("a\0b.wav", "x"), fleurs_line("1.wav", "Ndiyo.")]
    reading = read_corpus(write("train.tsv", "".join(lines)), ReaderSettings(reader="fleurs", encoding="utf-8"))
    assert [row.raw_text for row in reading.rows] == ["Ndiyo."]
    assert skipped(reading)[:4] == [
        ("train.tsv line 1", "has 1 cell(s), and a line has a number, a file name and a sentence"),
        ("train.tsv line 2", "names no recording"),
        ("train.tsv line 3", "has no sentence"),
        ("train.tsv line 4", "there is no recording audio/train/gone.wav"),
    ]
    assert len(reading.skipped) == 6


def test_a_fleurs_recording_listed_twice_is_refused_with_both_lines(write: Write) -> None:
    write("audio/train/1.wav")
    with pytest.raises(CorpusError, match=r"'train/1' is listed twice: train\.tsv line 1 and train\.tsv line 2"):
        read_corpus(write("train.tsv", fleurs_line("1.wav", "x") * 2), FLEURS)


# ---- Multilingual LibriSpeech

MLS = ReaderSettings(reader="mls")


def test_mls_finds_flac_and_opus_and_takes_the_speaker_from_the_id(write: Write) -> None:
    write("train/audio/4800/10003/4800_10003_000000.flac"), write("test/audio/7/8/7_8_000001.opus")
    write("train/transcripts.txt", "4800_10003_000000\tdzień dobry\n")
    write("train/limited_supervision/9hr/handles.txt", "4800_10003_000000\n")
    rows = read_corpus(write("test/transcripts.txt", "7_8_000001\ttak\n"), MLS).rows
    assert [(row.utterance_id, row.audio_path, row.speaker, row.split, row.raw_text) for row in rows] == [
        ("4800_10003_000000", "train/audio/4800/10003/4800_10003_000000.flac", "4800", "train", "dzień dobry"),
        ("7_8_000001", "test/audio/7/8/7_8_000001.opus", "7", "test", "tak"),
    ]


def test_mls_may_lie_in_the_folder_of_its_language(write: Write) -> None:
    write("mls_polish/dev/audio/7/8/7_8_1.opus")
    row = read_corpus(write("mls_polish/dev/transcripts.txt", "7_8_1\ttak\n"), MLS).rows[0]
    assert (row.audio_path, row.split) == ("mls_polish/dev/audio/7/8/7_8_1.opus", "dev")


def test_the_speaker_of_mls_may_be_said_to_be_elsewhere(write: Write) -> None:
    write("dev/audio/7/8/7_8_1.opus")
    folder = write("dev/transcripts.txt", "7_8_1\ttak\n")
    assert read_corpus(folder, ReaderSettings(reader="mls", speaker_from="folder")).rows[0].speaker == "8"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("no-id\ttak", "is not an id of the form speaker_book_number"),
        ("../../../secret_1_2\ttak", "is not an id of the form speaker_book_number"),
        ("7_8_1", "has no text"),
        ("7_8_1\ta\tb", "has 3 cells"),
        ("7_8_2\ttak", "there is no recording audio/7/8/7_8_2, .flac or .opus"),
        (f"7_8_{LONG}\ttak", "there is no recording"),
        ("7_8_\0\ttak", "there is no recording"),
    ],
)
def test_broken_lines_of_mls_are_named(write: Write, line: str, reason: str) -> None:
    write("dev/audio/7/8/7_8_1.opus"), write("dev/audio/9/9/9_9_9.opus")
    settings = ReaderSettings(reader="mls", encoding="utf-8")
    reading = read_corpus(write("dev/transcripts.txt", f"9_9_9\tnie\n{line}\n"), settings)
    assert len(reading.rows) == 1
    assert reading.skipped[0].place == "dev/transcripts.txt line 2"
    assert reason in reading.skipped[0].reason


# ---- OpenSLR

OPENSLR = ReaderSettings(reader="openslr")


def test_several_line_indexes_beside_the_folders_of_recordings(write: Write) -> None:
    write("yo_ng_female/yof_00295_1.wav"), write("yo_ng_male/yom_07049_2.wav")
    write("line_index_female.tsv", "yof_00295_1\tBẹ́ẹ̀ ni\n")
    rows = read_corpus(write("line_index_male.tsv", "yom_07049_2\t\tó dáa\n"), OPENSLR).rows
    assert [(row.utterance_id, row.audio_path, row.speaker, row.raw_text) for row in rows] == [
        ("yof_00295_1", "yo_ng_female/yof_00295_1.wav", "yof_00295", "Bẹ́ẹ̀ ni"),
        ("yom_07049_2", "yo_ng_male/yom_07049_2.wav", "yom_07049", "ó dáa"),
    ]


def test_recordings_lie_beside_or_below_their_line_index(write: Write) -> None:
    write("jv_id_female/wavs/jvf_1_1.wav"), write("gu/guf_1_1.wav")
    write("jv_id_female/line_index.tsv", "jvf_1_1\tanon\tsugeng\n")
    rows = read_corpus(write("gu/line_index.tsv", "guf_1_1.wav\tહા\n"), OPENSLR).rows
    assert [row.audio_path for row in rows] == ["gu/guf_1_1.wav", "jv_id_female/wavs/jvf_1_1.wav"]
    assert rows[0].utterance_id == "guf_1_1"


def test_the_middle_column_is_the_speaker_only_where_it_is_known_to_be(write: Write) -> None:
    write("data/00/0001.flac")
    assert read_corpus(write("utt_spk_text.tsv", "0001\tabc12\tsugeng\n"), OPENSLR).rows[0].speaker == "abc12"


def test_the_speaker_of_openslr_may_be_one_piece_of_the_name(write: Write) -> None:
    write("yom_07049_2.wav")
    settings = ReaderSettings(reader="openslr", speaker_from="file_name", speaker_field=1)
    assert read_corpus(write("line_index.tsv", "yom_07049_2\tó dáa\n"), settings).rows[0].speaker == "07049"


def test_broken_lines_of_openslr_are_named(write: Write) -> None:
    write("yom_1_1.wav"), write("a/same.wav"), write("b/same.wav")
    lines = ["yom_1_1\tó dáa", "yom_1_1", "x\t", "\tx", "gone\tx", "same\tx", f"{LONG}\tx", "a\0\tx", "a\tb\tc\td"]
    reading = read_corpus(write("line_index.tsv", "\n".join(lines)), ReaderSettings(reader="openslr", encoding="utf-8"))
    assert len(reading.rows) == 1
    assert [one.place for one in reading.skipped] == [f"line_index.tsv line {number}" for number in range(2, 10)]
    assert "there is no recording same, or there are several" in [one.reason for one in reading.skipped]


def test_an_id_in_two_line_indexes_is_refused_with_both_places(write: Write) -> None:
    write("a.wav"), write("line_index_male.tsv", "a\tx\n")
    with pytest.raises(CorpusError, match=r"line_index_female\.tsv line 1 and line_index_male\.tsv line 1"):
        read_corpus(write("line_index_female.tsv", "a\tx\n"), OPENSLR)


# ---- what holds for all three


@pytest.mark.parametrize("reader", ["fleurs", "mls", "openslr"])
def test_an_empty_folder_says_what_was_looked_for(write: Write, reader: ReaderName) -> None:
    with pytest.raises(CorpusError) as caught:
        read_corpus(write("a.wav"), ReaderSettings(reader=reader))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("reader", "table", "line"),
    [
        ("fleurs", "train.tsv", "7\t../../../secret.wav\tx\tx\n"),
        ("fleurs", "train.tsv", "7\t/etc/secret.wav\tx\tx\n"),
        ("fleurs", "train.tsv", "7\tC:\\secret.wav\tx\tx\n"),
        ("openslr", "line_index.tsv", "../secret\tx\n"),
        ("openslr", "line_index.tsv", "..\\secret.wav\tx\n"),
        ("openslr", "line_index.tsv", "/etc/secret\tx\n"),
    ],
)
def test_a_climbing_path_is_refused(write: Write, tmp_path: Path, reader: ReaderName, table: str, line: str) -> None:
    (tmp_path / "secret.wav").write_bytes(b"x")
    write("audio/train/1.wav")
    with pytest.raises(CorpusError, match=r"line 1: the path .* leads out of the corpus folder"):
        read_corpus(write(table, line), ReaderSettings(reader=reader))


@pytest.mark.parametrize(
    ("reader", "table"), [("fleurs", "train.tsv"), ("mls", "train/transcripts.txt"), ("openslr", "line_index.tsv")]
)
def test_a_table_that_is_a_link_out_of_the_folder_is_refused(
    write: Write, tmp_path: Path, reader: ReaderName, table: str
) -> None:
    (tmp_path / "secret.tsv").write_text("1_2_3\tx\tx\n", encoding="utf-8")
    folder = write("audio/train/1.wav")
    (folder / table).parent.mkdir(parents=True, exist_ok=True)
    (folder / table).symlink_to(tmp_path / "secret.tsv")
    with pytest.raises(CorpusError, match="leads out"):
        read_corpus(folder, ReaderSettings(reader=reader))


@pytest.mark.parametrize(
    ("reader", "table", "line"),
    [
        ("fleurs", "train.tsv", "7\tx.wav\tx\tx\n"),
        ("mls", "train/transcripts.txt", "1_2_x\tx\n"),
        ("openslr", "line_index.tsv", "x\tx\n"),
    ],
)
def test_a_recording_that_is_a_link_out_of_the_folder_is_refused(
    write: Write, tmp_path: Path, reader: ReaderName, table: str, line: str
) -> None:
    (tmp_path / "secret.wav").write_bytes(b"x")
    folder = write(table, line)
    for name in ("audio/train/x.wav", "train/audio/1/2/1_2_x.flac", "x.wav"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(tmp_path / "secret.wav")
        if reader == "openslr":
            (folder / name).unlink() if name != "x.wav" else None
    with pytest.raises(CorpusError, match="leads out"):
        read_corpus(folder, ReaderSettings(reader=reader))


@pytest.mark.parametrize(
    ("reader", "table"), [("fleurs", "train.tsv"), ("mls", "train/transcripts.txt"), ("openslr", "line_index.tsv")]
)
@pytest.mark.parametrize("contents", [b"", b"\n\n", b"\xff\xfe\x00", b"\x00\x01\x02\t\x00", b"\t\t\t\n" * 3])
def test_damaged_tables_are_a_corpus_error(write: Write, reader: ReaderName, table: str, contents: bytes) -> None:
    write("audio/train/1.wav")
    with pytest.raises(CorpusError):
        read_corpus(write(table, contents), ReaderSettings(reader=reader))
