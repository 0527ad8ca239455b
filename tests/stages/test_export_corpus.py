"""A project's corpus goes out in another layout, and prepares to the same corpus again."""

from pathlib import Path

import pytest
from tone_corpus import write_project
from typer.testing import CliRunner

from lowres.audio.shards import ShardReader
from lowres.cli.app import app
from lowres.corpora.writing import CorpusLayout
from lowres.errors import CorpusError
from lowres.manifest.corpus import PreparedCorpus, load_corpus
from lowres.recipe import parse_recipe
from lowres.stages.export_corpus import export_corpus
from lowres.stages.prepare import PrepareOptions, prepare


def utterances(corpus: PreparedCorpus) -> dict[str, tuple[object, ...]]:
    shards = ShardReader(corpus.folder)
    return {
        row.utterance_id: (
            row.split, row.speaker, row.raw_text, row.text, row.num_samples,
            shards.read(row.shard, row.offset_samples, row.num_samples).tobytes(),
        )
        for row in corpus.table.itertuples()
    }  # fmt: skip


@pytest.mark.parametrize("layout", ["kaldi", "lhotse", "common_voice", "audio_folder"])
def test_an_exported_corpus_prepares_to_the_same_corpus(tmp_path: Path, layout: CorpusLayout) -> None:
    project = write_project(tmp_path / "project", num_train=6)
    written = export_corpus(project, tmp_path / "out", layout)
    assert written.utterances_per_split == {"train": 6, "dev": 4, "test": 4}
    recipe = parse_recipe(f'[corpus]\nfolder = "{written.folder.as_posix()}"\n[corpus.reader]\nreader = "{layout}"')
    again = prepare(tmp_path / "again", recipe, PrepareOptions(num_workers=1), lambda step, done, total: None)
    assert utterances(again.corpus) == utterances(load_corpus(project / "corpus"))


@pytest.mark.parametrize("layout", ["elan", "textgrid"])
def test_a_corpus_with_its_annotations_beside_it_prepares_to_the_same_speech(
    tmp_path: Path, layout: CorpusLayout
) -> None:
    project = write_project(tmp_path / "project", num_train=6)
    written = export_corpus(project, tmp_path / "out", layout)
    recipe = parse_recipe(f'[corpus]\nfolder = "{written.folder.as_posix()}"\n[corpus.reader]\nreader = "annotated"')
    again = prepare(tmp_path / "again", recipe, PrepareOptions(num_workers=1), lambda step, done, total: None)
    found, wanted = (sorted(utterances(corpus).values()) for corpus in (again.corpus, load_corpus(project / "corpus")))
    assert [one[:4] for one in found] == [one[:4] for one in wanted]
    for (*_, length, sound), (*_, true_length, true_sound) in zip(found, wanted, strict=True):
        assert 0 <= true_length - length <= 8  # half a millisecond
        assert sound == true_sound[: 2 * length]


def test_nothing_is_written_into_the_folder_of_the_recordings_that_would_read_it_twice(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", num_train=6)
    with (project / "lowres.toml").open("a", encoding="utf-8") as file:
        file.write('\n[corpus]\nfolder = "."\n')
    with pytest.raises(CorpusError, match="is in the folder of the recordings") as caught:
        export_corpus(project, project / "elan", "elan")
    assert "outside" in caught.value.hint
    assert not (project / "elan").exists()
    assert export_corpus(project, tmp_path / "elan", "elan").folder == tmp_path / "elan"


def test_a_project_without_a_prepared_corpus_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="There is no prepared corpus") as caught:
        export_corpus(tmp_path, tmp_path / "out", "kaldi")
    assert "lowres prepare" in caught.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("to", ["kaldi", "lhotse", "common_voice", "audio_folder", "elan", "textgrid"])
def test_the_command_writes_the_corpus(tmp_path: Path, to: str) -> None:
    project = write_project(tmp_path / "project")
    result = CliRunner().invoke(app, ["export", "corpus", str(tmp_path / "out"), "--to", to, "--project", str(project)])
    assert result.exit_code == 0, result.output
    assert "24 train" in result.output
    assert any((tmp_path / "out").iterdir())


def test_the_command_tells_a_run_from_the_corpus(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project")
    for source, to in (("some-run", "kaldi"), ("corpus", "onnx")):
        result = CliRunner().invoke(
            app, ["export", source, str(tmp_path / "out"), "--to", to, "--project", str(project)]
        )
        assert result.exit_code == 2
        assert "corpus" in result.output
