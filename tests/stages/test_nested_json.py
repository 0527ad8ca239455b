"""JSON nested too deeply to be read, in the files that lowres wrote itself: a sentence, or as if there were none."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lowres.audio.parts import index_path, read_part
from lowres.decoding.stored_models import DESCRIPTION_FILE, LANGUAGE_MODEL_FOLDER, read_description
from lowres.errors import LowresError
from lowres.manifest.corpus import CORPUS_FILE, read_corpus_json
from lowres.report.run_log import read_run_log
from lowres.report.writing import DATA_FILE
from lowres.stages.compare_reports import read_figures
from lowres.stages.prepare_origin import ORIGIN_FILE, read_origin
from lowres.stages.run_folder import METRICS_FILE, RUN_FILE, RunFolder, read_record_data
from lowres.stages.transcribe_files import RECORD_FILE, read_record
from lowres.text.vocabulary import VOCABULARY_FILE, Vocabulary, VocabularySettings, build_vocabulary
from lowres.training.latents import open_latents
from lowres.training.monitors import MetricsFile

NESTED = "[" * 100_000


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(NESTED)
    return path


REFUSED: dict[str, Callable[[Path], object]] = {
    CORPUS_FILE: read_corpus_json,
    VOCABULARY_FILE: Vocabulary.load,
    DATA_FILE: read_figures,
    RECORD_FILE: read_record,
    RUN_FILE: lambda folder: read_record_data(RunFolder(folder), (), 1, {}),
    f"{LANGUAGE_MODEL_FOLDER}/{DESCRIPTION_FILE}": lambda folder: read_description(
        folder, build_vocabulary(["a b"], VocabularySettings())
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_needed_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name)

    with pytest.raises(LowresError, match=path.name) as refused:
        REFUSED[name](tmp_path)

    assert refused.value.hint


def test_a_run_whose_record_is_nested_has_no_log(tmp_path: Path) -> None:
    write(tmp_path / RUN_FILE)

    with pytest.raises(LowresError, match=RUN_FILE):
        read_run_log(tmp_path)


def test_a_file_that_can_be_made_again_counts_as_missing(tmp_path: Path) -> None:
    write(tmp_path / ORIGIN_FILE)
    write(tmp_path / "index.json")
    shard = tmp_path / "part.bin"
    write(index_path(shard))

    assert read_origin(tmp_path) == ""
    assert open_latents(tmp_path, "identity") is None
    assert read_part(shard) is None


def test_events_before_a_nested_line_are_kept(tmp_path: Path) -> None:
    path = tmp_path / METRICS_FILE
    path.write_text('{"event": "step"}\n' + NESTED + "\n")

    assert MetricsFile(path).read() == [{"event": "step"}]
