"""Annotated recordings become utterances: the right tier, the right recording, and nothing lost without a word."""

from pathlib import Path

import pytest

from lowres.annotation.elan_writing import write_elan
from lowres.annotation.textgrid import write_textgrid
from lowres.annotation.tiers import Annotation, AnnotationFile, MediaLink, Tier
from lowres.corpora.annotated import list_tiers
from lowres.corpora.layouts import read_corpus
from lowres.corpora.reading import CorpusReading
from lowres.corpora.settings import ReaderSettings
from lowres.errors import CorpusError

TEXT = Tier(
    "text", (Annotation(1.0, 2.5, "mbote"), Annotation(3.0, 4.0, "na yo")), participant="Ana", linguistic_type="utt"
)
GLOSS = Tier("gloss", (Annotation(1.0, 2.5, "hello"),), participant="Ana", linguistic_type="gls")


def read(folder: Path, **settings: object) -> CorpusReading:
    return read_corpus(folder, ReaderSettings(reader="annotated", **settings))  # type: ignore[arg-type]


def record(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")  # readers open no audio


def test_each_annotation_is_an_utterance_with_its_time_speaker_and_text(tmp_path: Path) -> None:
    record(tmp_path, "train/day1.wav")
    write_elan(AnnotationFile((TEXT,)), tmp_path / "train" / "day1.eaf")
    reading = read(tmp_path)
    assert [(row.start_seconds, row.end_seconds, row.raw_text) for row in reading.rows] == [
        (1.0, 2.5, "mbote"),
        (3.0, 4.0, "na yo"),
    ]
    assert {(row.audio_path, row.speaker, row.split) for row in reading.rows} == {("train/day1.wav", "Ana", "train")}
    assert reading.rows[0].utterance_id == "train/day1/text/00001000-00002500"
    assert reading.skipped == []


def test_with_several_tiers_nothing_is_guessed_and_the_one_with_most_text_is_suggested(tmp_path: Path) -> None:
    record(tmp_path, "a.wav")
    write_elan(AnnotationFile((GLOSS, TEXT)), tmp_path / "a.eaf")
    with pytest.raises(CorpusError, match="2 tiers with annotations") as refused:
        read(tmp_path)
    assert 'corpus.reader.tiers = ["text"]' in str(refused.value.hint)
    assert "'gloss' (1)" in str(refused.value.hint)


@pytest.mark.parametrize(
    "chosen", [{"tiers": ("te*",)}, {"linguistic_types": ("utt",)}, {"tiers": ("*",), "linguistic_types": ("utt",)}]
)
def test_a_tier_is_chosen_by_name_or_linguistic_type(tmp_path: Path, chosen: dict[str, tuple[str, ...]]) -> None:
    record(tmp_path, "a.wav")
    write_elan(AnnotationFile((GLOSS, TEXT)), tmp_path / "a.eaf")
    assert [row.raw_text for row in read(tmp_path, **chosen).rows] == ["mbote", "na yo"]


def test_tiers_are_chosen_by_participant_too(tmp_path: Path) -> None:
    other = Tier("text2", (Annotation(5.0, 6.0, "eh"),), participant="Ben")
    record(tmp_path, "a.wav")
    write_elan(AnnotationFile((TEXT, other)), tmp_path / "a.eaf")
    assert [row.speaker for row in read(tmp_path, participants=("B*",)).rows] == ["Ben"]


def test_a_tier_that_no_file_has_is_refused(tmp_path: Path) -> None:
    record(tmp_path, "a.wav")
    write_elan(AnnotationFile((TEXT,)), tmp_path / "a.eaf")
    with pytest.raises(CorpusError, match="No tier fits"):
        read(tmp_path, tiers=("words",))


def test_a_tier_may_say_who_speaks(tmp_path: Path) -> None:
    who = Tier("who", (Annotation(0.0, 1.4, "X"), Annotation(1.4, 9.0, "Y")))
    record(tmp_path, "a.wav")
    write_textgrid(AnnotationFile((Tier("text", TEXT.annotations), who)), tmp_path / "a.TextGrid")
    assert [row.speaker for row in read(tmp_path, speaker_tier="who").rows] == ["Y", "Y"]


@pytest.mark.parametrize(
    "path", ["C:\\Users\\Ana\\fieldwork\\Day1.WAV", "/Volumes/stick/day1.wav", "/home/ana/day1.mp3"]
)
def test_a_recording_of_another_computer_is_found_by_its_name_or_stem_and_that_is_said(
    tmp_path: Path, path: str
) -> None:
    record(tmp_path, "audio/day1.wav")
    write_elan(AnnotationFile((TEXT,), media=(MediaLink(path),)), tmp_path / "session.eaf")
    reading = read(tmp_path)
    assert {row.audio_path for row in reading.rows} == {"audio/day1.wav"}
    assert any("1 file(s) name a recording that is not where they say" in note for note in reading.notes)


def test_a_recording_that_is_where_the_file_says_is_taken_without_a_word(tmp_path: Path) -> None:
    record(tmp_path, "a/day1.wav", "b/day1.wav")
    for name in "ab":
        write_elan(AnnotationFile((TEXT,), media=(MediaLink("", "./day1.wav"),)), tmp_path / name / "session.eaf")
    reading = read(tmp_path)
    assert {row.audio_path for row in reading.rows} == {"a/day1.wav", "b/day1.wav"}
    assert reading.notes == []


def test_no_link_leads_out_of_the_corpus(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    record(tmp_path, "secret.wav")
    record(corpus, "other.wav")
    link = MediaLink(str(tmp_path / "secret.wav"), "../secret.wav")
    write_elan(AnnotationFile((TEXT,), media=(link,)), corpus / "session.eaf")
    with pytest.raises(CorpusError, match="has no recording"):
        read(corpus)


def test_the_offset_of_a_recording_and_the_padding_move_the_times(tmp_path: Path) -> None:
    record(tmp_path, "a.wav")
    link = MediaLink("", "./a.wav", offset_seconds=10.0)
    write_elan(AnnotationFile((TEXT,), media=(link,)), tmp_path / "a.eaf")
    row = read(tmp_path, padding_seconds=0.25).rows[0]
    assert (row.start_seconds, row.end_seconds) == (10.75, 12.75)


def test_a_recording_that_was_given_another_name_keeps_the_offset_of_its_link_and_that_is_said(tmp_path: Path) -> None:
    record(tmp_path, "session.wav")
    link = MediaLink("/home/ana/day1.wav", "./day1.wav", offset_seconds=5.0)
    write_elan(AnnotationFile((TEXT,), media=(link,)), tmp_path / "session.eaf")
    reading = read(tmp_path)
    assert [(row.audio_path, row.start_seconds) for row in reading.rows] == [("session.wav", 6.0), ("session.wav", 8.0)]
    assert any("1 file(s) link to no recording that is here" in note for note in reading.notes)


def test_of_a_film_and_its_sound_that_are_gone_the_link_of_the_same_ending_has_the_offset(tmp_path: Path) -> None:
    record(tmp_path, "session.wav")
    links = (MediaLink("/ana/day1.mp4", offset_seconds=5.0), MediaLink("/ana/day1.wav", offset_seconds=2.0))
    write_elan(AnnotationFile((TEXT,), media=links), tmp_path / "session.eaf")
    assert read(tmp_path).rows[0].start_seconds == 3.0


def test_where_links_that_lead_nowhere_contradict_each_other_nothing_is_cut(tmp_path: Path) -> None:
    record(tmp_path, "session.flac", "b.wav")
    links = (MediaLink("/ana/day1.mp4", offset_seconds=5.0), MediaLink("/ana/day1.wav", offset_seconds=2.0))
    write_elan(AnnotationFile((TEXT,), media=links), tmp_path / "session.eaf")
    write_elan(AnnotationFile((TEXT,)), tmp_path / "b.eaf")
    reading = read(tmp_path)
    assert {row.audio_path for row in reading.rows} == {"b.wav"}
    reasons = {skipped.place: skipped.reason for skipped in reading.skipped}
    assert "begin at different moments (session.flac may be any of them)" in reasons["session.eaf"]


def test_the_offset_is_that_of_the_link_whose_recording_is_taken(tmp_path: Path) -> None:
    record(tmp_path, "day1.wav")
    links = (MediaLink("", "./day1.mp4", offset_seconds=5.0), MediaLink("", "./day1.wav", offset_seconds=2.0))
    write_elan(AnnotationFile((TEXT,), media=links), tmp_path / "session.eaf")
    reading = read(tmp_path)
    assert (reading.rows[0].start_seconds, reading.notes) == (3.0, [])


@pytest.mark.parametrize("own", [True, False])
def test_a_link_that_leads_to_a_recording_is_followed_before_any_other_of_that_name(tmp_path: Path, own: bool) -> None:
    record(tmp_path, "ana/001.wav", "ben/001.wav", *(["eaf/001.wav"] if own else []))
    for name in ("ana", "ben"):
        link = MediaLink("", f"../{name}/001.wav")
        (tmp_path / "eaf").mkdir(exist_ok=True)
        write_elan(AnnotationFile((TEXT,), media=(link,)), tmp_path / "eaf" / f"{name}.eaf")
    reading = read(tmp_path)
    assert {(row.utterance_id[:7], row.audio_path) for row in reading.rows} == {
        ("eaf/ana", "ana/001.wav"),
        ("eaf/ben", "ben/001.wav"),
    }
    assert reading.notes == []


def test_a_film_and_its_sound_that_one_file_links_to_both_belong_to_it(tmp_path: Path) -> None:
    record(tmp_path, "day1.mp4", "day1.wav")
    links = (MediaLink("", "./day1.mp4"), MediaLink("", "./day1.wav"))
    write_elan(AnnotationFile((TEXT,), media=links), tmp_path / "day1.eaf")
    reading = read(tmp_path)
    assert {row.audio_path for row in reading.rows} == {"day1.mp4"}
    assert reading.skipped == []


def test_padding_never_begins_before_the_recording(tmp_path: Path) -> None:
    record(tmp_path, "a.wav")
    write_elan(AnnotationFile((Tier("t", (Annotation(0.1, 1.0, "a"),)),)), tmp_path / "a.eaf")
    assert read(tmp_path, padding_seconds=0.5).rows[0].start_seconds == 0.0


def test_whatever_cannot_be_used_is_named(tmp_path: Path) -> None:
    record(tmp_path, "good.wav", "alone.wav", "empty.wav")
    blank = Tier("text", (Annotation(0.0, 1.0, " "), Annotation(1.0, 1.0, "now"), Annotation(1.0, 2.0, "a")))
    write_elan(AnnotationFile((blank,)), tmp_path / "good.eaf")
    write_elan(AnnotationFile((TEXT,)), tmp_path / "silent.eaf")
    write_elan(AnnotationFile((Tier("text", ()),)), tmp_path / "empty.eaf")
    (tmp_path / "broken.eaf").write_text("<ANNOTATION_DOCUMENT>", encoding="utf-8")
    reading = read(tmp_path)
    assert [row.raw_text for row in reading.rows] == ["a"]
    reasons = {skipped.place: skipped.reason for skipped in reading.skipped}
    assert reasons["alone.wav"] == "no file of annotations belongs to it"
    assert reasons["silent.eaf"] == "has no recording"
    assert reasons["empty.eaf"] == "has none of the chosen tiers, or nothing on them"
    assert "damaged" in reasons["broken.eaf"]
    assert reasons["good.eaf, tier 'text' at 0.000 s"] == "has no text"
    assert reasons["good.eaf, tier 'text' at 1.000 s"] == "lasts no time, or lies before the recording begins"


def test_a_folder_without_annotations_is_refused(tmp_path: Path) -> None:
    record(tmp_path, "a.wav")
    with pytest.raises(CorpusError, match="no file of annotations"):
        read(tmp_path)


@pytest.mark.corpora
def test_sarawak_malay_is_read_from_its_tier_and_its_grids_without_audio_are_listed(corpora_folder: Path) -> None:
    reading = read(corpora_folder / "sarawak_malay", tiers=("Sarawak",), speaker_tier="Speaker")
    assert len(reading.rows) == 107
    assert {row.audio_path for row in reading.rows} == {
        path.name for path in (corpora_folder / "sarawak_malay").glob("*.flac")
    }
    assert all(row.speaker for row in reading.rows)
    missing = [skipped for skipped in reading.skipped if skipped.reason == "has no recording"]
    assert len(missing) == 28


def test_tiers_of_one_kind_and_different_speakers_need_no_choice(tmp_path: Path) -> None:
    record(tmp_path, "a.wav")
    tiers = [Tier(f"tx@{name}", TEXT.annotations) for name in ("Ana", "Ben")]
    write_textgrid(AnnotationFile(tuple(tiers)), tmp_path / "a.TextGrid")
    assert {row.speaker for row in read(tmp_path).rows} == {"Ana", "Ben"}
    assert len(read(tmp_path, tiers=("tx",)).rows) == 4
    assert {row.speaker for row in read(tmp_path, tiers=("*@Ben",)).rows} == {"Ben"}


def test_a_tier_with_brackets_in_its_name_is_chosen_by_that_name(tmp_path: Path) -> None:
    record(tmp_path, "a.wav")
    write_elan(AnnotationFile((GLOSS, Tier("text [raw]", TEXT.annotations))), tmp_path / "a.eaf")
    assert len(read(tmp_path, tiers=("text [raw]",)).rows) == 2


def test_a_tier_that_is_called_like_a_transcript_is_suggested_first(tmp_path: Path) -> None:
    record(tmp_path, "a.wav")
    longer = Tier("gls-en", (Annotation(1.0, 2.5, "a gloss that is longer than all the words that it explains"),))
    write_elan(AnnotationFile((longer, Tier("txt-mdw", TEXT.annotations))), tmp_path / "a.eaf")
    assert [tier.name for tier in list_tiers(tmp_path, ReaderSettings(reader="annotated"))] == ["txt-mdw", "gls-en"]


def test_a_tier_that_was_exported_beside_its_file_is_read_once_from_the_file_of_elan(tmp_path: Path) -> None:
    record(tmp_path, "a.wav")
    rounded = (Annotation(1.0, 2.5004, "mbote"), Annotation(2.9996, 4.0, "na yo"))
    write_elan(AnnotationFile((TEXT,)), tmp_path / "a.eaf")
    write_textgrid(AnnotationFile((Tier("text", rounded),)), tmp_path / "a.TextGrid")
    reading = read(tmp_path)
    assert [(row.raw_text, row.speaker) for row in reading.rows] == [("mbote", "Ana"), ("na yo", "Ana")]
    assert [(one.place, one.reason) for one in reading.skipped] == [
        ("a.TextGrid, tier 'text'", "repeats annotations of another file, which were taken from there (2 of a.eaf)")
    ]


def test_only_what_the_other_file_of_a_recording_does_not_have_is_added_and_contradictions_are_named(
    tmp_path: Path,
) -> None:
    record(tmp_path, "a.wav")
    begun = Tier("text", (Annotation(1.0, 2.5, "mbote"), Annotation(3.0, 4.0, " ")))
    other = Tier("text", (Annotation(1.2, 2.2, "mbo"), Annotation(3.0, 4.0, "na yo"), Annotation(4.0, 5.0, "eh")))
    write_elan(AnnotationFile((begun,)), tmp_path / "a.eaf")
    write_textgrid(AnnotationFile((other,)), tmp_path / "a.TextGrid")
    reading = read(tmp_path)
    assert [row.raw_text for row in reading.rows] == ["mbote", "na yo", "eh"]
    reasons = {skipped.place: skipped.reason for skipped in reading.skipped}
    assert (
        reasons["a.TextGrid, tier 'text' at 1.200 s"]
        == "stands in another file with another text, which was taken (a.eaf)"
    )


def test_files_of_one_name_that_are_of_different_recordings_are_no_copies(tmp_path: Path) -> None:
    record(tmp_path, "a.wav", "b.wav")
    write_elan(AnnotationFile((TEXT,), media=(MediaLink("", "./b.wav"),)), tmp_path / "a.eaf")
    write_textgrid(AnnotationFile((Tier("text", (Annotation(1.0, 2.4, "eh"),)),)), tmp_path / "a.TextGrid")
    assert {(row.audio_path, row.raw_text) for row in read(tmp_path).rows} == {
        ("b.wav", "mbote"),
        ("b.wav", "na yo"),
        ("a.wav", "eh"),
    }


def test_a_file_of_several_recordings_gives_each_its_own_utterances(tmp_path: Path) -> None:
    record(tmp_path, "audio/day1.wav", "audio/day2.wav")
    records = "".join(f"\\ref {day}\n\\tx on day {day}\n\\aud day{day}.wav 1 2\n" for day in (1, 2, 3))
    (tmp_path / "stories.sfm").write_text(records, encoding="utf-8")
    reading = read(tmp_path)
    assert [(row.audio_path, row.raw_text, row.utterance_id) for row in reading.rows] == [
        ("audio/day1.wav", "on day 1", "stories/day1/tx/00001000-00002000"),
        ("audio/day2.wav", "on day 2", "stories/day2/tx/00001000-00002000"),
    ]
    assert [(one.place, one.reason) for one in reading.skipped] == [("stories.sfm", "has no recording (day3.wav)")]


def test_a_text_without_times_is_listed_in_one_sentence(tmp_path: Path) -> None:
    record(tmp_path, "a.wav")
    write_elan(AnnotationFile((TEXT,)), tmp_path / "a.eaf")
    (tmp_path / "b.sfm").write_text("\\ref 1\n\\tx mbote\n", encoding="utf-8")
    reading = read(tmp_path)
    assert [one.place for one in reading.skipped] == ["b.sfm"]
    assert "has no times: none of its 1 records" in reading.skipped[0].reason


# ---- one speaker a channel


def test_an_interview_is_heard_on_the_channel_of_each_speaker_or_tier(tmp_path: Path) -> None:
    record(tmp_path, "a.wav")
    other = Tier("answers", (Annotation(5.0, 6.0, "eh"),), participant="Ben")
    third = Tier("asides", (Annotation(7.0, 8.0, "hm"),))
    write_elan(AnnotationFile((TEXT, other, third)), tmp_path / "a.eaf")
    rows = read(tmp_path, tiers=("*",), channels={"Ana": 0, "answers": 1}).rows
    assert {(row.speaker, row.channel) for row in rows} == {("Ana", 0), ("Ben", 1), ("", None)}


def test_speakers_of_a_table_have_channels_too_unless_a_column_says_them(tmp_path: Path) -> None:
    record(tmp_path, "a.wav", "b.wav")
    (tmp_path / "t.csv").write_text("audio,text,speaker,channel\na.wav,x,Ana,\nb.wav,y,Ana,0\n", encoding="utf-8")
    rows = read_corpus(tmp_path, ReaderSettings(reader="table", channels={"Ana": 1})).rows
    assert [row.channel for row in rows] == [1, 0]


def test_a_channel_for_nobody_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    record(tmp_path, "a.wav")
    write_elan(AnnotationFile((TEXT,)), tmp_path / "a.eaf")
    with pytest.raises(CorpusError, match="names 'Anna', and no speaker is called so") as refused:
        read(tmp_path, channels={"Anna": 0})
    assert refused.value.hint == "The speakers are Ana."
