"""What cannot be seen is given by its number wherever a transcript is quoted."""

import pytest

from lowres.text.hidden import number_hidden


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ɔ́ wo 한", "ɔ́ wo 한"),
        ("a\u202eb\nc", "aU+202EbU+000Ac"),
        ("a\u00a0b", "aU+00A0b"),  # looks like a space and is none
        ("\ud800", "U+D800"),
        ("می\u200cخواهم क्\u200dष", "می\u200cخواهم क्\u200dष"),  # joiners spell
    ],
)
def test_what_hides_is_numbered_and_orthography_stays(text: str, shown: str) -> None:
    assert number_hidden(text) == shown
