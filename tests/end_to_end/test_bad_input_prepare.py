"""What users give `lowres prepare` by accident: one sentence with what and where, a remedy, status 2, no loss."""

import errno
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from lowres.audio.shards import ShardWriter
from lowres.cli.app import app

WORDS = ("mbote", "na", "yo", "ndeko", "déjà", "tata", "mama")


@dataclass(frozen=True)
class Outcome:
    """What the command left behind."""

    status: int
    output: str
    error: str


class Project:
    """A project folder with a recipe beside a corpus folder of recordings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.recordings = folder / "recordings"
        self.recordings.mkdir(parents=True)
        self.use("paired_files")

    def use(self, reader: str, **settings: str) -> None:
        lines = "".join(f'{key} = "{value}"\n' for key, value in settings.items())
        (self.folder / "lowres.toml").write_text(
            f'name = "tiny"\n[corpus]\nfolder = "recordings"\n[corpus.reader]\nreader = "{reader}"\n{lines}',
            encoding="utf-8",
        )

    def record(self, name: str, text: str | None = None) -> Path:
        """Write a recording of noise as long as its transcript asks for."""
        path = self.recordings / name
        path.parent.mkdir(parents=True, exist_ok=True)
        seconds = 0.3 + 0.1 * len(text or "a few words")
        noise = 0.1 * np.random.default_rng(len(name)).standard_normal(int(16_000 * seconds))
        soundfile.write(path, noise, 16_000)
        if text is not None:
            path.with_suffix(".txt").write_text(text, encoding="utf-8")
        return path

    def record_many(self, number: int = 12) -> None:
        for n in range(number):
            self.record(f"u{n:02d}.wav", " ".join(WORDS[(n + k) % 7] for k in range(1 + n % 4)))

    def write_table(self, contents: bytes, name: str = "t.csv") -> None:
        (self.recordings / name).write_bytes(contents)

    def prepare(self, *options: str) -> Outcome:
        result = CliRunner().invoke(
            app, ["prepare", "--project", str(self.folder), "--workers", "1", *options], catch_exceptions=True
        )
        if result.exit_code == 1 and result.exception is not None:
            raise result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr)

    @property
    def checks(self) -> str:
        return (self.folder / "corpus" / "checks.tsv").read_text(encoding="utf-8-sig")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def assert_refused(outcome: Outcome, *said: str) -> None:
    lines = outcome.error.strip().splitlines()
    assert outcome.status == 2
    assert [line.partition(":")[0] for line in lines] in (["error", "hint"], ["error"])
    for what in said:
        assert what in outcome.error
    assert "Traceback" not in outcome.error


def assert_left_out(project: Project, outcome: Outcome, utterance: str, reason: str) -> None:
    """Assert that one of twelve utterances was left out by name and the others were prepared."""
    assert outcome.status == 0, outcome.error
    assert f"unreadable\tdrop\t{utterance}\t" in project.checks
    assert reason in project.checks
    assert "tiny: 11 utterances" in outcome.output


def test_a_missing_file_is_named_and_the_rest_prepared(project: Project) -> None:
    project.use("table")
    project.record("a.wav")
    project.record("b.wav")
    project.write_table(b"file,text\na.wav,mbote\nb.wav,na yo\ngone.wav,tata\n")
    outcome = project.prepare()
    assert outcome.status == 0
    assert "skipped\tdrop\tt.csv line 4\tthere is no recording gone.wav\n" in project.checks
    assert "t.csv line 4: there is no recording gone.wav" in " ".join(outcome.output.split())


def test_a_zero_byte_wav_is_left_out_by_name(project: Project) -> None:
    project.record_many()
    (project.recordings / "u03.wav").write_bytes(b"")
    assert_left_out(project, project.prepare(), "u03", "u03.wav is empty (0 bytes).")


def test_a_truncated_mp3_is_left_out_by_name(project: Project) -> None:
    project.record_many()
    (project.recordings / "u03.wav").unlink()
    path = project.recordings / "u03.mp3"
    soundfile.write(path, 0.1 * np.random.default_rng(1).standard_normal(44_100 * 3), 44_100)
    contents = path.read_bytes()
    path.write_bytes(contents[: len(contents) // 2])
    assert_left_out(project, project.prepare(), "u03", "u03.mp3 is cut short: its header announces 3.")


def test_a_text_file_named_wav_is_left_out_by_name(project: Project) -> None:
    project.record_many()
    (project.recordings / "u03.wav").write_text("Mbote na yo.")
    assert_left_out(project, project.prepare(), "u03", "u03.wav is a text file, not sound.")


def test_one_bad_recording_alone_is_an_error(project: Project) -> None:
    project.record("a.wav", "mbote")
    (project.recordings / "a.wav").write_bytes(b"")
    assert_refused(project.prepare(), "The only utterance cannot be used", "a.wav is empty (0 bytes)")
    assert not (project.folder / "corpus").exists()


def test_eight_channels_of_96_khz_floats_are_prepared(project: Project) -> None:
    project.record("a.wav", "mbote na yo")
    noise = 0.1 * np.random.default_rng(1).standard_normal((96_000 * 2, 8))
    soundfile.write(project.recordings / "a.wav", noise, 96_000, subtype="FLOAT")
    assert project.prepare().status == 0
    manifest = (project.folder / "corpus" / "manifest.tsv").read_text(encoding="utf-8-sig").splitlines()
    assert dict(zip(*(line.split("\t") for line in manifest), strict=True))["num_samples"] == "32000"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_tables_in_other_encodings_are_read_and_a_guess_is_said(project: Project, encoding: str) -> None:
    project.use("table")
    project.record("a.wav")
    project.record("b.wav")
    project.write_table("file,text\r\na.wav,déjà là\r\nb.wav,où êtes-vous\r\n".encode(encoding))
    outcome = project.prepare()
    assert outcome.status == 0, outcome.error
    assert "\tdéjà là\t" in (project.folder / "corpus" / "manifest.tsv").read_text(encoding="utf-8-sig")
    assert ("read as Windows-1252" in outcome.error) == (encoding == "cp1252")


def test_wrong_column_names_are_listed_with_the_key_to_set(project: Project) -> None:
    project.use("table")
    project.record("a.wav")
    project.write_table(b"fichier,phrase_mdw\na.wav,mbote\n")
    assert_refused(
        project.prepare(), "t.csv", "its columns are 'fichier', 'phrase_mdw'", 'corpus.reader.columns.audio = "NAME"'
    )


def test_duplicate_ids_are_refused_with_both_lines(project: Project) -> None:
    project.use("table")
    project.record("a.wav")
    project.write_table(b"id,file,text\nu1,a.wav,mbote\nu1,a.wav,tata\n")
    assert_refused(project.prepare(), "'u1' is listed twice: t.csv line 2 and t.csv line 3")


def test_kaldi_pipes_are_refused_and_never_run(project: Project) -> None:
    project.use("kaldi")
    data = project.recordings / "data" / "train"
    data.mkdir(parents=True)
    (data / "wav.scp").write_text(f"u1 touch {project.folder}/owned; cat x.wav |\n")
    (data / "text").write_text("u1 mbote\n")
    assert_refused(project.prepare(), "data/train/wav.scp line 1 is a shell command", "never runs commands")
    assert not (project.folder / "owned").exists()


def test_paths_that_climb_out_are_refused(project: Project) -> None:
    project.use("table")
    soundfile.write(project.folder / "secret.wav", np.zeros(16_000), 16_000)
    project.write_table(b"file,text\n../secret.wav,mbote\n")
    assert_refused(project.prepare(), "t.csv line 2: the path '../secret.wav' leads out of the corpus folder")


def test_links_that_lead_out_are_refused(project: Project) -> None:
    soundfile.write(project.folder / "secret.wav", np.zeros(16_000), 16_000)
    project.record("a.wav", "mbote")
    (project.recordings / "a.wav").unlink()
    (project.recordings / "a.wav").symlink_to(project.folder / "secret.wav")
    assert_refused(project.prepare(), "'a.wav' leads out of the corpus folder")


def test_an_empty_corpus_is_an_error(project: Project) -> None:
    assert_refused(project.prepare(), "There is no recording in", "recordings")


def test_a_table_with_no_rows_is_an_error(project: Project) -> None:
    project.use("table")
    project.write_table(b"file,text\n")
    assert_refused(project.prepare(), "holds no utterance")


def test_a_missing_corpus_folder_is_an_error(project: Project) -> None:
    project.recordings.rmdir()
    assert_refused(project.prepare(), "There is no corpus folder", "corpus.folder")


def test_one_utterance_is_prepared_with_a_warning(project: Project) -> None:
    project.record("a.wav", "mbote na yo")
    outcome = project.prepare()
    assert outcome.status == 0, outcome.error
    assert "tiny: 1 utterance, 0.00 h, from 1 recording in" in outcome.output
    assert "warning:" in outcome.error


def test_a_full_disk_loses_nothing_written_before(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.record_many()
    assert project.prepare().status == 0
    before = {path: path.read_bytes() for path in (project.folder / "corpus").rglob("*") if path.is_file()}
    project.record_many(14)

    def refuse(self: ShardWriter, samples: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(self.path))

    monkeypatch.setattr(ShardWriter, "append", refuse)
    assert_refused(project.prepare(), "is full", "Free some space")
    assert {path: path.read_bytes() for path in (project.folder / "corpus").rglob("*") if path.is_file()} == before


def test_transcripts_are_never_read_as_markup(project: Project) -> None:
    project.record("a.wav", "[bold]mbote[/bold] [/] [link=file:///etc/passwd]x")
    project.record("b.wav", "[red]na yo")
    outcome = project.prepare("--set", 'text.rules=["nfc"]')
    assert outcome.status == 0, outcome.error
    assert "[bold]mbote[/bold]" in outcome.output


def test_a_public_corpus_that_is_not_here_says_what_to_put_where(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOWRES_CORPORA", str(tmp_path))
    assert_refused(project.prepare("--recipe", "yoruba"), "is not on this machine", str(tmp_path / "yoruba"))


def test_a_corpora_variable_that_names_no_folder_is_said(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOWRES_CORPORA", "/nowhere/at/all")
    assert_refused(project.prepare("--recipe", "mboshi"), "LOWRES_CORPORA names /nowhere/at/all")
