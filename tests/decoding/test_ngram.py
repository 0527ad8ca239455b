"""N-gram models: worked by hand, against a slow implementation, and what must hold for every text."""

import math
import random
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_kneser_ney import SlowKneserNey

from lowres.decoding.ngram import BEGIN, END, NEVER, RESERVED, UNKNOWN, NgramModel, estimate_ngrams
from lowres.decoding.ngram_counts import BEGIN_ID, count_ngrams
from lowres.errors import CorpusError

FIVE = [text.split() for text in ("the dog barks", "the dog", "a dog barks", "the cat", "the cat sleeps a lot")]
SENTENCES = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "d", "<s>", "<unk>"]), max_size=7), min_size=1, max_size=12
)


def probability(model: NgramModel, word: str, *context: str) -> float:
    ids = [model.ids.get(one, 0) for one in context]
    return float(10 ** model.distribution(ids)[model.ids.get(word, 0)])


def generate_text(num_sentences: int, *, seed: int = 1, num_words: int = 60) -> list[list[str]]:
    """Sentences of words with Zipf's frequencies: counts of one to four are all there."""
    chance = random.Random(seed)
    words = [f"w{rank}" for rank in range(num_words)]
    weights = [1 / (rank + 1) for rank in range(num_words)]
    return [chance.choices(words, weights, k=chance.randint(1, 9)) for _ in range(num_sentences)]


def contexts_of(model: NgramModel) -> list[list[int]]:
    """Every context that the model has n-grams for, and some that it has never seen."""
    found: list[list[int]] = [[]]
    spelled: list[list[int]] = [[]]
    for table in model.tables[:-1]:
        spelled = [
            [*spelled[context], word] for context, word in zip(table.context.tolist(), table.word.tolist(), strict=True)
        ]
        found += spelled
    chance = random.Random(0)
    return found + [[chance.randrange(len(model.words)) for _ in range(model.order)] for _ in range(20)]


def assert_all_sum_to_one(model: NgramModel) -> None:
    for context in contexts_of(model):
        total = np.delete(10.0 ** model.distribution(context), BEGIN_ID).sum()
        assert total == pytest.approx(1, abs=1e-9), [model.words[word] for word in context]


def test_a_bigram_model_of_three_sentences_has_the_probabilities_worked_by_hand() -> None:
    # Adjusted counts: a, b and c have one predecessor each, </s> has two; discounts fall back on 0.5, 1, 1.5.
    # Unigrams: 2.5 of 5 are discounted and shared by the five words a, b, c, </s>, <unk>: 0.1 each.
    model = estimate_ngrams([["a", "b"], ["a", "b"], ["a", "c"]], order=2)
    unigrams = {word: probability(model, word) for word in ("a", "b", "c", END, UNKNOWN)}
    assert unigrams == pytest.approx({"a": 0.2, "b": 0.2, "c": 0.2, END: 0.3, UNKNOWN: 0.1})
    assert probability(model, "a", BEGIN) == pytest.approx((3 - 1.5) / 3 + 1.5 / 3 * 0.2)
    assert probability(model, "b", "a") == pytest.approx((2 - 1) / 3 + 1.5 / 3 * 0.2)
    assert probability(model, "c", "a") == pytest.approx((1 - 0.5) / 3 + 1.5 / 3 * 0.2)
    assert probability(model, END, "b") == pytest.approx((2 - 1) / 2 + 1 / 2 * 0.3)
    assert probability(model, "a", "b") == pytest.approx(1 / 2 * 0.2)


def test_discounts_are_those_of_chen_and_goodman_worked_by_hand() -> None:
    # Four words once (one is </s>), two twice, one three and one four times: y = 4 / 8, so D = 0.5, 1.25 and 1.
    model = estimate_ngrams([list("abcddeefffgggg")], order=1)
    shared = (4 * 0.5 + 2 * 1.25 + 2 * 1) / 15 / 9
    assert model.fallback_orders == ()
    found = [probability(model, word) for word in ("a", END, "d", "f", "g", UNKNOWN)]
    assert found == pytest.approx([x / 15 + shared for x in (0.5, 0.5, 0.75, 2, 3, 0)])


