import pytest

from lowres.report.language_tag import language_tag


@pytest.mark.parametrize(
    ("language", "script", "tag"),
    [
        ("yor", "", "yo"),  # axe-core's valid-lang, and browsers, know no "yor"
        ("swh", "", "swh"),  # Coastal Swahili has no two letters; "sw" is the macrolanguage
        ("mdw", "Latn", "mdw-Latn"),
        ("heb", "Hebr", "he-Hebr"),
        ("yo", "", "yo"),
        ("yor-NG", "", "yo-NG"),
        ("qqq", "", "qqq"),
        ("Yoruba", "", ""),
        ("yor x", "", ""),
        ('yor" onload="', "", ""),
        ("", "Latn", ""),
    ],
)
def test_a_language_has_the_tag_that_browsers_know(language: str, script: str, tag: str) -> None:
    assert language_tag(language, script) == tag
