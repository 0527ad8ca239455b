"""Pseudo-labels on disk, and which of them are kept."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tone_corpus import write_project

from lowres.errors import CheckpointError
from lowres.stages.finetune_labelling import keep_surest
from lowres.stages.finetune_pseudo_labels import (
    PSEUDO_LABELS_FILE,
    LabelledPiece,
    Use,
    read_pseudo_labels,
    self_train_folder,
    write_pseudo_labels,
)


def piece(confidence: float, use: Use = "less sure", text: str = "ab") -> LabelledPiece:
    return LabelledPiece("tape", 160_000, 320_000, "part-00000.pcm", 480_000, text, confidence, use)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project; its own corpus stands for the recordings called "radio"."""
    project = write_project(tmp_path / "project", num_train=1)
    target = self_train_folder(project, "radio")
    target.parent.mkdir(parents=True)
    (project / "corpus").rename(target)
    return project


def test_the_surest_share_is_kept_and_of_equals_the_first() -> None:
    pieces = [piece(0.5), piece(0.9), piece(0.7), piece(0.7), piece(0.2)]
    assert [one.use for one in keep_surest(pieces, 0.4)] == ["less sure", "kept", "kept", "less sure", "less sure"]
    assert all(one.use == "kept" for one in keep_surest(pieces, 1.0))


def test_a_share_of_55_percent_of_100_is_55() -> None:
    kept = [one for one in keep_surest([piece(0.5)] * 100, 0.55) if one.use == "kept"]
    assert len(kept) == 55


def test_at_least_one_piece_is_kept() -> None:
    assert [one.use for one in keep_surest([piece(0.5)], 0.01)] == ["kept"]


def test_pieces_without_text_are_never_kept_and_do_not_count() -> None:
    pieces = [piece(0.0, "nothing heard", ""), piece(0.99, "too short"), piece(0.4), piece(0.3)]
    assert [one.use for one in keep_surest(pieces, 0.5)] == ["nothing heard", "too short", "kept", "less sure"]


@pytest.mark.parametrize("text", ["NA", "null", '="a"', "ɛ́ ŋ“", 'a\t"b"', "1e5", "[bold]"])
def test_text_is_text(project: Path, text: str) -> None:
    written = (piece(0.75, "kept", text), piece(0.25, "less sure", text), piece(0.0, "nothing heard", ""))
    run = project / "runs" / "student"
    write_pseudo_labels(run, written, corpus="radio", teacher="teacher")
    found = read_pseudo_labels(project, run)
    assert found is not None
    assert found.pieces == written
    assert (found.kept, found.teacher) == (written[:1], "teacher")
    assert found.hours == pytest.approx(20 / 3600)


def test_a_folder_without_the_file_has_no_pseudo_labels(project: Path) -> None:
    assert read_pseudo_labels(project, project) is None


def test_the_hash_changes_with_any_text_and_with_the_sound(project: Path) -> None:
    run = project / "runs" / "student"

    def hash_now(*pieces: LabelledPiece) -> str:
        write_pseudo_labels(run, pieces, corpus="radio", teacher="teacher")
        found = read_pseudo_labels(project, run)
        assert found is not None
        return found.sha256

    first = hash_now(piece(0.75, "kept"))
    assert hash_now(piece(0.75, "kept")) == first
    assert hash_now(replace(piece(0.75, "kept"), text="ad")) != first
    corpus = self_train_folder(project, "radio") / "corpus.json"
    found = json.loads(corpus.read_text(encoding="utf-8")) | {"shard_sha256": {"part-00000.pcm": "0" * 64}}
    corpus.write_text(json.dumps(found), encoding="utf-8")
    assert hash_now(piece(0.75, "kept")) != first


@pytest.mark.parametrize("content", ["", "recording\ttext\nx\ty\n", "\x00", 'text\n"un'])
def test_a_damaged_file_is_refused(project: Path, content: str) -> None:
    (project / PSEUDO_LABELS_FILE).write_text(content, encoding="utf-8")
    with pytest.raises(CheckpointError, match=f"{PSEUDO_LABELS_FILE} is damaged"):
        read_pseudo_labels(project, project)


def test_recordings_that_are_gone_are_named(project: Path) -> None:
    write_pseudo_labels(project, [piece(0.5, "kept")], corpus="elsewhere", teacher="teacher")
    with pytest.raises(CheckpointError, match="no longer prepared"):
        read_pseudo_labels(project, project)
