"""A transcript is shown on tiers whose annotations never overlap and never leave the recording."""

import dataclasses

import pytest
from few_and_many import few_and_many
from hypothesis import strategies as st
from spoken import transcript, utterance, word

from lowres.annotation.tiers import Tier, split_tier_name
from lowres.annotation.transcript import SpokenUtterance, Transcript, place_apart, transcript_tiers
from lowres.errors import CorpusError


def times(tier: Tier) -> list[tuple[str, float, float]]:
    return [(one.text, one.start_seconds, one.end_seconds) for one in tier.annotations]


def by_name(*tiers: Tier) -> dict[str, Tier]:
    assert len({tier.name for tier in tiers}) == len(tiers)
    return {tier.name: tier for tier in tiers}


def test_an_utterance_says_its_words_and_is_as_sure_as_they_are_on_the_mean() -> None:
    spoken = SpokenUtterance(0, 3, (word("kí", 0, 1, 0.5), word("wo", 1, 2), word("yi", 2, 3, 1.0)))
    assert (spoken.text, spoken.confidence) == ("kí wo yi", 0.75)


def test_an_utterance_of_which_nothing_is_known_has_no_confidence() -> None:
    assert SpokenUtterance(0, 1, (word("kí", 0, 1),)).confidence is None
    assert (SpokenUtterance(0, 1, ()).confidence, SpokenUtterance(0, 1, ()).text) == (None, "")


@pytest.mark.parametrize("spoken", [transcript(), utterance("kí", 0, 1), *(one := word("kí", 0, 1)).letters, one])
def test_what_was_heard_cannot_be_changed(spoken: object) -> None:
    field = dataclasses.fields(spoken)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(spoken, field, "")
    assert not hasattr(spoken, "__dict__")


def test_there_are_tiers_of_utterances_words_letters_and_doubtful_words() -> None:
    heard = transcript(
        SpokenUtterance(0, 3, (word("kí", 0.25, 1, 0.9), word("wo", 1.5, 2, 0.3))), utterance("yi", 5, 6, "", None)
    )
    tiers = by_name(*transcript_tiers(heard, with_letters=True))
    assert list(tiers) == ["lowres", "lowres words", "lowres letters", "lowres doubtful"]
    assert times(tiers["lowres"]) == [("kí wo", 0, 3), ("yi", 5, 6)]
    assert times(tiers["lowres words"]) == [("kí", 0.25, 1), ("wo", 1.5, 2), ("yi", 5, 6)]
    assert times(tiers["lowres letters"])[:3] == [("k", 0.25, 0.625), ("í", 0.625, 1), ("w", 1.5, 1.75)]
    assert times(tiers["lowres doubtful"]) == [("wo", 1.5, 2)]
    assert [tier.linguistic_type for tier in tiers.values()] == ["utterance", "word", "letter", "word"]


@pytest.mark.parametrize(("below", "doubtful"), [(0.5, ["b"]), (0.51, ["b", "c"]), (0.2, None), (None, None)])
def test_only_words_below_the_limit_are_doubtful(below: float | None, doubtful: list[str] | None) -> None:
    words = (word("a", 0, 1), word("b", 1, 2, 0.2), word("c", 2, 3, 0.5))
    tiers = by_name(*transcript_tiers(transcript(SpokenUtterance(0, 3, words)), doubtful_below=below, with_words=False))
    assert list(tiers) == (["lowres"] if doubtful is None else ["lowres", "lowres doubtful"])
    if doubtful is not None:
        assert [one.text for one in tiers["lowres doubtful"].annotations] == doubtful


