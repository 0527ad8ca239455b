"""ELAN files are read with the times that ELAN shows and the recordings that they name."""

import pytest
from elan_documents import ReadEaf, aligned, document, ref, tier, times

from lowres.annotation.elan_media import path_from_url
from lowres.annotation.tiers import Annotation, MediaLink

# What a sound file says


def test_an_aligned_annotation_has_the_times_of_its_slots_in_seconds(read_eaf: ReadEaf) -> None:
    found = read_eaf(
        document(tier("A", "top", aligned("a1", "ts1", "ts2", "kí wo")), slots={"ts1": "780", "ts2": "1590"})
    )
    assert found.tiers[0].annotations == (Annotation(0.78, 1.59, "kí wo"),)
    assert found.notes == ()


def test_a_tier_says_who_speaks_which_language_and_what_kind_it_is(read_eaf: ReadEaf) -> None:
    more = 'PARTICIPANT="Ana" LANG_REF="mdw" DEFAULT_LOCALE="en"'
    found = read_eaf(document(tier("A", "top", more=more))).tiers[0]
    assert (found.name, found.participant, found.language, found.linguistic_type) == ("A", "Ana", "mdw", "top")
    assert found.kind == "intervals"


def test_the_locale_is_the_language_where_no_other_is_given(read_eaf: ReadEaf) -> None:
    assert read_eaf(document(tier("A", "top", more='DEFAULT_LOCALE="fr"'))).tiers[0].language == "fr"


def test_text_is_kept_exactly_with_its_white_space_and_line_breaks(read_eaf: ReadEaf) -> None:
    text = "  a\tb \n c&#13;&lt;&amp;&#x1F600;e\u0301 "
    found = read_eaf(document(tier("A", "top", aligned("a1", "ts1", "ts2", text))))
    assert found.tiers[0].annotations[0].text == "  a\tb \n c\r<&😀e\u0301 "


def test_text_around_a_comment_and_in_cdata_is_all_there(read_eaf: ReadEaf) -> None:
    found = read_eaf(document(tier("A", "top", aligned("a1", "ts1", "ts2", "a<!-- no -->b<![CDATA[<c>]]>"))))
    assert found.tiers[0].annotations[0].text == "ab<c>"


def test_an_annotation_without_a_value_is_empty(read_eaf: ReadEaf) -> None:
    one = (
        '<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2"/></ANNOTATION>'
    )
    assert read_eaf(document(tier("A", "top", one))).tiers[0].annotations == (Annotation(0.0, 1.0, ""),)


def test_annotations_come_in_the_order_of_their_times(read_eaf: ReadEaf) -> None:
    slots: dict[str, str | None] = {"ts1": "0", "ts2": "1000", "ts3": "2000"}
    found = read_eaf(document(tier("A", "top", aligned("b", "ts2", "ts3"), aligned("a", "ts1", "ts2")), slots=slots))
    assert [one.text for one in found.tiers[0].annotations] == ["a", "b"]


def test_an_associated_annotation_has_its_parents_times(read_eaf: ReadEaf) -> None:
    found = read_eaf(
        document(tier("A", "top", aligned("a1", "ts1", "ts2")), tier("B", "same", ref("b1", "a1"), parent="A"))
    )
    assert times(found.tiers[1]) == [("b1", 0.0, 1.0)]
    assert found.tiers[1].parent == "A"


def test_symbolic_subdivisions_divide_the_parents_time_evenly_in_the_order_they_follow_each_other(
    read_eaf: ReadEaf,
) -> None:
    parts = [ref("b3", "a1", "b2"), ref("b1", "a1"), ref("b4", "a1", "b3"), ref("b2", "a1", "b1")]
    found = read_eaf(document(tier("A", "top", aligned("a1", "ts1", "ts2")), tier("B", "parts", *parts, parent="A")))
    assert times(found.tiers[1]) == [("b1", 0.0, 0.25), ("b2", 0.25, 0.5), ("b3", 0.5, 0.75), ("b4", 0.75, 1.0)]


def test_a_chain_of_siblings_divides_its_parent_even_where_the_type_is_not_declared(read_eaf: ReadEaf) -> None:
    parts = [ref("b1", "a1"), ref("b2", "a1", "b1")]
    tiers = [tier("A", "top", aligned("a1", "ts1", "ts2")), tier("B", "parts", *parts, parent="A")]
    assert times(read_eaf(document(*tiers, more="")).tiers[1]) == [("b1", 0.0, 0.5), ("b2", 0.5, 1.0)]


def test_several_levels_of_dependent_tiers_are_followed_whatever_order_they_stand_in(read_eaf: ReadEaf) -> None:
    gloss = tier("gloss", "same", ref("g2", "m2"), parent="morph")
    morph = tier("morph", "parts", ref("m1", "w2"), ref("m2", "w2", "m1"), parent="word")
    word = tier("word", "parts", ref("w1", "a1"), ref("w2", "a1", "w1"), parent="A")
    found = read_eaf(document(gloss, morph, word, tier("A", "top", aligned("a1", "ts1", "ts2"))))
    assert times(found.tiers[1]) == [("m1", 0.5, 0.75), ("m2", 0.75, 1.0)]
    assert times(found.tiers[0]) == [("g2", 0.75, 1.0)]


