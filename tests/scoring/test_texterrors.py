"""A second scorer, the texterrors package, counts the same errors: on any pairs of lines, and through its command.

Its words are counted by the fewest edits, as ours are. For characters it has two counts: `seq_distance`, which is the
fewest edits, and that of its option --cer, which follows the path that is cheapest when a substitution costs 4 and
the others 3. On lines that resemble each other both are the same; on unlike ones the second can be one or two more.
"""

import json
from pathlib import Path

import pytest
import texterrors.texterrors as peer  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st
from loguru import logger
from typer.testing import CliRunner

from lowres.scoring.alignment import align_characters, align_words
from lowres.scoring.error_rates import ErrorCounts, count_errors

WORDS = st.text(
    st.one_of(
        st.sampled_from("abɛεa\u0301e\u0323ːʃ˥אב\u05b8كتّदि़"),
        st.characters(categories=["L", "M", "N", "P", "S"]),
    ),
    min_size=1,
    max_size=6,
)
LINES = st.lists(WORDS, max_size=7).map(" ".join)
# What a recogniser of few hours makes of field recordings: marks, length, boundaries, whole lines gone or added.
FIELD_PAIRS = [
    ("wáa dzé la mwána", "wáa dze la mwana"),
    ("okwɛɛngɛ́ mbía", "okwɛngɛ mbia"),
    ("bísi lekyéndɛ́", "bísile kyɛndɛ́"),
    ("", "yé"),
    ("ómbósi adi", ""),
    ("", ""),
    ("a", "a"),
    ("ẹ̀kọ́ dára ọmọ", "ẹkọ dara ọmọ mi"),
    ("ʃiː˥ kʰə²¹", "ʃi˥ kə²¹"),
    ("שָׁלוֹם עולם", "שלום עולם"),
    ("كَتَبَ الولد", "كتب الولد ال"),
    ("बच्चा दिन हँस", "बचा दीन हस"),
    ("ป้า มา", "ปามา"),
    ("你 好 吗", "你 吗"),
    ("𞤀𞤁𞤂 x", "𞤀𞤂 x"),
]


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> None:
    logger.disable("texterrors")


def our_counts(pairs: list[tuple[str, str]]) -> tuple[ErrorCounts, ErrorCounts]:
    """Words and characters."""
    references, hypotheses = [said for said, _ in pairs], [heard for _, heard in pairs]
    return count_errors(align_words(references, hypotheses)), count_errors(align_characters(references, hypotheses))


def their_counts(pairs: list[tuple[str, str]]) -> peer.ErrorStats:
    """What texterrors counts, aligned as its command does unless told otherwise."""
    said, heard = (
        {str(number): peer.Utt(str(number), peer.StringVector(pair[side].split())) for number, pair in enumerate(pairs)}
        for side in (0, 1)
    )
    _, stats = peer.process_lines(
        said,
        heard,
        debug=False,
        use_chardiff=False,
        isctm=False,
        skip_detailed=True,
        terminal_width=80,
        oracle_wer=False,
        keywords=[],
        oov_set=set(),
        cer=True,
        utt_group_map=None,
        group_stats=None,
        nocolor=True,
        insert_tok="<eps>",
    )
    return stats


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(LINES, LINES), min_size=1, max_size=6))
def test_words_and_characters_are_counted_as_texterrors_does(pairs: list[tuple[str, str]]) -> None:
    words, characters = our_counts(pairs)
    stats = their_counts(pairs)
    wrong = sum(map(sum, (stats.ins.values(), stats.dels.values(), stats.subs.values())))
    assert (words.num_errors, words.num_reference) == (wrong, stats.total_count)
    assert words.num_errors == stats.total_cost
    fewest = sum(peer.seq_distance(list(said), list(heard)) for said, heard in pairs)
    assert (characters.num_errors, characters.num_reference) == (fewest, stats.char_count)
    assert characters.num_errors <= stats.char_error_count


def test_both_rates_equal_those_of_the_texterrors_command_to_the_last_digit(tmp_path: Path) -> None:
    said, heard = tmp_path / "said.txt", tmp_path / "heard.txt"
    said.write_text("".join(f"{reference}\n" for reference, _ in FIELD_PAIRS), "utf-8")
    heard.write_text("".join(f"{hypothesis}\n" for _, hypothesis in FIELD_PAIRS), "utf-8")
    arguments = [str(said), str(heard), "--cer", "--skip-detailed", "--output-format", "json"]
    result = CliRunner().invoke(peer.app, arguments)
    summary = json.loads(result.stdout)["summary"]
    words, characters = our_counts(FIELD_PAIRS)
    assert 100.0 * words.num_errors / words.num_reference == summary["wer"]
    assert 100.0 * characters.num_errors / characters.num_reference == summary["cer"]
    assert (words.num_reference, characters.num_reference) == (summary["total_ref_words"], summary["char_count"])
    assert len(FIELD_PAIRS) == summary["total_utterances"]
