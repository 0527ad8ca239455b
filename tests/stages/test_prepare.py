"""prepare keeps what it decoded, decodes nothing twice, and replaces a corpus only by a complete one."""

import errno
import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import soundfile

from lowres.audio import parts as parts_module
from lowres.audio.shards import ShardReader, ShardWriter
from lowres.errors import CorpusError, RecipeError
from lowres.manifest.corpus import load_corpus
from lowres.model.config import preset
from lowres.recipe import Recipe, parse_recipe
from lowres.stages import prepare_decode
from lowres.stages.finetune_speech import load_speech
from lowres.stages.prepare import PrepareOptions, PrepareResult, prepare
from lowres.stages.prepare_locate import locate_corpus
from lowres.text.vocabulary import VocabularySettings

WORDS = ("mbote", "na", "yo", "ndeko", "mokɔ́", "tata", "mama")


def write_corpus_folder(folder: Path, num_utterances: int = 30, seconds_per_word: float = 0.3) -> Path:
    """Write recordings of noise whose length follows their transcripts."""
    generator = np.random.default_rng(1)
    for number in range(num_utterances):
        words = [WORDS[(number * 3 + position) % len(WORDS)] for position in range(1 + number % 5)]
        split = ("train", "train", "dev", "test")[number % 4]
        path = folder / split / f"speaker{number % 3}_{number:03d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = 0.1 * generator.standard_normal(int(16_000 * (0.2 + seconds_per_word * len(words))))
        soundfile.write(path, noise, 16_000)
        path.with_suffix(".txt").write_text(" ".join(words).capitalize() + ".\n", encoding="utf-8")
    return folder


def recipe(folder: Path, extra: str = "") -> Recipe:
    return parse_recipe(
        f'name = "tiny"\n[corpus]\nfolder = "{folder.as_posix()}"\nlicence = "CC0"\n'
        f'[corpus.reader]\nspeaker_from = "file_name"\n'
        f'[text]\nrules = ["nfc", "lowercase", "strip_punctuation", "collapse_spaces"]\n{extra}'
    )


def run(project: Path, chosen: Recipe, num_workers: int = 1) -> PrepareResult:
    return prepare(project, chosen, PrepareOptions(num_workers=num_workers), lambda step, done, total: None)


def write_data_set(folder: Path) -> Path:
    """Write the small corpus as a Hugging Face data set of parquet files and return its folder."""
    recordings = write_corpus_folder(folder / "recordings")
    (folder / "set" / "data").mkdir(parents=True)
    for split in ("train", "dev", "test"):
        wavs = sorted((recordings / split).glob("*.wav"))
        texts = [path.with_suffix(".txt").read_text("utf-8") for path in wavs]
        audio = [{"bytes": path.read_bytes(), "path": path.name} for path in wavs]
        pyarrow.parquet.write_table(
            pyarrow.table({"audio": audio, "text": texts}),
            folder / "set" / "data" / f"{split}-00000-of-00001.parquet",
        )
    return folder / "set"


def data_set_recipe(folder: Path, name: str = "set") -> Recipe:
    return parse_recipe(
        f'name = "{name}"\n[corpus]\nfolder = "{folder.as_posix()}"\n[corpus.reader]\nreader = "hf_dataset"\n'
    )


def test_a_hugging_face_data_set_is_unpacked_into_the_project_and_prepared(tmp_path: Path) -> None:
    folder = write_data_set(tmp_path)
    run(tmp_path / "project", data_set_recipe(folder))
    splits = load_corpus(tmp_path / "project" / "corpus").table["split"].value_counts().to_dict()
    assert splits == {"train": 16, "dev": 7, "test": 7}
    assert sorted(path.name for path in folder.iterdir()) == ["data"]
    assert (tmp_path / "project" / "unpacked" / "set").is_dir()


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("../../x", "x"),
        ("/tmp/lowres-outside/x", "tmp_lowres-outside_x"),
        ("..", "corpus"),
        (".", "corpus"),
        ("a\\u0000b", "a_b"),
        ("Wolof, 2nd year", "Wolof, 2nd year"),
    ],
)
def test_a_data_set_is_unpacked_inside_the_project_whatever_the_recipe_s_name(
    tmp_path: Path, name: str, folder: str
) -> None:
    located = locate_corpus(tmp_path / "project", data_set_recipe(write_data_set(tmp_path), name), lambda *_: None)
    assert located.folder == tmp_path / "project" / "unpacked" / folder
    assert (located.folder / "train" / "metadata.csv").is_file()


