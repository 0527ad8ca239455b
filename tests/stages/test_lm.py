"""`lowres lm` on a tiny recogniser: what is written where, out of which text, and what stays when something fails."""

import json
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_evaluate import RECIPE, write_little_run, write_project
from typer.testing import CliRunner

from lowres.cli.app import app
from lowres.decoding.arpa import read_arpa
from lowres.decoding.stored_models import read_description
from lowres.errors import CheckpointError, CorpusError, LowresError
from lowres.manifest.corpus import CorpusInfo, load_corpus, write_corpus
from lowres.recipe import parse_recipe
from lowres.stages import lm
from lowres.stages.evaluate import EvaluateOptions, evaluate
from lowres.stages.lm import LanguageModelProgress, LanguageModelResult, make_language_models
from lowres.text.vocabulary import Vocabulary

RUN = "finetune-1h-seed1"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path)


@pytest.fixture(autouse=True)
def _few_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tuning is tested in tests/decoding; here it need not be thorough."""
    monkeypatch.setattr("lowres.decoding.tuning._NUM_HALVINGS", 0)


def make(project: Path, more: str = "", **options: object) -> LanguageModelResult:
    return make_language_models(project, parse_recipe(f"{RECIPE}[language_model]\n{more}"), **options)  # type: ignore[arg-type]


def checkpoint_of(project: Path) -> Path:
    return project / "runs" / RUN / "checkpoints" / "best"


def vocabulary_of(project: Path) -> Vocabulary:
    description = json.loads((checkpoint_of(project) / "checkpoint.json").read_text(encoding="utf-8"))
    return Vocabulary.from_json(description["vocabulary"])


def contents_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_models_and_their_description_lie_beside_the_weights(project: Path) -> None:
    result = make(project)
    assert result.folder == checkpoint_of(project) / "language_model"
    assert sorted(contents_of(result.folder)) == ["character.arpa", "language_model.json", "word.arpa", "words.txt"]
    assert read_description(checkpoint_of(project), vocabulary_of(project)) == result.models
    assert [model.kind for model in result.models.models] == ["word", "character"]
    assert sorted(path.name for path in checkpoint_of(project).iterdir()) == [
        "checkpoint.json",
        "language_model",
        "weights.safetensors",
    ]
    assert (result.run_name, set(result.fallback_orders)) == (RUN, {"word", "character"})


def test_the_words_are_those_of_the_training_text_alone(project: Path) -> None:
    table = load_corpus(project / "corpus").rows("train")
    known = {word for text in table["text"] for word in text.split()}
    folder = make(project).folder
    assert set((folder / "words.txt").read_text(encoding="utf-8").split("\n")) == known
    assert set(read_arpa(folder / "word.arpa").words[3:]) == known


def test_what_is_stored_of_a_model_is_what_its_file_holds(project: Path) -> None:
    result = make(project, "word_order = 2\ncharacter_order = 4")
    for model, order in zip(result.models.models, (2, 4), strict=True):
        found = read_arpa(result.folder / f"{model.kind}.arpa")
        assert (found.order, model.order) == (order, order)
        assert model.num_ngrams == tuple(len(table.word) for table in found.tables)
        assert model.perplexity > 1


def test_the_rates_on_dev_are_those_that_evaluate_finds(project: Path) -> None:
    result = make(project)
    for model in result.models.models:
        options = EvaluateOptions(split="dev", language_model=model.kind, precision="fp32", embed_recordings=False)
        rates = evaluate(project, parse_recipe(RECIPE), options).rates
        assert model.dev.word_error_rate == rates.words.counts.error_rate
        assert model.dev.character_error_rate == pytest.approx(rates.characters.counts.error_rate)


def test_spaces_and_marks_that_nobody_sees_are_no_errors_on_dev_either(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = load_corpus(project / "corpus")
    table = corpus.table.copy()
    table.loc[table["split"] == "dev", "text"] = unicodedata.normalize("NFD", "mbía\u00a0yé adi")
    write_corpus(project / "corpus", table, corpus.info)
    heard = vocabulary_of(project).encode("mbía  yé adi ")
    monkeypatch.setattr(lm, "greedy_labels", lambda _log_probs: heard)
    greedy = make(project).models.greedy
    assert (greedy.word_error_rate, greedy.character_error_rate) == (0, 0)


def test_the_beam_is_as_wide_as_the_recipe_says(project: Path) -> None:
    assert {model.settings.beam_size for model in make(project, "beam_size = 7").models.models} == {7}


def test_only_part_of_dev_is_heard_where_the_recipe_says_so(project: Path) -> None:
    whole, part = make(project), make(project, "tuning_seconds = 0.5")
    assert part.dev_seconds < whole.dev_seconds
    rows = load_corpus(project / "corpus").rows("dev")
    assert whole.dev_seconds == pytest.approx(float(rows["duration_seconds"].sum()))


def test_single_letters_that_are_never_rare_make_no_text_small(project: Path) -> None:
    result = make(project)
    assert result.is_text_small
    assert not replace(result, fallback_orders={"word": (), "character": (1,)}).is_text_small
    assert replace(result, fallback_orders={"word": (1,), "character": (1,)}).is_text_small


def test_making_it_again_gives_the_same_files(project: Path) -> None:
    first = contents_of(make(project).folder)
    assert contents_of(make(project).folder) == first


@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt()])
@pytest.mark.parametrize("where", ["write_description", "write_arpa", "tune"])
def test_an_older_model_stays_when_something_fails(
    project: Path, monkeypatch: pytest.MonkeyPatch, where: str, failure: BaseException
) -> None:
    make(project)
    before = contents_of(checkpoint_of(project))

    def fail(*_args: object, **_options: object) -> None:
        raise failure

    monkeypatch.setattr(lm, where, fail)
    with pytest.raises(type(failure)):
        make(project, "word_order = 2")
    assert contents_of(checkpoint_of(project)) == before
    assert not (checkpoint_of(project) / "language_model.partial").exists()


def test_an_older_model_is_replaced_whole(project: Path) -> None:
    old = make(project).folder
    (old / "leftover.txt").write_text("x", encoding="utf-8")
    result = make(project, "word_order = 2")
    assert result.models.models[0].order == 2
    assert not (old / "leftover.txt").exists()


def test_new_weights_take_the_models_of_the_old_ones_away(project: Path) -> None:
    folder = make(project).folder
    write_little_run(project / "runs" / RUN, load_corpus(project / "corpus").table, {})
    assert checkpoint_of(project).is_dir()
    assert not folder.exists()


def test_what_a_killed_command_left_is_cleared_away(project: Path) -> None:
    partial = checkpoint_of(project) / "language_model.partial"
    partial.mkdir()
    (partial / "word.arpa").write_text("half", encoding="utf-8")
    make(project)
    assert not partial.exists()


def test_sentences_of_dev_and_test_in_a_text_are_refused_and_counted(project: Path, tmp_path: Path) -> None:
    text = tmp_path / "more.txt"
    text.write_text("Ngá okwá adi\nMBÍA,  yé adi!\n\nWáa dzé\n", encoding="utf-8")
    result = make(project, texts=[text])
    source = result.models.sources[1]
    assert (source.name, source.num_sentences, source.num_refused) == ("more.txt", 2, 1)
    assert len(source.sha256) == 64


def test_the_recipe_and_the_command_may_both_name_texts(project: Path, tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text(f"okwá {name[0]}\n", encoding="utf-8")
    result = make(project, f'texts = ["{tmp_path / "one.txt"}"]', texts=[tmp_path / "two.txt"])
    assert [source.name for source in result.models.sources] == ["training transcripts", "one.txt", "two.txt"]


def test_words_to_expect_are_counted_and_known(project: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("Ngala\nMba Ola\nngala\n", encoding="utf-8")
    result = make(project, words=names)
    words = (result.folder / "words.txt").read_text(encoding="utf-8").split("\n")
    assert result.models.num_boosted == 3
    assert {"ngala", "mba", "ola"} <= set(words)


def test_words_that_the_recogniser_has_no_letters_for_are_counted(project: Path, tmp_path: Path) -> None:
    text = tmp_path / "more.txt"
    text.write_text("okwá xylophone ŋŋŋ\n", encoding="utf-8")
    result = make(project, texts=[text])
    assert [model.num_unspellable for model in result.models.models] == [2, 2]
    assert sorted(result.unspellable) == ["xylophone", "ŋŋŋ"]
    done = CliRunner().invoke(app, ["lm", "--project", str(project), "--text", str(text)])
    assert "2 words left out: the recogniser has no label for some of the letters (xylophone, ŋŋŋ)." in " ".join(
        done.output.split()
    )


def test_a_sentence_is_cut_where_a_word_cannot_be_spelled(project: Path, tmp_path: Path) -> None:
    """Verse numbers once left leading boundaries and empty sentences to the model of labels."""
    clean, numbered = tmp_path / "clean.txt", tmp_path / "numbered.txt"
    clean.write_text("ngá okwá\nadi ngá\nokwá adi\n", encoding="utf-8")
    numbered.write_text("1\n2 ngá okwá\nadi ngá 3\n4\n5 6 okwá adi\n", encoding="utf-8")
    expected = (make(project, texts=[clean]).folder / "character.arpa").read_bytes()
    assert (make(project, texts=[numbered]).folder / "character.arpa").read_bytes() == expected
    clean.write_text("okwá\nngá adi\n", encoding="utf-8")
    numbered.write_text("okwá ŋ ngá adi\n", encoding="utf-8")
    expected = (make(project, texts=[clean]).folder / "character.arpa").read_bytes()
    assert (make(project, texts=[numbered]).folder / "character.arpa").read_bytes() == expected


def test_only_transcripts_that_the_recogniser_learned_from_count(tmp_path: Path) -> None:
    project = write_project(tmp_path, subset_label="0.02min")
    assert make(project).models.sources[0].num_sentences < 6
    assert make(project, "all_transcripts = true").models.sources[0].num_sentences == 6


def test_progress_says_what_is_being_done(project: Path) -> None:
    seen: list[LanguageModelProgress] = []
    make(project, progress=seen.append)
    tasks = list(dict.fromkeys(step.task for step in seen))
    assert tasks == [
        "listening to dev",
        *(f"{doing} the {kind} model" for kind in ("word", "character") for doing in ("reading", "tuning")),
    ]


def test_a_corpus_without_dev_is_refused(tmp_path: Path) -> None:
    project = write_project(tmp_path, splits=["train"] * 6 + ["test"] * 12)
    with pytest.raises(CorpusError, match="no dev split") as caught:
        make(project)
    assert "[splits]" in caught.value.hint
    assert not (checkpoint_of(project) / "language_model").exists()


def test_a_run_without_training_text_is_refused(project: Path) -> None:
    corpus = load_corpus(project / "corpus")
    table = corpus.table.copy()
    table.loc[table["split"] == "train", "text"] = ""
    write_corpus(project / "corpus", table, CorpusInfo(name="little", language="mdw"))
    with pytest.raises(CorpusError, match="no text to make a language model from"):
        make(project)
    assert not (checkpoint_of(project) / "language_model.partial").exists()


@pytest.mark.parametrize("contents", [None, "", " \n...\n"])
def test_a_text_that_holds_nothing_is_refused(project: Path, tmp_path: Path, contents: str | None) -> None:
    text = tmp_path / "more.txt"
    if contents is not None:
        text.write_text(contents, encoding="utf-8")
    with pytest.raises(CorpusError) as caught:
        make(project, texts=[text])
    assert "more.txt" in caught.value.message


def test_an_unknown_run_is_refused(project: Path) -> None:
    with pytest.raises(CheckpointError, match="no run called"):
        make(project, run="other")


def test_the_model_of_a_named_run_lies_in_that_run(project: Path) -> None:
    write_little_run(project / "runs" / "second", load_corpus(project / "corpus").table, {})
    assert make(project, run=RUN).folder == checkpoint_of(project) / "language_model"
    assert not (project / "runs" / "second" / "checkpoints" / "best" / "language_model").exists()


def test_without_flashlight_nothing_is_begun(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "flashlight.lib.text.decoder.kenlm", None)
    with pytest.raises(LowresError, match="needs flashlight's text decoder"):
        make(project)


def test_the_command_says_what_was_made_of_what_and_what_it_brings(project: Path, tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("Mbía, yé adi\nokwá xylo\n", encoding="utf-8")
    (tmp_path / "names.txt").write_text("Ngala\n", encoding="utf-8")
    arguments = ["--text", str(tmp_path / "more.txt"), "--words", str(tmp_path / "names.txt")]
    done = CliRunner().invoke(app, ["lm", "--project", str(project), *arguments])
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    for expected in (
        "text: training transcripts, 6 sentences",
        "text: more.txt, 1 sentence; 1 left out, which dev or test say too",
        "words to expect more often: 1",
        "greedy",
        "3-gram of words",
        "gram of letters",
        "writes any word",
        "1 word left out: the recogniser has no label",
        "too small to estimate",
        "next:",
        f"lowres evaluate --run {RUN}",
    ):
        assert expected in said, expected


def test_the_command_names_what_is_missing(tmp_path: Path) -> None:
    project = write_project(tmp_path, checkpoint=False)
    done = CliRunner().invoke(app, ["lm", "--project", str(project)])
    assert done.exit_code == 2
    assert "lowres finetune" in done.output


def test_the_scores_of_dev_are_heard_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = []
    original = lm.score_speech
    monkeypatch.setattr(lm, "score_speech", lambda *args, **options: (times.append(1), original(*args, **options))[1])
    make(project)
    assert times == [1]
    assert np.isfinite(make(project).wall_seconds)
