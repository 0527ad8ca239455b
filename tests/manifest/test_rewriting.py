"""A corpus is rewritten as a whole: whoever loads it at any moment, or after a crash, finds one that fits together."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tone_corpus import write_project

from lowres.errors import CorpusError
from lowres.manifest.corpus import load_corpus, rewrite_corpus
from lowres.manifest.writing_alone import writing_alone


def test_another_table_takes_the_place_and_what_splits_share_is_counted_anew(tmp_path: Path) -> None:
    corpus = load_corpus(write_project(tmp_path, num_train=3) / "corpus")
    text = corpus.table["text"].mask(corpus.table["split"] == "train", corpus.rows("test")["text"].iloc[0])
    rewritten = rewrite_corpus(corpus, corpus.table.assign(text=text))
    loaded = load_corpus(corpus.folder)
    assert loaded.info == rewritten.info
    assert loaded.table["text"].tolist() == text.tolist()
    assert loaded.info.manifest_sha256 != corpus.info.manifest_sha256
    assert any(pair.num_shared_sentences for pair in loaded.info.overlap.pairs)
    assert not loaded.info.sentence_disjoint
    assert sorted(path.name for path in corpus.folder.iterdir()) == ["corpus.json", "manifest.tsv", "shards"]


@pytest.mark.parametrize("num_renamed", [0, 1])
def test_a_machine_that_stops_in_between_leaves_the_old_corpus_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_renamed: int
) -> None:
    corpus = load_corpus(write_project(tmp_path, num_train=3) / "corpus")
    renamed: list[Path] = []
    original = Path.replace

    def stop(self: Path, target: Path) -> Path:
        if self.parent.name == ".next" and not self.name.endswith(".partial"):
            if len(renamed) == num_renamed:
                raise KeyboardInterrupt
            renamed.append(self)
        return original(self, target)

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        rewrite_corpus(corpus, corpus.table.assign(raw_text="new"))
    monkeypatch.undo()
    loaded = load_corpus(corpus.folder)
    assert set(loaded.table["raw_text"]) == ({"new"} if num_renamed else set(corpus.table["raw_text"]))
    rewrite_corpus(loaded, loaded.table.assign(raw_text="newer"))
    assert set(load_corpus(corpus.folder).table["raw_text"]) == {"newer"}


def test_whoever_loads_while_it_is_rewritten_gets_a_whole_one(tmp_path: Path) -> None:
    folder = write_project(tmp_path, num_train=3) / "corpus"
    is_over = threading.Event()

    def rewrite() -> None:
        for number in range(15):
            corpus = load_corpus(folder)
            rewrite_corpus(corpus, corpus.table.assign(raw_text=f"version {number}"))
        is_over.set()

    writer = threading.Thread(target=rewrite)
    writer.start()
    num_loaded = 0
    while not is_over.is_set():
        assert load_corpus(folder).table["raw_text"].nunique() in (1, 11)
        num_loaded += 1
    writer.join()
    assert num_loaded > 2


def test_a_manifest_that_was_edited_is_still_refused(tmp_path: Path) -> None:
    corpus = load_corpus(write_project(tmp_path, num_train=3) / "corpus")
    rewrite_corpus(corpus, corpus.table.assign(raw_text="new"))
    manifest = corpus.folder / "manifest.tsv"
    manifest.write_text(manifest.read_text("utf-8").replace("new", "edited", 1), encoding="utf-8")
    with pytest.raises(CorpusError, match="was changed after"):
        load_corpus(corpus.folder)


def test_another_program_waits_for_its_turn_and_then_says_so(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from lowres.manifest.writing_alone import writing_alone\n"
        "with writing_alone(Path(sys.argv[1]), patience_seconds=5): print('mine', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"mine\n"
        with pytest.raises(CorpusError, match="Another lowres"), writing_alone(tmp_path, patience_seconds=0.1):
            pass
        other.kill()
        other.wait()
        # A program that dies lets go of it.
        with writing_alone(tmp_path, patience_seconds=5):
            pass
