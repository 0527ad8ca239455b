"""Cautions: each appears when it must and only then."""

from collections.abc import Callable

from lowres.report.contents import ReportContents

MakeContents = Callable[..., ReportContents]
MANY = [("a b", "a c", "a b")] * 120
SPEAKERS = [f"speaker {i % 6}" for i in range(120)]


def badges(contents: ReportContents) -> list[str]:
    return [caution.badge for caution in contents.cautions]


def test_nothing_is_said_where_nothing_speaks_against_the_figure(make_contents: MakeContents) -> None:
    assert badges(make_contents(MANY, speakers=SPEAKERS)) == []


def test_speakers_and_sentences_seen_in_training_have_their_badges(make_contents: MakeContents) -> None:
    contents = make_contents(MANY, speakers=SPEAKERS, shared_speakers=("speaker 1",), num_shared_sentences=7)
    assert badges(contents) == ["speakers seen in training", "sentences seen in training"]
    assert "1 of 6 speakers of this split also spoke" in contents.cautions[0].sentence
    assert "7 of 120 sentences" in contents.cautions[1].sentence


def test_all_speakers_seen_is_said_plainly(make_contents: MakeContents) -> None:
    contents = make_contents(MANY, speakers=SPEAKERS, shared_speakers=tuple(sorted(set(SPEAKERS))))
    assert contents.cautions[0].sentence.startswith("All speakers")


def test_small_tests_and_few_speakers_are_called_out(make_contents: MakeContents) -> None:
    assert badges(make_contents(MANY[:99], speakers=SPEAKERS[:99])) == ["few utterances"]
    assert badges(make_contents(MANY, speakers=["ana"] * 120)) == ["one speaker"]
    assert badges(make_contents(MANY, speakers=["ana", "ben"] * 60)) == ["few speakers"]
    assert badges(make_contents(MANY, speakers=[""] * 120)) == ["speakers unknown"]
    assert badges(make_contents(MANY, speakers=["", "ana"] * 60)) == ["few speakers", "some speakers unknown"]


def test_a_range_for_other_speakers_is_promised_only_where_there_is_one(make_contents: MakeContents) -> None:
    for names in (["ana", "ben"], ["", "ana"]):
        contents = make_contents(MANY, speakers=names * 60)
        assert contents.scorecard.normalised.words.over_speakers is None
        assert "too few to say how far other speakers may differ" in contents.cautions[0].sentence
    contents = make_contents(MANY, speakers=["ana", "ben", "carl"] * 40)
    assert contents.scorecard.normalised.words.over_speakers is not None
    assert "the range for other speakers is a rough figure" in contents.cautions[0].sentence


def test_synthetic_speech_and_dev_are_called_out(make_contents: MakeContents) -> None:
    contents = make_contents(MANY, speakers=SPEAKERS, synthetic=True, dev_chose_checkpoint=True, split="dev")
    assert badges(contents) == ["synthetic speech", "scored on dev"]


def test_what_was_left_out_or_cannot_be_written_is_counted(make_contents: MakeContents) -> None:
    contents = make_contents(MANY, speakers=SPEAKERS, num_excluded=3, unwritable={"ʃ": 4})
    assert [c.serious for c in contents.cautions] == [False, False]
    assert "3 utterances" in contents.cautions[0].sentence
    assert "“ʃ” (4)" in contents.cautions[1].sentence


def test_a_mark_that_cannot_be_written_does_not_sit_on_a_quotation_mark(make_contents: MakeContents) -> None:
    unwritable = {"\u0301": 4, "\u0942": 2, "\u00a0": 1, "e\u0301": 1}
    contents = make_contents(MANY, speakers=SPEAKERS, unwritable=unwritable)
    listed = "“\u25cc\u0301” (4), “\u25cc\u0942” (2), U+00A0 (1), “e\u0301” (1)."
    assert contents.cautions[0].sentence.endswith(listed)


def test_text_rules_that_make_the_figure_better_are_called_out(make_contents: MakeContents) -> None:
    contents = make_contents([("a b", "a c", "A b.")] * 120, speakers=SPEAKERS)
    assert badges(contents) == ["text rules count"]
    assert "100 of 100 words are wrong instead of 50" in contents.cautions[0].sentence


def test_a_recogniser_that_does_not_listen_is_called_out(make_contents: MakeContents) -> None:
    deaf = [(f"a b{i}", "ma", f"a b{i}") for i in range(120)]
    assert badges(make_contents(deaf, speakers=SPEAKERS)) == ["writes the same over and over"]
    silent = [(f"a b{i}", "", f"a b{i}") for i in range(120)]
    assert badges(make_contents(silent, speakers=SPEAKERS)) == ["often wrote nothing"]


def test_one_of_anything_is_spoken_of_as_one(make_contents: MakeContents) -> None:
    contents = make_contents([("a b", "a c", "a b")], speakers=["ana"], num_excluded=1, num_shared_sentences=1)
    sentences = " ".join(caution.sentence for caution in contents.cautions)
    assert "Only 1 utterance was scored:" in sentences
    assert "1 utterance of this split was left out by the checks" in sentences
    assert "and is not scored" in sentences
    assert "1 of 1 sentences of this split is, word for word," in sentences
    one_unnamed = make_contents([*MANY, ("", "x", "")], speakers=[*SPEAKERS, ""])
    sentences = " ".join(caution.sentence for caution in one_unnamed.cautions)
    assert "1 reference is empty;" in sentences
    assert "Nobody said who speaks in 1 utterance; it counts as one more speaker." in sentences
    deaf = make_contents([(f"a b{i}", "ma", f"a b{i}") for i in range(120)], speakers=SPEAKERS)
    assert "For 120 different sentences the recogniser wrote only 1 line:" in deaf.cautions[0].sentence


def test_empty_references_are_counted(make_contents: MakeContents) -> None:
    contents = make_contents([*MANY, ("", "x", "")], speakers=[*SPEAKERS, "speaker 0"])
    assert badges(contents) == ["empty references"]