def test_counts_of_five_sentences_are_those_counted_by_hand() -> None:
    words = [*RESERVED, *sorted({word for sentence in FIVE for word in sentence})]
    ids = {word: number for number, word in enumerate(words)}
    unigrams, bigrams = count_ngrams([[ids[w] for w in one] for one in FIVE], order=2, num_words=len(words))
    assert unigrams.times[[ids[w] for w in ("the", "dog", "cat", BEGIN, END)]].tolist() == [4, 3, 2, 5, 5]
    # "dog" follows the, a; "a" follows <s>, sleeps; "the" only ever follows <s>; </s> follows five different words.
    assert unigrams.adjusted[[ids[w] for w in ("dog", "a", "the", "barks", END)]].tolist() == [2, 2, 1, 1, 5 - 1 + 0]
    pairs = {
        (words[c], words[w]): (int(n), int(a))
        for c, w, n, a in zip(bigrams.context, bigrams.word, bigrams.times, bigrams.adjusted, strict=True)
    }
    assert pairs[BEGIN, "the"] == (4, 4)
    assert pairs["the", "dog"] == (2, 2)
    assert len(pairs) == 13


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_five_sentences_get_the_probabilities_of_the_slow_implementation(order: int) -> None:
    model, slow = estimate_ngrams(FIVE, order=order), SlowKneserNey(FIVE, order)
    vocabulary = sorted(slow.words)
    for context in product([BEGIN, *vocabulary], repeat=order - 1):
        for word in vocabulary:
            expected = slow.probability(word, context)
            assert probability(model, word, *context) == pytest.approx(expected, rel=1e-9), (context, word)


@given(sentences=SENTENCES, order=st.integers(1, 4), data=st.data())
@settings(deadline=None, max_examples=80)
def test_any_text_gets_the_probabilities_of_the_slow_implementation(
    sentences: list[list[str]], order: int, data: st.DataObject
) -> None:
    if not any(sentences):
        return
    model, slow = estimate_ngrams(sentences, order=order, vocabulary=["e"]), SlowKneserNey(sentences, order, ["e"])
    context = tuple(data.draw(st.lists(st.sampled_from([BEGIN, *sorted(slow.words)]), max_size=order)))
    for word in slow.words:
        assert probability(model, word, *context) == pytest.approx(slow.probability(word, context), rel=1e-9)


@pytest.mark.parametrize("order", [2, 3])
def test_a_longer_text_gets_the_estimated_discounts_of_the_slow_implementation(order: int) -> None:
    sentences = generate_text(300, num_words=500)
    model, slow = estimate_ngrams(sentences, order=order), SlowKneserNey(sentences, order)
    assert model.fallback_orders == ()
    for context in ([BEGIN, "w0"], ["w1", "w0"], ["w3"], ["w50", "w2"], []):
        for word in ("w0", "w1", "w17", END, UNKNOWN):
            expected = slow.probability(word, tuple(context))
            assert probability(model, word, *context) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_probabilities_sum_to_one_after_every_context(order: int) -> None:
    assert_all_sum_to_one(estimate_ngrams(generate_text(40), order=order))


@pytest.mark.parametrize("prune_below", [2, 3, 1000])
def test_probabilities_sum_to_one_when_rare_ngrams_are_left_out(prune_below: int) -> None:
    assert_all_sum_to_one(estimate_ngrams(generate_text(60), order=4, prune_below=prune_below))


@pytest.mark.parametrize("prune_below", [1, 2])
def test_probabilities_sum_to_one_with_expected_and_further_words(prune_below: int) -> None:
    model = estimate_ngrams(
        generate_text(40),
        order=3,
        vocabulary=["x", "y"],
        expected=["Ana", "w3"],
        expected_share=0.2,
        prune_below=prune_below,
    )
    assert_all_sum_to_one(model)


@given(sentences=SENTENCES, order=st.integers(1, 5), prune_below=st.integers(1, 3))
@settings(deadline=None, max_examples=60)
def test_probabilities_of_any_text_sum_to_one(sentences: list[list[str]], order: int, prune_below: int) -> None:
    if any(sentences):
        assert_all_sum_to_one(estimate_ngrams(sentences, order=order, prune_below=prune_below))


def test_pruning_leaves_out_what_is_rare_and_keeps_one_and_two_words() -> None:
    sentences = generate_text(60)
    whole, pruned = (estimate_ngrams(sentences, order=4, prune_below=below) for below in (1, 2))
    sizes = [[len(table.word) for table in model.tables] for model in (whole, pruned)]
    assert sizes[1][:2] == sizes[0][:2]
    assert all(small < large for small, large in zip(sizes[1][2:], sizes[0][2:], strict=False))


def test_pruning_everything_leaves_a_bigram_model() -> None:
    assert estimate_ngrams(FIVE, order=4, prune_below=100).order == 2