def test_slots_without_a_time_lie_evenly_between_the_known_ones_of_their_tier(read_eaf: ReadEaf) -> None:
    slots: dict[str, str | None] = {"ts1": "0", "other": "10", "ts2": None, "ts3": None, "ts4": "900"}
    words = tier(
        "W", "time", aligned("w1", "ts1", "ts2"), aligned("w2", "ts2", "ts3"), aligned("w3", "ts3", "ts4"), parent="A"
    )
    found = read_eaf(document(tier("A", "top", aligned("a1", "ts1", "ts4")), words, slots=slots))
    assert times(found.tiers[1]) == [("w1", 0.0, 0.3), ("w2", 0.3, 0.6), ("w3", 0.6, 0.9)]
    assert found.notes == ("2 time slot(s) have no time and were placed evenly between their neighbours: ts2, ts3.",)


def test_a_tier_that_divides_a_divided_tier_is_placed_after_it(read_eaf: ReadEaf) -> None:
    # W: 0-?-1000, so its middle is 500; the morph tier divides its first half only, at 250.
    slots: dict[str, str | None] = {"ts1": "0", "m": None, "w": None, "ts2": "1000"}
    morph = tier("M", "time", aligned("m1", "ts1", "m"), aligned("m2", "m", "w"), parent="W")
    word = tier("W", "time", aligned("w1", "ts1", "w"), aligned("w2", "w", "ts2"), parent="A")
    found = read_eaf(document(morph, word, tier("A", "top", aligned("a1", "ts1", "ts2")), slots=slots))
    assert times(found.tiers[0]) == [("m1", 0.0, 0.25), ("m2", 0.25, 0.5)]


def test_a_slot_at_the_edge_of_its_tier_lies_between_its_neighbours_in_the_file(read_eaf: ReadEaf) -> None:
    slots: dict[str, str | None] = {"ts1": "0", "ts2": None, "ts3": "1000"}
    found = read_eaf(document(tier("A", "in", aligned("a1", "ts2", "ts3")), slots=slots))
    assert times(found.tiers[0]) == [("a1", 0.5, 1.0)]


@pytest.mark.parametrize("declared", ["2.7", "2.8", "3.0"])
def test_the_usual_versions_are_read_without_a_word(read_eaf: ReadEaf, declared: str) -> None:
    assert read_eaf(document().replace('FORMAT="3.0"', f'FORMAT="{declared}"')).notes == ()


def test_an_unknown_version_and_other_units_are_said(read_eaf: ReadEaf) -> None:
    notes = read_eaf(document().replace('FORMAT="3.0"', 'FORMAT="4.0"').replace('"milliseconds"', '"PAL-frames"')).notes
    assert len(notes) == 2
    assert "'4.0'" in notes[0]
    assert "'PAL-frames'" in notes[1]


def test_a_file_in_utf_16_is_read(read_eaf: ReadEaf) -> None:
    contents = document(tier("Ọ̀rọ̀", "top", aligned("a1", "ts1", "ts2", "ẹ̀"))).replace("UTF-8", "UTF-16")
    found = read_eaf(contents.encode("utf-16"))
    assert (found.tiers[0].name, found.tiers[0].annotations[0].text) == ("Ọ̀rọ̀", "ẹ̀")


# Recordings


def test_every_recording_is_named_with_both_paths_and_its_offset(read_eaf: ReadEaf) -> None:
    header = (
        '<MEDIA_DESCRIPTOR MEDIA_URL="file:///home/ana/my%20story.wav" RELATIVE_MEDIA_URL="./my%20story.wav"/>'
        '<MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/video.mp4" RELATIVE_MEDIA_URL="file:/../v.mp4" TIME_ORIGIN="1250"/>'
    )
    assert read_eaf(document(header=header)).media == (
        MediaLink("/home/ana/my story.wav", "./my story.wav"),
        MediaLink("C:/video.mp4", "../v.mp4", 1.25),
    )


def test_the_one_recording_of_the_first_versions_is_found(read_eaf: ReadEaf) -> None:
    contents = document().replace('MEDIA_FILE=""', 'MEDIA_FILE="file:///a.wav"')
    assert read_eaf(contents).media == (MediaLink("/a.wav"),)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///home/a%C3%A9.wav", "/home/aé.wav"),
        ("file:/home/a.wav", "/home/a.wav"),
        ("file://localhost/home/a.wav", "/home/a.wav"),
        ("FILE:///C|/a.wav", "C:/a.wav"),
        ("file:///C:\\rec\\a.wav", "C:\\rec\\a.wav"),
        ("file://server/share/a.wav", "//server/share/a.wav"),
        ("file://///server/share/a.wav", "//server/share/a.wav"),
        ("file:///\\\\server\\share\\a.wav", "\\\\server\\share\\a.wav"),
        ("\\\\server\\share\\a.wav", "\\\\server\\share\\a.wav"),
        ("C:\\my recordings\\a.wav", "C:\\my recordings\\a.wav"),
        ("audio%20.wav", "audio%20.wav"),
        ("https://example.org/a%20b.wav", "https://example.org/a%20b.wav"),
        ("file:///home/100%.wav", "/home/100%.wav"),
        ("file:///home/%E9.wav", "/home/%E9.wav"),  # not UTF-8, so not turned back
        ("file:///home/%00.wav", "/home/%00.wav"),
        ("file:", ""),
        ("", ""),
    ],
)
def test_addresses_become_paths(url: str, path: str) -> None:
    assert path_from_url(url) == path


@pytest.mark.parametrize("written", ["NaN", "1e400", "9" * 5000, "", "٣"])
def test_an_offset_that_is_no_number_is_none_and_is_said(read_eaf: ReadEaf, written: str) -> None:
    found = read_eaf(document(header=f'<MEDIA_DESCRIPTOR MEDIA_URL="a.wav" TIME_ORIGIN="{written}"/>'))
    assert found.media == (MediaLink("a.wav"),)
    assert found.notes == ("1 recording(s) have an offset that is no number, and were given none: 'a.wav'.",)