def contents(folder: Path) -> dict[str, str]:
    """Return every file of a prepared corpus with its hash; the parts' indexes hold the files' times, so not those."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and (path.parent.name != "shards" or path.suffix == ".pcm")
    }


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_corpus_folder(tmp_path / "recordings")


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divide even a tiny corpus into several parts."""
    monkeypatch.setattr(prepare_decode, "_MOST_RECORDINGS_PER_PART", 7)


def test_a_prepared_corpus_loads_and_holds_the_recordings(tmp_path: Path, corpus: Path) -> None:
    run(tmp_path / "project", recipe(corpus))
    loaded = load_corpus(tmp_path / "project" / "corpus")
    assert loaded.info.utterances_per_split == {"train": 16, "dev": 7, "test": 7, "other": 0}
    assert loaded.info.licence == "CC0"
    row = loaded.table.set_index("utterance_id").loc["test/speaker0_003"]
    assert (row["speaker"], row["raw_text"], row["text"]) == ("speaker0", "Yo ndeko mokɔ́ tata.", "yo ndeko mokɔ́ tata")
    samples = ShardReader(loaded.folder).read(row["shard"], row["offset_samples"], row["num_samples"])
    original, _ = soundfile.read(corpus / row["audio_path"], dtype="int16")
    assert samples.tolist() == original.tolist()


def test_the_result_does_not_depend_on_the_number_of_workers(tmp_path: Path, corpus: Path, small_parts: None) -> None:
    run(tmp_path / "one", recipe(corpus), num_workers=1)
    run(tmp_path / "two", recipe(corpus), num_workers=2)
    assert contents(tmp_path / "one" / "corpus") == contents(tmp_path / "two" / "corpus")


def test_nothing_is_decoded_again_when_only_text_rules_change(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, recipe(corpus))
    monkeypatch.setattr(parts_module, "open_recording", None)
    changed = parse_recipe(recipe(corpus).to_toml(), ['text.rules=["nfc", "collapse_spaces"]'])
    result = run(tmp_path, changed)
    assert result.num_reused_parts == result.num_parts
    assert load_corpus(tmp_path / "corpus").table["text"][0].endswith(".")


def test_a_recording_that_changed_is_decoded_again(tmp_path: Path, corpus: Path) -> None:
    run(tmp_path, recipe(corpus))
    soundfile.write(corpus / "train" / "speaker0_000.wav", np.full(16_000, 0.25), 16_000)
    run(tmp_path, recipe(corpus))
    loaded = load_corpus(tmp_path / "corpus")
    row = loaded.table.set_index("utterance_id").loc["train/speaker0_000"]
    samples = ShardReader(loaded.folder).read(row["shard"], row["offset_samples"], row["num_samples"])
    assert set(samples.tolist()) == {8192}


