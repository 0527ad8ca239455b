"""What is chosen first, and why: small examples by hand, and what holds for any."""

import numpy as np
import pytest

from lowres.decoding.novelty import all_runs, runs_of
from lowres.stages.suggest_choice import Candidate, Suggestion, choose


def candidate(
    name: str, doubt: float = 0.5, text: str = "", voice: tuple[float, ...] = (0.0, 0.0), seconds: float = 60.0
) -> Candidate:
    runs = frozenset(runs_of([ord(letter) for letter in text]))
    return Candidate(name, 0.0, seconds, seconds, doubt, runs, np.array(voice))


def names(chosen: list[Suggestion]) -> list[str]:
    return [one.candidate.name for one in chosen]


def pick(
    candidates: list[Candidate],
    seconds: float = 1e9,
    known: str = "",
    voices: tuple[tuple[float, ...], ...] = (),
) -> list[Suggestion]:
    return choose(
        candidates,
        known_runs=frozenset(runs_of([ord(letter) for letter in known])),
        known_voices=[np.array(voice) for voice in voices],
        seconds=seconds,
    )


def random_candidates(num: int, seed: int) -> list[Candidate]:
    chance = np.random.default_rng(seed)
    return [
        candidate(
            f"r{number}",
            float(chance.random()),
            "".join(chr(letter) for letter in chance.integers(97, 103, 40)),
            tuple(chance.normal(size=4)),
            float(chance.uniform(20, 300)),
        )
        for number in range(num)
    ]


def test_runs_are_of_three_labels_and_each_counts_once() -> None:
    assert runs_of([1, 2, 3, 1, 2, 3]) == {(1, 2, 3), (2, 3, 1), (3, 1, 2)}
    assert runs_of([1, 2]) == runs_of([]) == set()
    assert all_runs([[1, 2, 3], [1, 2, 3, 4], []]) == {(1, 2, 3), (2, 3, 4)}


def test_with_nothing_else_to_tell_them_apart_the_unsurest_comes_first() -> None:
    chosen = pick([candidate("sure", 0.1), candidate("unsure", 0.9), candidate("so-so", 0.4)])
    assert names(chosen) == ["unsure", "so-so", "sure"]
    # Two of two others are surer; nobody has fewer new runs or a nearer sound.
    assert chosen[0].score == pytest.approx(1 / 3)
    assert [one.doubt for one in chosen] == [0.9, 0.4, 0.1]


def test_what_an_earlier_choice_has_is_not_new_any_more() -> None:
    first = candidate("first", 0.9, "abcdef")
    same = candidate("same", 0.5, "abcdef")
    other = candidate("other", 0.5, "uvw")
    chosen = pick([first, same, other])
    assert names(chosen) == ["first", "other", "same"]
    assert [one.num_new_runs for one in chosen] == [4, 1, 0]
    assert [one.num_new_runs for one in pick([first, other], known="abcde")] == [1, 1]


def test_what_is_new_counts_for_each_minute_of_speech() -> None:
    long = candidate("long", text="abcdefgh", seconds=300.0)
    short = candidate("short", text="uvwxy", seconds=60.0)
    assert names(pick([long, short]))[0] == "short"


def test_another_sound_than_that_of_training_and_of_earlier_choices_comes_first() -> None:
    voices = {"known": (0.0, 0.0), "far": (9.0, 9.0), "beside far": (9.0, 8.9), "middle": (4.0, 4.0)}
    chosen = pick([candidate(name, voice=voice) for name, voice in voices.items()], voices=((0.1, 0.0),))
    assert names(chosen)[:2] == ["far", "middle"]
    assert chosen[0].distance > chosen[1].distance > chosen[-1].distance


def test_equal_candidates_come_in_the_order_in_which_they_were_given() -> None:
    alike = [candidate(f"r{number}", text="abc") for number in range(5)]
    assert names(pick(alike)) == [f"r{number}" for number in range(5)]


def test_enough_is_enough_and_all_are_chosen_where_they_do_not_suffice() -> None:
    some = random_candidates(30, 0)
    chosen = pick(some, seconds=600.0)
    total = sum(one.candidate.speech_seconds for one in chosen)
    assert total - chosen[-1].candidate.speech_seconds < 600 <= total
    assert sorted(names(pick(some))) == sorted(one.name for one in some)
    assert pick([]) == []


@pytest.mark.parametrize("voices", [(), ((1.0, 2.0),)])
def test_one_candidate_alone_is_chosen(voices: tuple[tuple[float, ...], ...]) -> None:
    (only,) = pick([candidate("only", text="abcd")], voices=voices)
    assert (only.num_new_runs, only.score) == (2, 0.0)
    assert np.isfinite(only.distance)


@pytest.mark.parametrize("seed", range(5))
def test_choices_are_the_same_every_time_no_candidate_comes_twice_and_runs_add_up(seed: int) -> None:
    some = random_candidates(25, seed)
    chosen = pick(some, voices=((0.0,) * 4,))
    assert [one.candidate for one in chosen] == [one.candidate for one in pick(some, voices=((0.0,) * 4,))]
    assert len({one.candidate.name for one in chosen}) == len(some)
    assert sum(one.num_new_runs for one in chosen) == len(frozenset().union(*(one.runs for one in some)))
    assert all(0 <= one.score <= 1 and one.distance >= 0 for one in chosen)
    # Asking for less gives the beginning of the same list.
    fewer = names(pick(some, seconds=500.0, voices=((0.0,) * 4,)))
    assert fewer == names(chosen)[: len(fewer)]
