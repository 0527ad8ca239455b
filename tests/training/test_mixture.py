"""Which speech an update of pretraining learns from: shares, passes, crops, micro batches, processes, resuming."""

from collections import Counter
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lowres.training.mixture import (
    Crop,
    MixturePosition,
    MixtureSettings,
    MixtureUpdate,
    SourcePosition,
    SpeechSource,
    count_left_out,
    plan_mixture,
    seed_of_crop,
    share_of_process,
    target_shares,
)

SETTINGS = MixtureSettings(
    samples_per_update=2000, micro_batch_samples=700, crop_samples=200, shortest_samples=10, seed=3
)
BEGINNING = MixturePosition()


def no_audio(utterance: int, start: int, count: int) -> NDArray[np.int16]:
    raise AssertionError("planning reads no audio")


def source(language: str, lengths: list[int] | NDArray[np.int64], corpus: str = "field") -> SpeechSource:
    return SpeechSource(language, corpus, np.asarray(lengths, dtype=np.int32), no_audio)


def lengths(seed: int, count: int, low: int, high: int) -> NDArray[np.int64]:
    return np.random.Generator(np.random.PCG64(seed)).integers(low, high, size=count)


LONG = source("yor", lengths(1, 60, 120, 200))
SHORT = source("ntx", lengths(2, 400, 10, 40))
ARCHIVE = source("mdw", [5000, 30, 180], "radio")
SOURCES = [LONG, SHORT, ARCHIVE]


def updates(
    sources: list[SpeechSource] = SOURCES,
    chosen: MixtureSettings = SETTINGS,
    *,
    start: MixturePosition = BEGINNING,
    count: int = 50,
    num_processes: int = 1,
) -> list[MixtureUpdate]:
    return list(islice(plan_mixture(sources, chosen, start=start, num_processes=num_processes), count))


def crops_of(planned: list[MixtureUpdate]) -> list[Crop]:
    return [crop for update in planned for batch in update.micro_batches for crop in batch]


def samples_of(crops: list[Crop] | tuple[Crop, ...]) -> int:
    return sum(crop.num_samples for crop in crops)


def test_shares_are_the_hours_to_the_power_of_alpha() -> None:
    sources = [source("a", [900]), source("b", [100])]
    # sqrt(0.9) : sqrt(0.1) = 3 : 1
    assert target_shares(sources, SETTINGS).languages == pytest.approx({"a": 0.75, "b": 0.25})
    assert target_shares(sources, replace(SETTINGS, language_alpha=1.0)).sources == pytest.approx((0.9, 0.1))
    assert target_shares(sources, replace(SETTINGS, language_alpha=0.0)).sources == pytest.approx((0.5, 0.5))


def test_the_corpora_of_a_language_share_its_hours_by_their_own_alpha() -> None:
    sources = [source("a", [640], "radio"), source("b", [1000]), source("a", [360], "stories")]
    found = target_shares(sources, replace(SETTINGS, corpus_alpha=1.0))
    assert found.languages == pytest.approx({"a": 0.5, "b": 0.5})
    assert found.sources == pytest.approx((0.32, 0.5, 0.18))
    # sqrt(0.64) : sqrt(0.36) = 4 : 3
    assert target_shares(sources, SETTINGS).sources == pytest.approx((0.5 * 4 / 7, 0.5, 0.5 * 3 / 7))


@pytest.mark.parametrize("kind", ["mixed", "one"])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 1.0])
def test_hours_drawn_follow_the_shares_although_utterances_differ_in_length(kind: str, alpha: float) -> None:
    chosen = replace(SETTINGS, language_alpha=alpha, languages_per_micro_batch=kind)  # type: ignore[arg-type]
    sources = [*SOURCES, source("yor", lengths(3, 50, 20, 90), "stories")]
    planned = updates(sources, chosen, count=300)
    drawn = np.array([one.drawn_samples for one in planned[-1].next_position.sources])
    assert drawn / drawn.sum() == pytest.approx(target_shares(sources, chosen).sources, abs=0.003)


def test_the_position_counts_the_samples_drawn_of_each_source() -> None:
    planned = updates(count=20)
    counted: Counter[int] = Counter()
    for crop in crops_of(planned):
        counted[crop.source] += crop.num_samples
    assert [one.drawn_samples for one in planned[-1].next_position.sources] == [counted[n] for n in range(3)]
    assert planned[-1].next_position.updates == 20


