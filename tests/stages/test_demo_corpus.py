"""The demo's corpus: many voices, no voice or sentence in two splits, written once, labelled for what it is."""

import csv
from pathlib import Path

import pytest
import soundfile

from lowres.errors import AudioError, CorpusError, RecipeError
from lowres.recipe import load_recipe, run_text_tests, shipped_recipes_folder
from lowres.stages import synthesize
from lowres.stages.demo import DemoSize, find_run_status, plan_demo, write_corpus_project, write_demo_project
from lowres.stages.demo_sentences import write_sentences
from lowres.stages.synthesize import SpokenSentence, Voice
from lowres.text.alphabet import undeclared_symbols
from lowres.text.normalize import normalize

pytest.importorskip("espeakng_loader", reason="eSpeak NG is not installed: uv sync --extra demo")

TINY = DemoSize(sentences_per_train_voice=2, sentences_per_dev_voice=1, sentences_per_test_voice=1, num_train_voices=3)


def test_the_sentences_are_different_and_the_same_every_time() -> None:
    sentences = write_sentences(2000)
    assert len(set(sentences)) == 2000
    assert sentences[:2] == ["Mzee alijenga ukuta nyumbani.", "Kaka aliona simba sokoni."]


def test_no_more_sentences_are_promised_than_there_are() -> None:
    with pytest.raises(ValueError, match="holds 24128 sentences"):
        write_sentences(30_000)


def test_no_voice_and_no_sentence_is_in_two_splits() -> None:
    rows = plan_demo(DemoSize())
    splits = {split: [row for row in rows if row.split == split] for split in ("train", "dev", "test")}
    for kind in (lambda row: row.sentence.text, lambda row: row.sentence.voice.variant):
        found = {split: {kind(row) for row in members} for split, members in splits.items()}
        assert not found["train"] & (found["dev"] | found["test"])
        assert not found["dev"] & found["test"]


def test_every_file_is_spoken_once() -> None:
    rows = plan_demo(DemoSize())
    assert len({str(row.sentence.audio_path).lower() for row in rows}) == len(rows)


def test_the_demo_is_written_as_an_example_project(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    written = write_demo_project(tmp_path, size=TINY, progress=lambda done, total: told.append((done, total)))
    assert (written.num_utterances, written.num_voices, told[-1]) == (16, 13, (16, 16))
    with (tmp_path / "recordings" / "transcripts.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["split"] for row in rows] == ["train"] * 6 + ["dev"] * 4 + ["test"] * 6
    for row in rows:
        audio = soundfile.info(tmp_path / "recordings" / row["audio"])
        assert (audio.channels, audio.samplerate) == (1, 22_050)
        assert 0.7 < audio.duration < 5


def test_the_demos_recipe_passes_its_own_tests_and_declares_its_letters(tmp_path: Path) -> None:
    write_demo_project(tmp_path, size=TINY)
    recipe = load_recipe(None, project=tmp_path)
    assert run_text_tests(recipe) == []
    for sentence in write_sentences(500):
        assert not undeclared_symbols(normalize(sentence, recipe.text.rules), recipe.text.alphabet)


def test_what_was_spoken_is_not_spoken_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_demo_project(tmp_path, size=TINY)
    monkeypatch.setattr("lowres.stages.demo.synthesize", None)
    assert write_demo_project(tmp_path, size=TINY).num_utterances == 16


def test_a_folder_with_another_project_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "lowres.toml").write_text("# mine\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="holds another project"):
        write_demo_project(tmp_path, size=TINY)
    with pytest.raises(RecipeError, match="holds another project"):
        write_corpus_project(tmp_path, "mboshi")
    assert (tmp_path / "lowres.toml").read_text(encoding="utf-8") == "# mine\n"


def test_voices_differ_to_the_ear(tmp_path: Path) -> None:
    sentences = [
        SpokenSentence("Mama anapika wali.", Voice("low", "m3", pitch=20), tmp_path / "low.wav"),
        SpokenSentence(
            "Mama anapika wali.", Voice("high", "f2", pitch=80, words_per_minute=250), tmp_path / "high.wav"
        ),
    ]
    synthesize.synthesize("sw", sentences)
    assert soundfile.info(tmp_path / "low.wav").duration > 1.2 * soundfile.info(tmp_path / "high.wav").duration


def test_a_missing_espeak_is_said_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesize, "espeak_is_installed", lambda: False)
    with pytest.raises(AudioError, match="not installed") as refusal:
        write_demo_project(tmp_path, size=TINY)
    assert "--extra demo" in refusal.value.hint


def test_a_language_that_espeak_does_not_speak_is_named(tmp_path: Path) -> None:
    sentence = SpokenSentence("Mama.", Voice("one", "m1"), tmp_path / "one.wav")
    with pytest.raises(AudioError, match=r"no voice 'xx-none\+m1'"):
        synthesize.synthesize("xx-none", [sentence])


def test_a_public_corpus_begins_with_its_shipped_recipe(tmp_path: Path) -> None:
    write_corpus_project(tmp_path / "demo-mboshi", "mboshi")
    shipped = shipped_recipes_folder() / "mboshi.toml"
    assert (tmp_path / "demo-mboshi" / "lowres.toml").read_bytes() == shipped.read_bytes()
    with pytest.raises(RecipeError, match="mboshy"):
        write_corpus_project(tmp_path / "other", "mboshy")


def test_a_run_that_does_not_exist_has_no_status(tmp_path: Path) -> None:
    assert find_run_status(tmp_path, "demo") == ""
