"""Files are found whatever the spelling of their names, and never outside the corpus folder."""

import unicodedata
from pathlib import Path

import pytest

from lowres.corpora.files import CorpusFiles, mark_machine_made, mark_uploads, walk_files
from lowres.errors import CorpusError


@pytest.mark.parametrize(
    "name",
    ["../secret.wav", "audio/../../secret.wav", "/etc/passwd", "C:\\secret.wav", "\\\\server\\x.wav", "..\\secret.wav"],
)
def test_a_path_that_climbs_out_is_refused(write, tmp_path: Path, name: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "secret.wav").write_bytes(b"x")
    with pytest.raises(CorpusError, match=r"t\.csv line 4: the path .* leads out of the corpus folder"):
        CorpusFiles(write()).find(name, "t.csv line 4")


def test_a_link_that_leads_out_is_refused(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "secret.wav").write_bytes(b"x")
    folder = write("audio/a.wav")
    (folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    with pytest.raises(CorpusError, match="leads out"):
        CorpusFiles(folder).find("link.wav", "here")


def test_a_folder_that_is_a_link_leading_out_is_refused(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.wav").write_bytes(b"x")
    folder = write()
    (folder / "audio").symlink_to(tmp_path / "outside")
    with pytest.raises(CorpusError, match="leads out"):
        CorpusFiles(folder).find("audio/a.wav", "here")


def test_a_link_inside_the_corpus_is_followed(write) -> None:  # type: ignore[no-untyped-def]
    folder = write("audio/a.wav")
    (folder / "b.wav").symlink_to(folder / "audio" / "a.wav")
    assert CorpusFiles(folder).find("b.wav", "here") == "b.wav"


def test_a_corpus_folder_that_is_a_link_itself_is_used(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    folder = write("audio/a.wav")
    (tmp_path / "link").symlink_to(folder)
    assert CorpusFiles(tmp_path / "link").find("audio/a.wav", "here") == "audio/a.wav"


@pytest.mark.parametrize(
    "name",
    [
        "audio/Élo 1.WAV",
        "audio\\Élo 1.WAV",
        "audio/élo 1.wav",
        "audio/Élo 1",
        unicodedata.normalize("NFD", "audio/Élo 1.WAV"),
    ],
)
def test_a_name_spelled_another_way_finds_its_file(write, name: str) -> None:  # type: ignore[no-untyped-def]
    assert CorpusFiles(write("audio/Élo 1.WAV")).find(name, "here") == "audio/Élo 1.WAV"


def test_a_bare_name_finds_its_file_in_a_folder_below(write) -> None:  # type: ignore[no-untyped-def]
    assert CorpusFiles(write("audio/22/7/22_7_1.flac")).find("22_7_1", "here") == "audio/22/7/22_7_1.flac"


def test_a_name_that_two_files_fit_finds_neither(write) -> None:  # type: ignore[no-untyped-def]
    write("a/x.wav")
    assert CorpusFiles(write("b/x.wav")).find("x.wav", "here") is None


@pytest.mark.parametrize(
    ("name", "found"),
    [
        # Ana's folder is here, and this recording of hers is not.
        ("ana/001.wav", None),
        ("Ana\\001.wav", None),
        ("disk/ana/001", None),
        ("ana/day1/001.wav", None),
        ("ana/wav/001.wav", None),
        # Ana's recordings were sorted by day after the table was written.
        ("ana/003.wav", "ana/day1/003.wav"),
        # Tables of another machine: folders that are not here say nothing, and those that are tell namesakes apart.
        ("disk/001.wav", "ben/day1/001.wav"),
        ("disk/002.wav", None),
        ("disk/ana/002.wav", "ana/day1/002.wav"),
        ("disk/day2/002", "ben/day2/002.wav"),
        ("day1/001.wav", "ben/day1/001.wav"),
        ("disk/ben/wav/002.wav", "ben/day2/002.wav"),
    ],
)
@pytest.mark.parametrize("base", ["", "audio"])
def test_a_namesake_in_a_folder_that_the_name_speaks_against_is_not_found(  # type: ignore[no-untyped-def]
    write, name: str, found: str | None, base: str
) -> None:
    prefix = f"{base}/" if base else ""
    for one in ("ana/day1/002.wav", "ana/day1/003.wav", "ben/day1/001.wav", "ben/day2/002.wav"):
        folder = write(prefix + one)
    assert CorpusFiles(folder, base).find(name, "here") == (prefix + found if found else None)


def test_a_recording_that_has_a_name_of_its_own_is_not_found_under_another_folder_s(  # type: ignore[no-untyped-def]
    write,
) -> None:
    folder = write("ben/001.wav")
    names = ["ana/001.wav", "../outside.wav", "ben/001.wav"]
    assert CorpusFiles(folder).find(names[0], "here") == "ben/001.wav"
    assert CorpusFiles(folder, named=names).find(names[0], "here") is None


def test_paths_start_from_the_base(write) -> None:  # type: ignore[no-untyped-def]
    assert CorpusFiles(write("audio/a.wav"), "audio").find("a.wav", "here") == "audio/a.wav"


def test_hidden_files_and_mac_resource_forks_are_no_part_of_a_corpus(write) -> None:  # type: ignore[no-untyped-def]
    for name in ("a.wav", "._a.wav", ".cache/b.wav", "__MACOSX/c.wav"):
        folder = write(name)
    assert list(walk_files(folder, "", [".wav"])) == ["a.wav"]


def test_what_lowres_heard_is_not_read_as_a_corpus_from_above(tmp_path: Path) -> None:
    (tmp_path / "rec").mkdir()
    for name in ("rec/a.eaf", "transcripts/run/deeper/a.eaf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    assert len(list(walk_files(tmp_path, "", [".eaf"]))) == 2
    mark_machine_made(tmp_path / "transcripts" / "run")
    assert list(walk_files(tmp_path, "", [".eaf"])) == ["rec/a.eaf"]
    # Who names that very folder as a corpus means it.
    assert list(walk_files(tmp_path / "transcripts" / "run", "", [".eaf"])) == ["deeper/a.eaf"]


def test_recordings_beside_what_lowres_heard_are_found_from_above(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """A linguist may have the transcripts written beside the recordings."""
    for name in (
        "2022/a.wav",
        "2022/a.txt",
        "2023/b.wav",
        "2023/b.TXT",
        "2023/b.lab",
        "2023/deep/c.wav",
        "2024/d.txt",
    ):
        folder = write(name)
    mark_machine_made(folder / "2023")
    found = list(walk_files(folder, "", [".wav"]))
    assert found == ["2022/a.wav", "2023/b.wav", "2023/deep/c.wav"]
    assert list(walk_files(folder, "", [".txt", ".lab"])) == ["2022/a.txt", "2023/b.lab", "2024/d.txt"]
    assert CorpusFiles(folder).find("c.wav", "here") == "2023/deep/c.wav"


def test_what_was_dropped_into_the_studio_is_no_part_of_a_corpus(write) -> None:  # type: ignore[no-untyped-def]
    for name in ("a.wav", "studio/1/b.wav", "studio/1/b.txt"):
        folder = write(name)
    mark_uploads(folder / "studio")
    assert list(walk_files(folder, "", [".wav", ".txt"])) == ["a.wav"]