def test_every_voice_has_its_own_tiers_with_its_name_and_may_speak_while_another_does() -> None:
    heard = transcript(utterance("kí wo", 0, 2, "Ana"), utterance("ɛ", 1, 3, "Bo@b", 0.1), utterance("yi", 4, 5, "Ana"))
    tiers = by_name(*transcript_tiers(heard, name="auto"))
    assert list(tiers) == [
        "auto@Ana", "auto words@Ana", "auto@Bo@b", "auto words@Bo@b", "auto doubtful@Bo@b"
    ]  # fmt: skip
    assert [tier.participant for tier in tiers.values()] == ["Ana", "Ana", "Bo@b", "Bo@b", "Bo@b"]
    assert all(split_tier_name(name)[1] == tier.participant for name, tier in tiers.items())
    assert times(tiers["auto@Ana"]) == [("kí wo", 0, 2), ("yi", 4, 5)]
    assert times(tiers["auto@Bo@b"]) == [("ɛ", 1, 3)]


def test_a_recording_in_which_nothing_was_heard_has_empty_tiers() -> None:
    assert [(tier.name, tier.annotations) for tier in transcript_tiers(transcript(SpokenUtterance(0, 1, ())))] == [
        ("lowres", ()),
        ("lowres words", ()),
    ]
    assert [tier.name for tier in transcript_tiers(transcript(seconds=0))] == ["lowres", "lowres words"]


@pytest.mark.parametrize("name", ["", "a@b", "@"])
def test_a_name_that_would_name_a_speaker_is_refused(name: str) -> None:
    with pytest.raises(CorpusError, match="A tier cannot be called"):
        transcript_tiers(transcript(), name=name)


def test_times_past_the_recording_and_before_it_are_brought_into_it() -> None:
    tiers = transcript_tiers(transcript(utterance("a", -0.2, 1), utterance("b", 8, 12.5), seconds=10.0004))
    assert times(tiers[0]) == [("a", 0, 1), ("b", 8, 10)]


def test_what_overlaps_ends_where_the_next_begins() -> None:
    assert place_apart([(0, 5), (1, 2), (1.5, 1.5), (4, 6)], 10) == [(0, 1), (1, 1.5), (1.5, 1.501), (4, 6)]


def test_what_begins_at_the_same_time_or_after_the_end_still_has_a_place() -> None:
    assert place_apart([(9.9, 12), (11, 12), (11, 12)], 10) == [(9.9, 9.998), (9.998, 9.999), (9.999, 10)]
    assert place_apart([(3, 3), (3, 3)], 10) == [(3, 3.001), (3.001, 3.002)]


def test_more_annotations_than_milliseconds_are_refused() -> None:
    with pytest.raises(CorpusError, match=r"2 annotations have no room in a recording of 0\.001 s"):
        transcript_tiers(transcript(utterance("a b", 0, 1), seconds=0.001))


SECONDS = st.floats(-5, 70, allow_nan=False)


@few_and_many(200, spans=st.lists(st.tuples(SECONDS, SECONDS), max_size=12), seconds=st.floats(0.05, 60))
def test_times_never_overlap_never_leave_the_recording_and_stay_in_order(
    spans: list[tuple[float, float]], seconds: float
) -> None:
    spans.sort()
    placed = place_apart(spans, seconds)
    edges = [edge for span in placed for edge in span]
    assert len(placed) == len(spans)
    assert edges == sorted(edges)
    assert all(end - start > 0.0009 for start, end in placed)
    assert not edges or (edges[0] >= 0 and edges[-1] <= seconds + 1e-9)
    assert place_apart(placed, seconds) == placed


@few_and_many(50, starts=st.lists(st.integers(0, 59_000), min_size=1, max_size=8, unique=True))
def test_times_that_are_apart_are_only_rounded(starts: list[int]) -> None:
    starts.sort()
    ends = [*starts[1:], 60_000]
    spans = [(start / 1000, end / 1000) for start, end in zip(starts, ends, strict=True)]
    heard = Transcript("a", 60.0, tuple(utterance("a", start, end) for start, end in spans))
    assert [(start, end) for _, start, end in times(transcript_tiers(heard)[0])] == spans
