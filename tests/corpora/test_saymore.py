"""SayMore's sessions: the transcribed stretches, who speaks in them, and nothing that SayMore made itself."""

from collections.abc import Callable
from pathlib import Path

from lowres.annotation.elan_writing import write_elan
from lowres.annotation.tiers import Annotation, AnnotationFile, MediaLink, Tier
from lowres.corpora.layouts import ReaderSettings, read_corpus
from lowres.corpora.reading import CorpusReading

Write = Callable[..., Path]

TEXT = Tier("Transcription", (Annotation(0.0, 1.5, "mbote"), Annotation(1.5, 3.0, "%ignore%")))
FREE = Tier("Phrase Free Translation", (Annotation(0.0, 1.5, "hello"),), parent="Transcription")


def session(write: Write, name: str = "Story1", contents: str = "", media: str = "story.wav") -> Path:
    """Write a session with one recording, its annotations and what SayMore itself made of it."""
    folder = write(f"Sessions/{name}/{media}")
    write(f"Sessions/{name}/{name}.session", f"<Session>{contents}</Session>")
    write(f"Sessions/{name}/{media}.oralAnnotations.wav")
    write(f"Sessions/{name}/{media}_Annotations/0_to_1.5_Careful.wav")
    eaf = folder / f"Sessions/{name}/{media}.annotations.eaf"
    write_elan(AnnotationFile((TEXT, FREE), (MediaLink(f"C:\\SayMore\\{media}"),)), eaf)
    return folder


def contributor(name: str, role: str = "speaker") -> str:
    return f"<contributor><name>{name}</name><role>{role}</role></contributor>"


def read(folder: Path, **settings: object) -> CorpusReading:
    return read_corpus(folder, ReaderSettings(reader="saymore", **settings))  # type: ignore[arg-type]


def test_a_session_becomes_its_transcribed_stretches(write: Write) -> None:
    reading = read(session(write))
    assert [(row.audio_path, row.start_seconds, row.end_seconds, row.raw_text) for row in reading.rows] == [
        ("Sessions/Story1/story.wav", 0.0, 1.5, "mbote")
    ]
    assert [one.reason for one in reading.skipped] == ["is marked in SayMore as to be ignored"]


def test_the_recording_is_found_where_the_link_is_gone(write: Write) -> None:
    for media, beside in (("a.wav", "a.wav.annotations.eaf"), ("b.m4a", "b.annotations.eaf")):
        folder = write(f"Sessions/S/{media}")
        write_elan(AnnotationFile((TEXT,)), folder / "Sessions/S" / beside)
    assert {row.audio_path for row in read(folder).rows} == {"Sessions/S/a.wav", "Sessions/S/b.m4a"}


def test_the_one_with_the_role_of_speaker_speaks(write: Write) -> None:
    people = contributor("Ana Moke") + contributor("Ben", "recorder")
    folder = session(write, contents=f'<contributions type="xml">{people}</contributions>')
    assert {row.speaker for row in read(folder).rows} == {"Ana Moke"}


def test_the_only_participant_speaks_where_nobody_has_a_role(write: Write) -> None:
    folder = session(write, contents='<participants type="string">Ana Moke; </participants>')
    assert {row.speaker for row in read(folder).rows} == {"Ana Moke"}


def test_a_person_with_a_code_is_called_by_it(write: Write) -> None:
    write("People/Ana Moke/Ana Moke.person", '<Person><code type="string">F1</code></Person>')
    folder = session(write, contents="<participants>Ana Moke</participants>")
    assert {row.speaker for row in read(folder).rows} == {"F1"}


def test_several_speakers_are_not_guessed_and_that_is_said(write: Write) -> None:
    folder = session(write, contents="<participants>Ana; Ben</participants>")
    reading = read(folder)
    assert {row.speaker for row in reading.rows} == {""}
    assert "1 session(s) have several speakers, such as Sessions/Story1" in reading.notes[-1]


def test_a_damaged_or_hostile_session_costs_only_the_speaker(write: Write) -> None:
    folder = session(write)
    bomb = '<!DOCTYPE Session [<!ENTITY a "x">]><Session><participants>&a;</participants></Session>'
    write("Sessions/Story1/Story1.session", bomb)
    reading = read(folder)
    assert [(row.speaker, row.raw_text) for row in reading.rows] == [("", "mbote")]
    assert any("declares a document type" in note for note in reading.notes)


def test_another_tier_is_read_where_the_recipe_names_it(write: Write) -> None:
    assert [row.raw_text for row in read(session(write), tiers=("Phrase*",)).rows] == ["hello"]