def test_what_is_kept_keeps_its_probability_when_others_are_left_out() -> None:
    sentences = generate_text(60)
    whole, pruned = (estimate_ngrams(sentences, order=3, prune_below=below) for below in (1, 2))
    kept = set(pruned.tables[2].log10_probability.round(12))
    assert 0 < len(pruned.tables[2].word) < len(whole.tables[2].word)
    assert kept <= set(whole.tables[2].log10_probability.round(12))
    assert np.array_equal(pruned.tables[1].log10_probability, whole.tables[1].log10_probability)


def test_expected_words_share_what_was_asked_for_on_top_of_what_the_text_gives_them() -> None:
    plain = estimate_ngrams(FIVE, order=2, vocabulary=["Ana"])
    boosted = estimate_ngrams(FIVE, order=2, expected=["Ana", "cat"], expected_share=0.3)
    for word in ("Ana", "cat"):
        assert probability(boosted, word) == pytest.approx(0.7 * probability(plain, word) + 0.15)
    assert probability(boosted, "dog") == pytest.approx(0.7 * probability(plain, "dog"))


def test_an_expected_word_is_likelier_in_every_context() -> None:
    plain = estimate_ngrams(FIVE, order=3, vocabulary=["Ana"])
    boosted = estimate_ngrams(FIVE, order=3, expected=["Ana"], expected_share=0.05)
    for context in ([], ["the"], ["the", "dog"], ["Ana", "Ana"], [BEGIN]):
        assert probability(boosted, "Ana", *context) > 1.5 * probability(plain, "Ana", *context)


def test_expected_words_called_like_reserved_ones_are_left_out() -> None:
    model = estimate_ngrams(FIVE, order=2, expected=[BEGIN, "Ana"], expected_share=0.1)
    assert model.words.count(BEGIN) == 1
    assert_all_sum_to_one(model)


def test_orders_whose_discounts_cannot_be_estimated_are_named() -> None:
    assert estimate_ngrams(FIVE, order=3).fallback_orders == (1, 2, 3)
    assert estimate_ngrams(generate_text(300, num_words=500), order=3).fallback_orders == ()


@pytest.mark.parametrize("name", RESERVED)
def test_a_word_called_like_a_reserved_one_counts_as_unknown(name: str) -> None:
    model = estimate_ngrams([["a", name, "b"]], order=2)
    assert model.words == (*RESERVED, "a", "b")
    assert probability(model, "b", UNKNOWN) > probability(model, "a", UNKNOWN)


def test_the_begin_of_a_sentence_is_never_predicted() -> None:
    model = estimate_ngrams(FIVE, order=3)
    assert all(model.distribution(context)[BEGIN_ID] == NEVER for context in contexts_of(model))


def test_an_order_longer_than_all_sentences_is_that_of_the_longest_one_with_its_ends() -> None:
    model = estimate_ngrams([["a", "b"], ["a"]], order=6)
    assert model.order == 4
    assert_all_sum_to_one(model)


def test_the_order_of_sentences_does_not_matter() -> None:
    sentences = generate_text(30)
    first, second = estimate_ngrams(sentences, order=3), estimate_ngrams(sentences[::-1], order=3)
    assert first.words == second.words
    for one, other in zip(first.tables, second.tables, strict=True):
        assert np.array_equal(one.log10_probability, other.log10_probability)
        assert np.array_equal(one.word, other.word)


def test_a_model_gives_its_own_text_a_lower_perplexity_than_another() -> None:
    sentences = generate_text(100)
    model = estimate_ngrams(sentences, order=3)
    shuffled = [one[::-1] for one in generate_text(100, seed=2)]
    assert model.perplexity(sentences) < model.perplexity(shuffled)


def test_the_perplexity_of_a_uniform_model_is_the_number_of_its_words() -> None:
    # One sentence, each word once: a, b, </s> have 0.5 / 3 + half of a quarter; unknown has that eighth alone.
    model = estimate_ngrams([["a", "b"]], order=1)
    assert model.perplexity([["a"]]) == pytest.approx(1 / (0.5 / 3 + 0.125))
    assert model.perplexity([["a", "x"]]) == pytest.approx(
        math.exp(-(2 * math.log(0.5 / 3 + 0.125) + math.log(0.125)) / 3)
    )


def test_no_text_is_refused() -> None:
    with pytest.raises(CorpusError, match="no text to make a language model"):
        estimate_ngrams([[], []], order=3)
    with pytest.raises(ValueError, match="perplexity of no text"):
        estimate_ngrams([["a"]], order=1).perplexity([])


@pytest.mark.parametrize(("order", "prune_below"), [(0, 1), (3, 0)])
def test_an_order_or_a_count_below_one_is_refused(order: int, prune_below: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        estimate_ngrams([["a"]], order=order, prune_below=prune_below)