def test_an_interrupted_run_is_gone_on_with(
    tmp_path: Path, corpus: Path, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, made = prepare_decode.make_part, []

    def make_two(shard, jobs):  # type: ignore[no-untyped-def]
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(shard)
        return original(shard, jobs)

    monkeypatch.setattr(prepare_decode, "make_part", make_two)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", recipe(corpus))
    assert not (tmp_path / "cut" / "corpus").exists()
    monkeypatch.setattr(prepare_decode, "make_part", original)
    result = run(tmp_path / "cut", recipe(corpus))
    run(tmp_path / "whole", recipe(corpus))
    assert result.num_reused_parts == 2
    assert contents(tmp_path / "cut" / "corpus") == contents(tmp_path / "whole" / "corpus")


def test_a_full_disk_is_one_sentence_and_loses_nothing(
    tmp_path: Path, corpus: Path, small_parts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, recipe(corpus))
    before = contents(tmp_path / "corpus")
    write_corpus_folder(corpus, 40, seconds_per_word=0.4)
    original, calls = ShardWriter.append, []

    def append(self, samples):  # type: ignore[no-untyped-def]
        calls.append(samples.size)
        if len(calls) > 20:
            raise OSError(errno.ENOSPC, "No space left on device", str(self.path))
        return original(self, samples)

    monkeypatch.setattr(ShardWriter, "append", append)
    with pytest.raises(CorpusError, match=r"is full; \d of \d parts of the audio are kept") as caught:
        run(tmp_path, recipe(corpus))
    assert "Free some space" in caught.value.hint
    assert contents(tmp_path / "corpus") == before
    assert not list(tmp_path.rglob("*.partial/**/.part*"))
    monkeypatch.setattr(ShardWriter, "append", original)
    assert run(tmp_path, recipe(corpus)).num_reused_parts >= 2


def test_a_run_killed_while_exchanging_corpora_gives_the_old_one_back(tmp_path: Path, corpus: Path) -> None:
    run(tmp_path, recipe(corpus))
    (tmp_path / "corpus").rename(tmp_path / "corpus.old")
    assert run(tmp_path, recipe(corpus)).num_reused_parts == 1
    assert not (tmp_path / "corpus.old").exists()
    assert not (tmp_path / "corpus.partial").exists()


def test_utterances_that_share_a_recording_share_its_samples(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    generator = np.random.default_rng(1)
    soundfile.write(folder / "long.wav", 0.1 * generator.standard_normal(16_000 * 40), 16_000)
    lines = [f"long.wav\t{'mbote ' * (1 + n % 3)}\t{n}\t{n + 1 + 0.4 * (n % 3)}" for n in range(0, 36, 2)]
    (folder / "t.tsv").write_text("file\ttext\tstart\tend\n" + "\n".join(lines), encoding="utf-8")
    chosen = parse_recipe(f'name = "t"\n[corpus]\nfolder = "{folder.as_posix()}"\n[corpus.reader]\nreader = "table"\n')
    result = run(tmp_path, chosen)
    assert result.num_recordings == 1
    assert len(result.corpus.table) == 18
    assert result.corpus.table["duration_seconds"].sum() == pytest.approx(18 * 1.4)
    shard = tmp_path / "corpus" / "shards" / "part-00000.pcm"
    assert shard.stat().st_size == pytest.approx(2 * 16_000 * 18 * 1.4, rel=1e-3)


def test_one_bad_recording_among_many_is_left_out_by_name(tmp_path: Path, corpus: Path) -> None:
    (corpus / "train" / "speaker0_000.wav").write_text("not sound")
    result = run(tmp_path, recipe(corpus))
    checks = (tmp_path / "corpus" / "checks.tsv").read_text(encoding="utf-8-sig").splitlines()
    line = next(line for line in checks if line.startswith("unreadable"))
    assert line == "unreadable\tdrop\ttrain/speaker0_000\ttrain/speaker0_000.wav is a text file, not sound."
    row = result.corpus.table.set_index("utterance_id").loc["train/speaker0_000"]
    assert (row["included"], row["flags"], row["num_samples"]) == (False, "unreadable", 0)
    assert result.corpus.info.num_utterances == 29


def test_names_that_are_not_utf_8_are_prepared(tmp_path: Path, corpus: Path) -> None:
    for ending in (".wav", ".txt"):
        (corpus / "train" / f"speaker0_000{ending}").rename(corpus / "train" / f"caf\udce9_000{ending}")
    (corpus / "train" / "brok\udce9n.wav").write_bytes(b"no sound")
    (corpus / "train" / "brok\udce9n.txt").write_text("mbote", encoding="utf-8")
    run(tmp_path, recipe(corpus))
    loaded = load_corpus(tmp_path / "corpus")
    assert "train/caf\udce9_000" in set(loaded.table["utterance_id"])
    assert list(loaded.table.loc[~loaded.table["included"], "utterance_id"]) == ["train/brok\udce9n"]
    assert "1 utterance: the recording cannot be read (train/brok?n). Left out." in loaded.info.warnings
    assert run(tmp_path, recipe(corpus)).num_reused_parts == 1


def test_a_transcript_too_long_for_its_frames_is_left_out(tmp_path: Path, corpus: Path) -> None:
    (corpus / "train" / "speaker0_000.txt").write_text("mm" * 60, encoding="utf-8")
    result = run(tmp_path, recipe(corpus))
    check = next(check for check in result.checks if check.name == "too-short-for-ctc")
    assert check.utterance_ids == ["train/speaker0_000"]
    assert "119 repeats" in check.details[0]


def test_what_the_reader_left_out_is_in_checks_tsv(tmp_path: Path, corpus: Path) -> None:
    (corpus / "train" / "speaker0_000.wav").unlink()
    run(tmp_path, recipe(corpus))
    checks = (tmp_path / "corpus" / "checks.tsv").read_text(encoding="utf-8-sig")
    assert "skipped\tdrop\ttrain/speaker0_000.txt\thas no recording beside it\n" in checks


def test_transcripts_that_slipped_by_one_row_are_accused(tmp_path: Path) -> None:
    corpus = write_corpus_folder(tmp_path / "recordings", 160)
    transcripts = sorted((corpus / "train").glob("*.txt"))
    texts = [path.read_text(encoding="utf-8") for path in transcripts]
    for path, text in zip(transcripts, [*texts[1:], texts[0]], strict=True):
        path.write_text(text, encoding="utf-8")
    result = run(tmp_path, recipe(corpus))
    assert result.order.verdict in ("shifted", "scrambled")
    assert result.corpus.info.warnings[0] == result.order.sentence


def test_true_transcripts_are_not_accused(tmp_path: Path) -> None:
    result = run(tmp_path, recipe(write_corpus_folder(tmp_path / "recordings", 160)))
    assert result.order.verdict == "good"


def test_text_tests_that_fail_stop_before_anything_is_read(tmp_path: Path, corpus: Path) -> None:
    failing = recipe(corpus, '[[text.tests]]\nfrom = "Mbote."\nto = "Mbote"\n')
    with pytest.raises(RecipeError, match=r"'Mbote\.' becomes 'mbote', and the test says 'Mbote'"):
        run(tmp_path / "project", failing)
    assert not (tmp_path / "project").exists()


def test_words_are_shown_as_the_vocabulary_cuts_them(tmp_path: Path, corpus: Path) -> None:
    chosen = recipe(corpus, 'graphemes = ["mb", "nd"]\n[vocabulary]\nkind = "graphemes"\n')
    segmentations = dict(run(tmp_path, chosen).segmentations)
    assert segmentations["mbote"] == ["mb", "o", "t", "e"]
    assert segmentations["mokɔ́"] == ["m", "o", "k", "ɔ́"]


def test_progress_reaches_what_there_is(tmp_path: Path, corpus: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    prepare(tmp_path, recipe(corpus), PrepareOptions(num_workers=1), lambda *step: seen.append(step))
    assert seen[0][0] == "reading"
    decoding = [(done, total) for step, done, total in seen if step == "decoding"]
    assert decoding[-1][0] == decoding[-1][1] > 0


def test_a_synthetic_corpus_says_so(tmp_path: Path, corpus: Path) -> None:
    spoken = recipe(corpus)
    run(tmp_path, spoken.model_copy(update={"corpus": spoken.corpus.model_copy(update={"synthetic": True})}))
    assert json.loads((tmp_path / "corpus" / "corpus.json").read_text(encoding="utf-8"))["synthetic"] is True


def recordings_only(folder: Path, *seconds: float) -> Recipe:
    """Write recordings of noise without transcripts and a recipe for them."""
    folder.mkdir()
    generator = np.random.default_rng(1)
    for number, length in enumerate(seconds):
        soundfile.write(folder / f"tape{number}.wav", 0.1 * generator.standard_normal(int(16_000 * length)), 16_000)
    reader = '[corpus.reader]\nreader = "recordings"\n'
    return parse_recipe(f'name = "tapes"\n[corpus]\nfolder = "{folder.as_posix()}"\n{reader}')


def test_recordings_without_transcripts_stay_included_however_long(tmp_path: Path) -> None:
    result = run(tmp_path, recordings_only(tmp_path / "tapes", 40.0, 3.0, 30.0, 2.0))
    loaded = load_corpus(tmp_path / "corpus")
    assert loaded.table["included"].all()
    assert set(loaded.table["flags"]) == {""}
    assert loaded.info.utterances_per_split == {"train": 2, "dev": 2, "test": 0, "other": 0}
    assert (loaded.info.transcribed, loaded.info.subset_sha256) == (False, {})
    assert (result.order, result.vocabulary, result.segmentations) == (None, None, [])
    assert "empty-text" not in {check.name for check in result.checks}


def test_silent_and_broken_recordings_are_left_out_without_transcripts_too(tmp_path: Path) -> None:
    chosen = recordings_only(tmp_path / "tapes", 3.0, 3.0, 3.0)
    soundfile.write(tmp_path / "tapes" / "tape1.wav", np.zeros(48_000), 16_000)
    (tmp_path / "tapes" / "tape2.wav").write_text("not sound")
    table = run(tmp_path, chosen).corpus.table.set_index("utterance_id")
    assert table["flags"].to_dict() == {"tape0": "", "tape1": "silent", "tape2": "unreadable"}
    assert table["included"].tolist() == [True, False, False]


def test_fine_tuning_on_recordings_alone_is_refused_in_plain_words(tmp_path: Path) -> None:
    run(tmp_path, recordings_only(tmp_path / "tapes", 3.0))
    with pytest.raises(CorpusError, match=r"'tapes' .* has no transcripts") as caught:
        load_speech(
            tmp_path / "corpus",
            hours=None,
            vocabulary_settings=VocabularySettings(),
            config=preset("xs"),
            dev_seconds=60.0,
        )
    assert "lowres pretrain" in caught.value.hint
