"""Beam search: against a search of all paths, and what must come out of speech that is sure."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from beams import (
    BOUNDARY_ID,
    LABELS,
    Labels,
    best_of,
    best_paths,
    character_model,
    language_score,
    random_scores,
    read,
    scores_of,
    spell,
    word_model,
)

from lowres.decoding import beam_search
from lowres.decoding.beam_search import BeamDecoder, BeamModel, BeamSettings, LogProbs
from lowres.errors import LowresError

TEXTS = ["ab ba", "aab ba ba", "cab a", "ab", "ba cab"]
UNWEIGHTED = BeamSettings(language_weight=0.0, beam_size=1000, beam_threshold=1e4)
WIDE = BeamSettings(language_weight=1.5, beam_size=2000, beam_threshold=1e4)


@pytest.fixture
def characters(tmp_path: Path) -> BeamDecoder:
    return BeamDecoder(character_model(tmp_path, TEXTS)[0])


@pytest.fixture
def words(tmp_path: Path) -> BeamDecoder:
    return BeamDecoder(word_model(tmp_path, TEXTS)[0])


def heard(decoder: BeamDecoder, log_probs: LogProbs, settings: BeamSettings) -> str:
    best = decoder.decode(log_probs, settings)[0]
    return read(best.token_ids) if best.words is None else " ".join(best.words)


@pytest.mark.parametrize("seed", range(8))
def test_without_a_language_weight_the_best_of_all_paths_is_found(characters: BeamDecoder, seed: int) -> None:
    log_probs = random_scores(5, seed=seed)
    winner, score = best_of(best_paths(log_probs), lambda _: 0.0)
    best = characters.decode(log_probs, UNWEIGHTED)[0]
    assert best.token_ids == winner
    assert best.score == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_with_a_character_model_the_best_of_all_sequences_is_found(tmp_path: Path, seed: int) -> None:
    model, ngrams = character_model(tmp_path, TEXTS)
    log_probs = random_scores(5, seed=seed, peak=1.0)
    log_probs[0, BOUNDARY_ID] = -30  # the search begins in a boundary, and a first one is free

    def weigh(labels: Labels) -> float:
        return WIDE.language_weight * language_score(ngrams, [LABELS[label] for label in labels])

    winner, score = best_of(best_paths(log_probs), weigh)
    best = BeamDecoder(model).decode(log_probs, WIDE)[0]
    assert best.token_ids == winner
    assert best.score == pytest.approx(score, abs=1e-3)


@pytest.mark.parametrize("word_bonus", [0.0, 1.5, -2.0])
@pytest.mark.parametrize("seed", range(4))
def test_with_a_word_model_the_best_of_all_sentences_is_found(tmp_path: Path, seed: int, word_bonus: float) -> None:
    model, ngrams = word_model(tmp_path, TEXTS)
    settings = BeamSettings(1.5, word_bonus=word_bonus, beam_size=2000, beam_threshold=1e4)
    log_probs = random_scores(6, seed=seed, peak=1.0)

    def weigh(labels: Labels) -> float | None:
        sentence = read(labels).split()
        if not set(sentence) <= set(ngrams.words):
            return None
        return settings.language_weight * language_score(ngrams, sentence) + word_bonus * len(sentence)

    winner, score = best_of(best_paths(log_probs), weigh)
    best = BeamDecoder(model).decode(log_probs, settings)[0]
    assert best.words == tuple(read(winner).split())
    assert best.score == pytest.approx(score, abs=1e-3)


def test_a_blank_penalty_is_taken_from_each_frame_that_is_blank(characters: BeamDecoder) -> None:
    settings = BeamSettings(0.0, blank_penalty=2.0, beam_size=1000, beam_threshold=1e4)
    log_probs = random_scores(5, seed=3)
    punished = log_probs.copy()
    punished[:, 0] -= 2
    winner, score = best_of(best_paths(punished), lambda _: 0.0)
    best = characters.decode(log_probs, settings)[0]
    assert (best.token_ids, best.score) == (winner, pytest.approx(score, abs=1e-4))


def test_scores_are_not_changed(characters: BeamDecoder) -> None:
    log_probs = random_scores(20, seed=1)
    before = log_probs.copy()
    characters.decode(log_probs, BeamSettings(blank_penalty=1.0))
    assert np.array_equal(log_probs, before)


@pytest.mark.parametrize("path", ["-a-a-b-", "aaa-aab", "-aa--ab-"])
def test_a_double_letter_survives_where_a_blank_stands_between(characters: BeamDecoder, path: str) -> None:
    assert heard(characters, scores_of(path), BeamSettings(0.3)) == "aab"


def test_a_double_letter_of_a_word_survives(words: BeamDecoder) -> None:
    assert heard(words, scores_of("aa-a-bb--"), BeamSettings(0.3)) == "aab"
    assert heard(words, scores_of("aaaa-bb--"), BeamSettings(0.3)) == "ab"


@pytest.mark.parametrize("path", ["-ab -ba-", "ab  ba", "-a-b- - --b-a", " ab ba ", "--  aabb |-|bba--  --"])
def test_spaces_survive_and_words_do_not_run_together(tmp_path: Path, path: str) -> None:
    for model in (character_model(tmp_path, TEXTS)[0], word_model(tmp_path, TEXTS)[0]):
        assert heard(BeamDecoder(model), scores_of(path), BeamSettings(0.3)).split() == ["ab", "ba"]


def test_a_last_word_needs_no_boundary_behind_it(words: BeamDecoder) -> None:
    assert words.decode(scores_of("-ab -cab"), BeamSettings(0.3))[0].words == ("ab", "cab")


@pytest.mark.parametrize("seed", range(20))
def test_only_words_of_the_lexicon_come_out(words: BeamDecoder, seed: int) -> None:
    known = {"ab", "ba", "aab", "cab", "a"}
    found = words.decode(random_scores(30, seed=seed), BeamSettings(word_bonus=2.0), num_best=5)
    assert {word for one in found for word in one.words or ()} <= known


def test_an_open_vocabulary_writes_a_word_that_no_text_has(characters: BeamDecoder) -> None:
    assert heard(characters, scores_of("-cc-a-c-b-"), BeamSettings(0.3)) == "cacb"


def test_a_word_that_is_not_known_becomes_one_that_sounds_alike(words: BeamDecoder) -> None:
    assert heard(words, scores_of("-c-a-a-b- ba"), BeamSettings(0.3)) in ("cab ba", "aab ba")


def unsure_ending(path: str) -> LogProbs:
    """Frames of `path`, and one that is a c (0.55) or a b (0.35)."""
    last = np.log([[0.04, 0.03, 0.03, 0.35, 0.55]], dtype=np.float32)
    return np.concatenate([scores_of(path), last])


def test_a_strong_language_model_changes_what_is_heard(tmp_path: Path) -> None:
    decoder = BeamDecoder(word_model(tmp_path, ["ba ab"] * 20 + ["ba ac"])[0])
    assert heard(decoder, unsure_ending("-ba -a"), BeamSettings(0.0)) == "ba ac"
    assert heard(decoder, unsure_ending("-ba -a"), BeamSettings(2.0)) == "ba ab"


def test_an_expected_word_comes_out_where_it_otherwise_would_not(tmp_path: Path) -> None:
    texts = ["ba ab", "ab ba", "ab"] * 2 + ["ac"]
    plain = BeamDecoder(word_model(tmp_path / "plain", texts)[0])
    boosted = BeamDecoder(word_model(tmp_path / "boosted", texts, expected=["ac"], share=0.3)[0])
    assert heard(plain, unsure_ending("-ba -a"), BeamSettings(1.0)) == "ba ab"
    assert heard(boosted, unsure_ending("-ba -a"), BeamSettings(1.0)) == "ba ac"


@pytest.mark.parametrize("kind", ["character", "word"])
@pytest.mark.parametrize("seed", range(5))
def test_the_best_few_differ_and_are_sorted(tmp_path: Path, kind: str, seed: int) -> None:
    make = character_model if kind == "character" else word_model
    decoder = BeamDecoder(make(tmp_path, TEXTS)[0])
    found = decoder.decode(random_scores(12, seed=seed), BeamSettings(0.5, beam_size=200), num_best=8)
    texts = [" ".join(one.words) if one.words is not None else " ".join(read(one.token_ids).split()) for one in found]
    assert len(set(texts)) == len(texts) == 8
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert found[0] == decoder.decode(random_scores(12, seed=seed), BeamSettings(0.5, beam_size=200))[0]


@pytest.mark.parametrize("kind", ["character", "word"])
def test_no_frames_are_an_empty_transcription(tmp_path: Path, kind: str) -> None:
    make = character_model if kind == "character" else word_model
    decoder = BeamDecoder(make(tmp_path, TEXTS)[0])
    (best,) = decoder.decode(np.zeros((0, len(LABELS)), dtype=np.float32), BeamSettings(), num_best=3)
    assert (best.token_ids, best.words, best.score) == ((), () if kind == "word" else None, 0.0)


@pytest.mark.parametrize("kind", ["character", "word"])
def test_silence_is_an_empty_transcription(tmp_path: Path, kind: str) -> None:
    make = character_model if kind == "character" else word_model
    decoder = BeamDecoder(make(tmp_path, TEXTS)[0])
    for sure in (0.95, 0.999):
        assert heard(decoder, scores_of("-" * 30, sure=sure), BeamSettings(0.5)) == ""


def test_a_single_frame_is_decoded(words: BeamDecoder) -> None:
    assert heard(words, scores_of("a"), BeamSettings(0.1)) == "a"


@pytest.mark.parametrize("kind", ["character", "word"])
def test_frames_that_are_surely_blank_change_nothing(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = character_model if kind == "character" else word_model
    decoder = BeamDecoder(make(tmp_path, TEXTS)[0])
    chance = np.random.default_rng(4)
    for _ in range(20):
        text = "-".join(chance.choice(list("abc |"), size=12))
        log_probs = random_scores(len(text), seed=int(chance.integers(1000)), peak=1.0)
        log_probs[1::2] = scores_of("-" * (len(text) // 2), sure=0.995)
        skipped = heard(decoder, log_probs, BeamSettings(0.7))
        with monkeypatch.context() as patched:
            patched.setattr(beam_search, "_without_sure_blanks", lambda scores, _penalty: scores)
            assert heard(decoder, log_probs, BeamSettings(0.7)) == skipped


@pytest.mark.parametrize(
    ("penalty", "path"), [(0.0, "-a-b-"), (-2.0, "-a-b-"), (0.6, "-a-b-"), (0.8, "---a----b---"), (2.0, "---a----b---")]
)
def test_long_stretches_of_sure_blanks_are_searched_once(penalty: float, path: str) -> None:
    # Odds of 199 are enough for 99 after a penalty of up to log(199 / 99) = 0.698.
    found = beam_search._without_sure_blanks(scores_of("---a----b---", sure=0.995), penalty)
    assert "".join(LABELS[frame.argmax()] for frame in found) == path


def test_settings_may_change_between_utterances(characters: BeamDecoder) -> None:
    log_probs = random_scores(20, seed=5)
    first = characters.decode(log_probs, BeamSettings(0.2))
    characters.decode(log_probs, BeamSettings(3.0))
    assert characters.decode(log_probs, BeamSettings(0.2)) == first


def test_an_utterance_does_not_depend_on_the_one_before(words: BeamDecoder) -> None:
    log_probs = random_scores(25, seed=6)
    alone = words.decode(log_probs, BeamSettings(), num_best=3)
    words.decode(random_scores(40, seed=7), BeamSettings())
    assert words.decode(log_probs, BeamSettings(), num_best=3) == alone


def test_scores_of_infinity_do_not_spoil_the_search(characters: BeamDecoder) -> None:
    log_probs = scores_of("-a-b-", sure=1 - 1e-7)
    log_probs[log_probs < -5] = -np.inf
    assert heard(characters, log_probs, BeamSettings(0.5)) == "ab"


def test_scores_of_another_vocabulary_are_refused(characters: BeamDecoder) -> None:
    with pytest.raises(ValueError, match=r"expected log_probs \(T, 5\)"):
        characters.decode(np.zeros((3, 4), dtype=np.float32), BeamSettings())


@pytest.mark.parametrize(
    "wrong", [{"language_weight": -1.0}, {"beam_size": 0}, {"labels_per_frame": 0}, {"beam_threshold": 0.0}]
)
def test_settings_that_nothing_could_be_searched_with_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="cannot be searched with"):
        BeamSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("contents", ["", "\\data\\\nngram 1=2\n", "garbage"])
def test_a_damaged_file_is_refused(tmp_path: Path, contents: str) -> None:
    (tmp_path / "x.arpa").write_text(contents, encoding="utf-8")
    with pytest.raises(LowresError, match="no language model that KenLM reads") as caught:
        BeamDecoder(BeamModel("character", tmp_path / "x.arpa", LABELS, BOUNDARY_ID))
    assert "lowres lm" in caught.value.hint


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LowresError, match="no language model that KenLM reads"):
        BeamDecoder(BeamModel("character", tmp_path / "none.arpa", LABELS, BOUNDARY_ID))


def test_nothing_is_printed_when_a_model_is_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    BeamDecoder(character_model(tmp_path, TEXTS)[0])
    assert capfd.readouterr() == ("", "")


def test_without_flashlight_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = character_model(tmp_path, TEXTS)
    monkeypatch.setitem(sys.modules, "flashlight.lib.text.decoder.kenlm", None)
    with pytest.raises(LowresError, match="needs flashlight's text decoder") as caught:
        BeamDecoder(model)
    assert "ufal-flashlight-text" in caught.value.hint
    assert "--lm none" in caught.value.hint


def test_label_ids_spell_the_words_that_come_out(words: BeamDecoder) -> None:
    best = words.decode(scores_of("-ab -cab-"), BeamSettings(0.3))[0]
    assert read(best.token_ids) == "ab cab"
    assert best.token_ids[:2] == spell("ab")


@pytest.mark.parametrize("path", ["-bb-aa - c--a", "-ba | |ca", "ba-|--ca-|-", "-ba |ca|"])
def test_label_ids_of_a_word_model_have_a_boundary_between_words_and_nowhere_else(tmp_path: Path, path: str) -> None:
    """One behind the last frame pushed the last letter out of it, and its certainty down."""
    decoder = BeamDecoder(word_model(tmp_path, ["ba ca", "ca ba"])[0])
    assert decoder.decode(scores_of(path), BeamSettings(0.3))[0].token_ids == spell("ba ca")


def test_half_a_word_at_the_end_has_no_label_ids_either(tmp_path: Path) -> None:
    decoder = BeamDecoder(word_model(tmp_path, ["ab bacaba", "bacaba ab"])[0])
    for beam_size in (1, 2, 5, 50):
        best = decoder.decode(scores_of("-ab-|b-a-c-a-", sure=0.97), BeamSettings(0.5, beam_size=beam_size))[0]
        assert best.token_ids == spell(" ".join(best.words or ()))


@pytest.mark.parametrize(("path", "expected"), [("-|ba---", "ba"), ("-|ba-a-", "baa")])
def test_a_doubled_piece_at_the_end_needs_a_blank_between(tmp_path: Path, path: str, expected: str) -> None:
    """Where pieces carry the boundary, a word ends with its last piece, which flashlight took without a blank."""
    model, _ = word_model(tmp_path, [*["baa"] * 40, "ba"])
    lexicon = tuple((word, (1, *spelling)) for word, spelling in model.lexicon)
    decoder = BeamDecoder(replace(model, boundary_id=None, lexicon=lexicon))
    frames = scores_of(path, sure=0.98)
    frames[4] = np.log([0.7, 0.01, 0.27, 0.01, 0.01])
    best = decoder.decode(frames, BeamSettings(2.0))[0]
    assert (best.words, best.token_ids) == ((expected,), (1, *spell(expected)))
