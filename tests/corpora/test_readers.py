"""Each layout becomes the rows that are in it; what cannot be used is named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lowres.corpora.layouts import ReaderSettings, read_corpus
from lowres.errors import CorpusError

Write = Callable[..., Path]


# ---- audio with a transcript beside it


def test_paired_files_become_rows(write: Write) -> None:
    write("train/ana_01.wav")
    write("train/ana_01.txt", "Mbote na yo\n")
    write("dev/ben_01.WAV")
    folder = write("dev/ben_01.txt", "\ufeffɛ́ɛ́")
    reading = read_corpus(folder, ReaderSettings(speaker_from="file_name"))
    rows = [(row.utterance_id, row.split, row.speaker, row.raw_text) for row in reading.rows]
    assert rows == [("dev/ben_01", "dev", "ben", "ɛ́ɛ́"), ("train/ana_01", "train", "ana", "Mbote na yo")]


def test_recordings_and_transcripts_without_each_other_are_named(write: Write) -> None:
    write("a.wav"), write("a.txt", "x"), write("b.wav")
    reading = read_corpus(write("c.txt", "y"), ReaderSettings())
    assert [(one.place, one.reason) for one in reading.skipped] == [
        ("b.wav", "has no transcript beside it (b.txt)"),
        ("c.txt", "has no recording beside it"),
    ]


def test_two_recordings_for_one_transcript_are_refused_by_name(write: Write) -> None:
    write("a.wav"), write("a.mp3")
    with pytest.raises(CorpusError, match=r"'a' is listed twice: a\.mp3 and a\.wav"):
        read_corpus(write("a.txt", "x"), ReaderSettings())


def test_a_transcript_suffix_may_have_two_dots(write: Write) -> None:
    write("a.wav"), write("a.mb", "Mbote."), write("a.mb.cleaned", "mbote")
    assert read_corpus(write(), ReaderSettings(transcript_suffix=".mb.cleaned")).rows[0].raw_text == "mbote"
    assert read_corpus(write(), ReaderSettings(transcript_suffix=".mb")).rows[0].raw_text == "Mbote."


def test_transcripts_in_windows_1252_are_read_and_said(write: Write) -> None:
    write("a.wav")
    reading = read_corpus(write("a.txt", "déjà".encode("cp1252")), ReaderSettings())
    assert reading.rows[0].raw_text == "déjà"
    assert "read as Windows-1252, such as a.txt" in reading.notes[0]


def test_a_folder_called_other_is_not_set_aside(write: Write) -> None:
    write("other/a.wav")
    assert read_corpus(write("other/a.txt", "x"), ReaderSettings()).rows[0].split == ""


def test_a_folder_is_a_speaker_where_the_recipe_says_so(write: Write) -> None:
    write("Ana/1.wav")
    assert read_corpus(write("Ana/1.txt", "x"), ReaderSettings(speaker_from="folder")).rows[0].speaker == "Ana"


@pytest.mark.parametrize(
    ("names", "said"),
    [((), "There is no recording in"), (("a.wav",), r"There is no transcript in .*: 1 recording\(s\)")],
)
def test_a_folder_without_pairs_says_what_is_missing(write: Write, names: tuple[str, ...], said: str) -> None:
    for name in names:
        write(name)
    with pytest.raises(CorpusError, match=said):
        read_corpus(write(), ReaderSettings())


# ---- tables


def table(write: Write, contents: str, **settings: object):  # type: ignore[no-untyped-def]
    for name in ("a.wav", "b.wav"):
        write(f"audio/{name}")
    return read_corpus(write("t.tsv", contents), ReaderSettings(reader="table", **settings))  # type: ignore[arg-type]


def test_a_table_becomes_rows(write: Write) -> None:
    reading = table(
        write, "file\ttext\tspeaker\tsplit\naudio/a.wav\tmbote\tAna\tvalidation\naudio/b.wav\tNA\tBen\ttrain\n"
    )
    rows = [(row.utterance_id, row.audio_path, row.raw_text, row.speaker, row.split) for row in reading.rows]
    assert rows == [
        ("audio/a", "audio/a.wav", "mbote", "Ana", "dev"),
        ("audio/b", "audio/b.wav", "NA", "Ben", "train"),
    ]


def test_wrong_column_names_are_listed_with_the_key_to_set(write: Write) -> None:
    with pytest.raises(
        CorpusError, match="no column that is known to name the transcripts; its columns are 'file', 'ipa'"
    ) as caught:
        table(write, "file\tipa\naudio/a.wav\tmbote\n")
    assert 'corpus.reader.columns.text = "NAME"' in caught.value.hint


def test_a_column_that_the_recipe_misspells_is_guessed(write: Write) -> None:
    with pytest.raises(CorpusError, match="has no column 'sentense'") as caught:
        table(write, "file\tsentence\naudio/a.wav\tmbote\n", columns={"text": "sentense"})
    assert "Did you mean 'sentence'?" in caught.value.hint


def test_columns_may_be_named_by_the_recipe(write: Write) -> None:
    reading = table(write, "file\tipa\tmot\naudio/a.wav\tmbɔ́te\tbonjour\n", columns={"text": "ipa", "id": "mot"})
    assert (reading.rows[0].raw_text, reading.rows[0].utterance_id) == ("mbɔ́te", "bonjour")


def test_duplicate_ids_are_refused_with_both_lines(write: Write) -> None:
    with pytest.raises(CorpusError, match=r"'u1' is listed twice: t\.tsv line 2 and t\.tsv line 3"):
        table(write, "id\tfile\ttext\nu1\taudio/a.wav\tx\nu1\taudio/b.wav\ty\n")


def test_stretches_of_one_recording_get_ids_of_their_own(write: Write) -> None:
    reading = table(write, "file\ttext\tstart\tend\naudio/a.wav\tx\t0\t1.5\naudio/a.wav\ty\t1,5\t3\n")
    assert [(row.start_seconds, row.end_seconds) for row in reading.rows] == [(0, 1.5), (1.5, 3)]
    assert len({row.utterance_id for row in reading.rows}) == 2


def test_a_time_that_is_no_number_is_named_by_its_line(write: Write) -> None:
    with pytest.raises(CorpusError, match=r"t\.tsv line 2: the start '1:30' is not a time in seconds"):
        table(write, "file\ttext\tstart\naudio/a.wav\tx\t1:30\n")


def test_rows_whose_recording_is_missing_are_named_and_the_rest_is_read(write: Write) -> None:
    reading = table(write, "file\ttext\naudio/a.wav\tx\naudio/gone.wav\ty\n\tz\n")
    assert len(reading.rows) == 1
    assert [(one.place, one.reason) for one in reading.skipped] == [
        ("t.tsv line 3", "there is no recording audio/gone.wav"),
        ("t.tsv line 4", "names no recording"),
    ]


@pytest.mark.parametrize("others", [(), ("ana/002.wav",)], ids=["none of hers is here", "others of hers are here"])
def test_a_missing_recording_does_not_take_its_namesake_of_somebody_else(write: Write, others: tuple[str, ...]) -> None:
    for name in ("ben/001.wav", *others):
        write(name)
    lines = "".join(f"{name}\t{name}\tx\n" for name in ("ana/001.wav", "ben/001.wav", *others))
    reading = read_corpus(write("t.tsv", "id\tfile\ttext\n" + lines), ReaderSettings(reader="table"))
    assert [row.audio_path for row in reading.rows] == ["ben/001.wav", *others]
    assert [(one.place, one.reason) for one in reading.skipped] == [
        ("t.tsv line 2", "there is no recording ana/001.wav")
    ]


def test_an_unknown_split_name_is_refused_with_the_key_to_set(write: Write) -> None:
    with pytest.raises(CorpusError, match="line 2: the split 'heldout' is none that is known") as caught:
        table(write, "file\ttext\tsplit\naudio/a.wav\tx\theldout\n")
    assert 'corpus.reader.split_names."heldout"' in caught.value.hint


def test_a_declared_split_name_is_used(write: Write) -> None:
    reading = table(write, "file\ttext\tsplit\naudio/a.wav\tx\theldout\n", split_names={"heldout": "test"})
    assert reading.rows[0].split == "test"


def test_a_climbing_path_in_a_table_is_refused(write: Write, tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(b"x")
    with pytest.raises(CorpusError, match=r"t\.tsv line 2: the path '\.\./secret\.wav' leads out"):
        table(write, "file\ttext\n../secret.wav\tx\n")


def test_a_table_may_itself_not_lie_outside(write: Write) -> None:
    with pytest.raises(CorpusError, match="leads out"):
        table(write, "file\ttext\n", table="../t.tsv")


def test_several_tables_have_to_be_chosen_from(write: Write) -> None:
    write("u.tsv", "file\ttext\n")
    with pytest.raises(CorpusError, match=r"several tables \(t\.tsv, u\.tsv\)"):
        table(write, "file\ttext\n")


def test_one_table_per_split_is_read(write: Write) -> None:
    write("audio/train/a.wav"), write("audio/dev/b.wav")
    write("train.tsv", "1\ta.wav\tx\n"), write("dev.tsv", "2\tb.wav\ty\n"), write("junk.tsv", "3\tc.wav\tz\n")
    settings = ReaderSettings(
        reader="table",
        table="{split}.tsv",
        audio_folder="audio/{split}",
        header=False,
        columns={"audio": "2", "text": "3"},
    )
    reading = read_corpus(write(), settings)
    assert [(row.audio_path, row.split) for row in reading.rows] == [
        ("audio/dev/b.wav", "dev"),
        ("audio/train/a.wav", "train"),
    ]
    assert reading.skipped[0].place == "junk.tsv"


@pytest.mark.parametrize("name", ["/data/{split}.tsv", "../{split}.tsv", "C:\\data\\{split}.tsv"])
def test_tables_of_splits_may_not_lie_outside_either(write: Write, tmp_path: Path, name: str) -> None:
    (tmp_path / "train.tsv").write_text("file\ttext\naudio/a.wav\tsecret\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"corpus\.reader\.table: the path .* leads out of the corpus folder"):
        table(write, "file\ttext\n", table=name)


@pytest.mark.parametrize("name", ["lists [1]/{split}.tsv", "lists [1]\\{split}.tsv", "**x/{split}.tsv"])
def test_the_name_of_tables_is_no_pattern_but_for_the_split(write: Write, name: str) -> None:
    write("a.wav"), write(name.replace("\\", "/").replace("{split}", "train"), "file\ttext\na.wav\tx\n")
    reading = read_corpus(write(), ReaderSettings(reader="table", table=name))
    assert [(row.audio_path, row.split) for row in reading.rows] == [("a.wav", "train")]


# ---- audio folders


def test_an_audio_folder_takes_its_splits_from_its_folders(write: Write) -> None:
    write("validation/a.wav"), write("train/b.wav")
    write("validation/metadata.csv", 'file_name,transcription,speaker_id\na.wav,"yes, no",s1\n')
    reading = read_corpus(
        write("train/metadata.csv", "file_name,transcription\nb.wav,three\n"), ReaderSettings(reader="audio_folder")
    )
    rows = [(row.audio_path, row.split, row.speaker, row.raw_text) for row in reading.rows]
    assert rows == [("train/b.wav", "train", "", "three"), ("validation/a.wav", "dev", "s1", "yes, no")]


def test_a_folder_without_metadata_says_so(write: Write) -> None:
    with pytest.raises(CorpusError, match=r"no metadata\.csv anywhere"):
        read_corpus(write("a.wav"), ReaderSettings(reader="audio_folder"))


# ---- Common Voice


def release(write: Write, language: str = "yo") -> Path:
    for name in ("a", "b", "c"):
        write(f"{language}/clips/{name}.mp3")
    header = "client_id\tpath\tsentence\tup_votes\n"
    write(f"{language}/train.tsv", f'{header}x1\ta.mp3\t"Bẹ́ẹ̀ ni\t2\n')
    write(f"{language}/test.tsv", f"{header}x2\tb\tó dáa\t2\n")
    return write(f"{language}/validated.tsv", f"{header}x1\ta.mp3\t-\t2\nx3\tc.mp3\tó tì\t2\n")


def test_a_common_voice_release_becomes_rows(write: Write) -> None:
    reading = read_corpus(release(write), ReaderSettings(reader="common_voice"))
    rows = [(row.audio_path, row.split, row.speaker, row.raw_text) for row in reading.rows]
    assert rows == [("yo/clips/a.mp3", "train", "x1", '"Bẹ́ẹ̀ ni'), ("yo/clips/b.mp3", "test", "x2", "ó dáa")]


def test_validated_clips_outside_the_splits_are_read_on_request(write: Write) -> None:
    settings = ReaderSettings(reader="common_voice", split_names={"validated": "other"})
    assert [row.split for row in read_corpus(release(write), settings).rows] == ["train", "test", "other"]


def test_one_of_several_languages_has_to_be_chosen(write: Write) -> None:
    release(write, "yo")
    folder = release(write, "ig")
    with pytest.raises(CorpusError, match="several languages: ig, yo") as caught:
        read_corpus(folder, ReaderSettings(reader="common_voice"))
    assert "corpus.reader.subfolder" in caught.value.hint
    assert len(read_corpus(folder, ReaderSettings(reader="common_voice", subfolder="ig")).rows) == 2


# ---- Kaldi


def kaldi(write: Write, wav_scp: str, text: str = "u1 mbote na yo\n", **settings: object):  # type: ignore[no-untyped-def]
    write("audio/a.wav")
    write("data/train/wav.scp", wav_scp)
    write("data/train/utt2spk", "u1 ana\n")
    return read_corpus(write("data/train/text", text), ReaderSettings(reader="kaldi", **settings))  # type: ignore[arg-type]


def test_a_kaldi_directory_becomes_rows(write: Write) -> None:
    row = kaldi(write, "u1 audio/a.wav\n").rows[0]
    assert (row.utterance_id, row.audio_path, row.speaker, row.split, row.raw_text) == (
        "u1", "audio/a.wav", "ana", "train", "mbote na yo",
    )  # fmt: skip


@pytest.mark.parametrize("command", ["sph2pipe -f wav a.sph |", "touch /tmp/owned; cat audio/a.wav |"])
def test_a_kaldi_pipe_is_refused_and_not_run(write: Write, command: str) -> None:
    with pytest.raises(CorpusError, match=r"data/train/wav\.scp line 1 is a shell command"):
        kaldi(write, f"u1 {command}\n")


def test_a_kaldi_archive_is_refused(write: Write) -> None:
    with pytest.raises(CorpusError, match="points into a Kaldi archive"):
        kaldi(write, "u1 foo/wav.ark:1234\n")


def test_kaldi_segments_cut_recordings(write: Write) -> None:
    write("data/train/segments", "u1 rec 1.5 2.75\nu2 rec 3 -1\n")
    rows = kaldi(write, "rec audio/a.wav\n", "u1 mbote\nu2 na yo\n").rows
    assert [(row.utterance_id, row.start_seconds, row.end_seconds) for row in rows] == [
        ("u1", 1.5, 2.75),
        ("u2", 3.0, None),
    ]


def test_kaldi_ids_used_twice_are_refused_with_both_lines(write: Write) -> None:
    with pytest.raises(CorpusError, match=r"'u1' is listed twice: data/train/text line 1 and data/train/text line 2"):
        kaldi(write, "u1 audio/a.wav\n", "u1 x\nu1 y\n")


def test_kaldi_lines_without_a_partner_are_named(write: Write) -> None:
    reading = kaldi(write, "u1 audio/a.wav\nu2 audio/b.wav\n", "u1 x\nu3 y\n")
    assert sorted(one.place for one in reading.skipped) == ["data/train/text line 2", "data/train/wav.scp line 2"]


def test_paths_of_another_machine_are_found_by_name_where_the_recipe_says_where(write: Write) -> None:
    with pytest.raises(CorpusError, match="leads out of the corpus folder"):
        kaldi(write, "u1 /home/me/data/a.wav\n")
    assert kaldi(write, "u1 /home/me/data/a.wav\n", audio_folder="audio").rows[0].audio_path == "audio/a.wav"


@pytest.mark.parametrize("audio_folder", ["", "audio"])
def test_a_missing_recording_of_kaldi_s_does_not_take_its_namesake(write: Write, audio_folder: str) -> None:
    write(f"{audio_folder}/ben/001.wav".strip("/"))
    reading = kaldi(write, "u1 ana/001.wav\nu2 ben/001.wav\n", "u1 x\nu2 y\n", audio_folder=audio_folder)
    assert [row.utterance_id for row in reading.rows] == ["u2"]
    assert [one.reason for one in reading.skipped] == ["there is no recording ana/001.wav"]


def test_folders_of_another_machine_tell_namesakes_apart(write: Write) -> None:
    write("audio/ana/1.wav"), write("audio/ben/1.wav"), write("audio/ben/2.wav")
    scp = "u1 /mnt/x/../ana/1.wav\nu2 /mnt/ben/1.wav\nu3 /mnt/ana/2.wav\nu4 /../a.wav\n"
    reading = kaldi(write, scp, "u1 x\nu2 y\nu3 z\nu4 z\n", audio_folder="audio")
    assert [row.audio_path for row in reading.rows] == ["audio/ana/1.wav", "audio/ben/1.wav", "audio/a.wav"]
    assert [one.reason for one in reading.skipped] == ["there is no recording /mnt/ana/2.wav"]


def test_a_climbing_path_in_wav_scp_is_refused(write: Write) -> None:
    with pytest.raises(CorpusError, match=r"wav\.scp line 1: the path .* leads out"):
        kaldi(write, "u1 ../../secret.wav\n")


# ---- what holds for all


def test_a_corpus_with_nothing_usable_says_why(write: Write) -> None:
    with pytest.raises(
        CorpusError, match=r"holds no utterance .* data/train/wav\.scp line 1: there is no recording gone\.wav"
    ):
        kaldi(write, "u1 gone.wav\n")


def test_a_missing_corpus_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="There is no corpus folder"):
        read_corpus(tmp_path / "gone", ReaderSettings())


# ---- recordings alone

RECORDINGS = ReaderSettings(reader="recordings", speaker_from="folder")


def test_recordings_alone_become_rows_without_text(write: Write) -> None:
    write("ana/tape 1.wav"), write("ana/tape 1.txt", "not read"), write("dev/ben.MP3")
    rows = read_corpus(write("c.flac"), RECORDINGS).rows
    assert [(row.utterance_id, row.audio_path, row.split, row.speaker, row.raw_text) for row in rows] == [
        ("c", "c.flac", "", "", ""),
        ("ana/tape 1", "ana/tape 1.wav", "", "ana", ""),
        ("dev/ben", "dev/ben.MP3", "dev", "dev", ""),
    ]
    assert not RECORDINGS.has_transcripts


def test_recordings_may_begin_in_a_folder_and_have_other_names_for_splits(write: Write) -> None:
    write("other.wav"), write("radio/held/a.wav")
    settings = ReaderSettings(reader="recordings", subfolder="radio", split_names={"held": "dev"})
    rows = read_corpus(write("radio/b.wav"), settings).rows
    assert [(row.utterance_id, row.audio_path, row.split) for row in rows] == [
        ("b", "radio/b.wav", ""),
        ("held/a", "radio/held/a.wav", "dev"),
    ]


def test_a_folder_without_recordings_says_which_endings_are_looked_for(write: Write) -> None:
    with pytest.raises(CorpusError, match=r"There is no recording in .*: no file ends in \.wav"):
        read_corpus(write("notes.txt", "x"), RECORDINGS)


def test_two_recordings_of_one_name_are_refused_by_name(write: Write) -> None:
    write("a.wav")
    with pytest.raises(CorpusError, match=r"'a' is listed twice: a\.mp3 and a\.wav"):
        read_corpus(write("a.mp3"), RECORDINGS)


@pytest.mark.corpora
@pytest.mark.parametrize(
    ("folder", "num_rows", "settings"),
    [
        ("mboshi", 5130, {"transcript_suffix": ".mb", "speaker_from": "file_name"}),
        ("yoruba", 1049, {"reader": "common_voice"}),
        ("kinyarwanda", 971, {"reader": "kaldi"}),
        ("swahili", 463, {"reader": "audio_folder"}),
        ("pidgin", 945, {"reader": "table"}),
        ("tusom", 2255, {"reader": "table", "columns": {"text": "ipa"}}),
    ],
)
def test_real_corpora_are_read_whole(
    corpora_folder: Path, folder: str, num_rows: int, settings: dict[str, object]
) -> None:
    reading = read_corpus(corpora_folder / folder, ReaderSettings(**settings))  # type: ignore[arg-type]
    assert len(reading.rows) == num_rows
    assert reading.skipped == []