def test_every_utterance_is_drawn_once_before_any_is_drawn_again() -> None:
    one_at_a_time = replace(SETTINGS, samples_per_update=1)
    drawn = [crop for crop in crops_of(updates(chosen=one_at_a_time, count=2000)) if crop.source == 0]
    for epoch in range(3):
        part = drawn[60 * epoch : 60 * (epoch + 1)]
        assert sorted(crop.utterance for crop in part) == list(range(60))
        assert {crop.draw for crop in part} == {epoch}
    orders = [[crop.utterance for crop in drawn[60 * epoch : 60 * epoch + 60]] for epoch in range(2)]
    assert orders[0] != orders[1]


def test_a_long_recording_is_drawn_as_often_as_crops_go_into_it_and_all_of_it_is_heard() -> None:
    one_at_a_time = replace(SETTINGS, samples_per_update=1)
    drawn = [crop for crop in crops_of(updates(chosen=one_at_a_time, count=3000)) if crop.source == 2]
    one_pass = drawn[: 25 + 1 + 1]
    assert Counter(crop.utterance for crop in one_pass) == {0: 25, 1: 1, 2: 1}
    of_archive = [crop for crop in drawn if crop.utterance == 0]
    starts = np.array(sorted(crop.start_sample for crop in one_pass if crop.utterance == 0))
    # One start in each of 25 stretches of the 4801 possible ones.
    assert (starts * 25 // 4801).tolist() == list(range(25))
    assert len({crop.draw for crop in of_archive}) == len(of_archive)
    heard = np.zeros(5000, dtype=bool)
    for crop in of_archive:
        heard[crop.start_sample : crop.start_sample + crop.num_samples] = True
    assert heard.mean() > 0.95


@given(
    st.lists(st.lists(st.integers(1, 900), min_size=1, max_size=12), min_size=1, max_size=4),
    st.sampled_from(["mixed", "one"]),
    st.integers(1, 4),
    st.integers(0, 99),
)
@settings(deadline=None, max_examples=60)
def test_crops_lie_inside_their_recordings_and_micro_batches_fit(
    all_lengths: list[list[int]], kind: str, num_processes: int, seed: int
) -> None:
    sources = [source("abcd"[n % 3], one, f"corpus{n}") for n, one in enumerate(all_lengths)]
    chosen = replace(SETTINGS, seed=seed, languages_per_micro_batch=kind)  # type: ignore[arg-type]
    if max(map(max, all_lengths)) < SETTINGS.shortest_samples:
        return
    for update in updates(sources, chosen, count=5, num_processes=num_processes):
        for batch in update.micro_batches:
            assert len(batch) >= num_processes
            assert samples_of(batch) <= SETTINGS.micro_batch_samples or len(batch) < 2 * num_processes + 2
            if kind == "one":
                assert len({sources[crop.source].language for crop in batch}) == 1
            for crop in batch:
                length = int(sources[crop.source].num_samples[crop.utterance])
                assert length >= SETTINGS.shortest_samples
                assert crop.num_samples == min(length, SETTINGS.crop_samples)
                assert 0 <= crop.start_sample <= length - crop.num_samples


@pytest.mark.parametrize("kind", ["mixed", "one"])
def test_updates_hold_as_much_as_was_asked_for(kind: str) -> None:
    chosen = replace(SETTINGS, languages_per_micro_batch=kind)  # type: ignore[arg-type]
    sizes = [sum(map(samples_of, update.micro_batches)) for update in updates(chosen=chosen, count=200)]
    assert np.mean(sizes) == pytest.approx(2000, rel=0.02)
    assert max(sizes) < 2300


def test_micro_batches_are_as_few_as_fit_and_of_like_size() -> None:
    for update in updates():
        sizes = [samples_of(batch) for batch in update.micro_batches]
        assert len(sizes) in (3, 4)
        assert max(sizes) <= 700
        assert max(sizes) < 1.5 * min(sizes)


def test_mixed_micro_batches_hold_several_languages() -> None:
    languages = [{crop.source for crop in batch} for update in updates() for batch in update.micro_batches]
    assert np.mean([len(found) for found in languages]) > 2


@pytest.mark.parametrize("kind", ["mixed", "one"])
def test_the_stream_goes_on_from_any_place_as_if_never_left(kind: str) -> None:
    chosen = replace(SETTINGS, languages_per_micro_batch=kind)  # type: ignore[arg-type]
    whole = updates(chosen=chosen, count=30)
    for place in (0, 3, 11, 20):
        resumed = updates(chosen=chosen, start=whole[place].next_position, count=9)
        assert resumed == whole[place + 1 : place + 10]


def test_the_stream_goes_on_from_the_very_end_of_a_pass() -> None:
    chosen = replace(SETTINGS, samples_per_update=1)
    sources = [source("a", [50, 60, 450])]
    whole = updates(sources, chosen, count=12)
    for place in range(9):
        assert updates(sources, chosen, start=whole[place].next_position, count=2) == whole[place + 1 : place + 3]


def test_the_plan_follows_from_the_seed_alone() -> None:
    assert updates() == updates()
    assert updates(chosen=replace(SETTINGS, seed=4)) != updates()


def test_more_processes_change_the_plan_only_where_one_would_go_without_a_crop() -> None:
    assert updates(num_processes=2) == updates(num_processes=1)
    whole = source("yor", [200] * 20)
    few = replace(SETTINGS, samples_per_update=300, micro_batch_samples=200)
    assert [len(batch) for update in updates([whole], few) for batch in update.micro_batches] != []
    for update in updates([whole], few, num_processes=4):
        assert [len(batch) for batch in update.micro_batches] == [4]


@given(st.lists(st.integers(1, 500), min_size=1, max_size=40), st.integers(1, 6))
def test_the_parts_of_the_processes_are_a_division_of_the_micro_batch(sizes: list[int], num_processes: int) -> None:
    batch = tuple(Crop(0, number, 0, size, 0) for number, size in enumerate(sizes))
    if len(batch) < num_processes:
        return
    parts = [share_of_process(batch, rank, num_processes) for rank in range(num_processes)]
    assert sorted(crop.utterance for part in parts for crop in part) == list(range(len(batch)))
    assert min(map(len, parts)) >= 1
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert max(map(samples_of, parts)) - min(map(samples_of, parts)) <= 2 * max(sizes)


@pytest.mark.parametrize("crop_samples", [1_000_000, 2**40])
def test_crops_longer_than_anything_leave_every_recording_whole(crop_samples: int) -> None:
    planned = updates(chosen=replace(SETTINGS, crop_samples=crop_samples), count=20)
    assert {crop.num_samples for crop in crops_of(planned) if crop.source == 2} == {5000, 30, 180}


def test_short_utterances_are_left_out_and_counted() -> None:
    sources = [source("a", [9, 10, 50, 3]), source("b", [5, 9])]
    assert count_left_out(sources, SETTINGS) == (2, 2)
    assert {(crop.source, crop.utterance) for crop in crops_of(updates(sources))} == {(0, 1), (0, 2)}
    assert target_shares(sources, SETTINGS).languages == {"a": 1.0}


def test_what_is_random_about_a_crop_follows_from_its_utterance_and_draw_alone() -> None:
    crop = Crop(source=0, utterance=5, start_sample=0, num_samples=50, draw=2)
    assert seed_of_crop(crop, 1) == seed_of_crop(replace(crop, start_sample=7, num_samples=9), 1)
    others = [replace(crop, draw=3), replace(crop, utterance=6), replace(crop, source=1)]
    seeds = {seed_of_crop(other, seed) for other in [crop, *others] for seed in (1, 2)}
    assert len(seeds) == 8
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(ValueError, match="no utterances"):
        updates([source("a", [1, 2])])
    with pytest.raises(ValueError, match="no utterances"):
        updates([])


def test_a_position_of_other_sources_is_refused() -> None:
    with pytest.raises(ValueError, match="2 sources, not of 3"):
        updates(start=MixturePosition(1, (SourcePosition(), SourcePosition())))


@pytest.mark.parametrize(
    "wrong", [{"language_alpha": 1.5}, {"corpus_alpha": -0.1}, {"crop_samples": 5}, {"samples_per_update": 0}]
)
def test_settings_no_plan_can_follow_are_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(SETTINGS, **wrong)  # type: ignore[arg-type]
