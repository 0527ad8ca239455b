"""A correction is in the manifest and in the history, never in the recordings; two tabs lose nothing."""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path

import pytest
from serving import open_studio
from visiting import Answer, Visitor
from working import TRANSCRIPTS, prepare_again

from lowres.errors import CorpusError
from lowres.manifest.corpus import load_corpus
from lowres.manifest.corrections import read_corrections
from lowres.manifest.writing_alone import writing_alone
from lowres.stages import correct
from lowres.studio import desk as desk_module
from lowres.studio.desk import key_of
from lowres.studio.server import Studio

NAME = "train/ana_00"
PAGE = f"/corpus/{key_of(NAME)}"


def seen(answer: Answer) -> str:
    found = re.search(r'name="seen" value="([^"]+)"', answer.text)
    assert found
    return found.group(1)


def typed(answer: Answer) -> str:
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", answer.text, re.DOTALL)
    assert found
    return unescape(found.group(1))


def author(answer: Answer) -> str:
    found = re.search(r'name="author" value="([^"]*)"', answer.text)
    assert found
    return unescape(found.group(1))


def save(visitor: Visitor, raw_text: str, version: str | None = None, **more: str) -> Answer:
    version = version if version is not None else seen(visitor.get(PAGE))
    return visitor.post(PAGE, {"raw_text": raw_text, "seen": version, **more})


def row_of(project: Path, name: str = NAME) -> tuple[str, str]:
    """The transcript as written and after the rules, of a corpus that loads."""
    row = load_corpus(project / "corpus").table.set_index("utterance_id").loc[name]
    return str(row["raw_text"]), str(row["text"])


def hashes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_correction_is_saved_with_what_stood_before_and_nothing_of_the_corpus_itself_changes(
    project: Path, visitor: Visitor
) -> None:
    originals, shards = hashes(project / "recordings"), hashes(project / "corpus" / "shards")
    assert save(visitor, "Mbóte, na yó!", author="Adèle M.").status == 303
    assert row_of(project) == ("Mbóte, na yó!", "mbóte na yó")
    (one,) = read_corrections(project)[NAME]
    assert (one.revision, one.kind, one.author) == (1, "corrected", "Adèle M.")
    assert (one.source_text, one.raw_before, one.raw_after) == ("Mbote na yo.", "Mbote na yo.", "Mbóte, na yó!")
    assert (one.text_before, one.text_after) == ("mbote na yo", "mbóte na yó")
    assert hashes(project / "recordings") == originals
    assert hashes(project / "corpus" / "shards") == shards


def test_the_page_shows_the_history_and_brings_any_version_back(project: Path, visitor: Visitor) -> None:
    save(visitor, "First.")
    save(visitor, "Second.")
    page = visitor.get(PAGE)
    assert all(text in page.text for text in ("First.", "Second.", "Mbote na yo."))
    visitor.post(PAGE, {"action": "restore", "revision": "1", "seen": seen(page)})
    assert row_of(project) == ("First.", "first")
    visitor.post(PAGE, {"action": "restore", "revision": "0", "seen": seen(visitor.get(PAGE))})
    assert row_of(project) == ("Mbote na yo.", "mbote na yo")
    assert [one.kind for one in read_corrections(project)[NAME]] == ["corrected", "corrected", "restored", "restored"]
    answer = visitor.post(PAGE, {"action": "restore", "revision": "99", "seen": "x"})
    assert answer.status == 422


def test_of_two_tabs_the_second_is_told_and_both_texts_stay_in_the_history(project: Path, visitor: Visitor) -> None:
    version = seen(visitor.get(PAGE))
    assert save(visitor, "From the first tab", version).status == 303
    conflict = save(visitor, "From the second tab", version)
    assert conflict.status == 409
    assert "From the first tab" in conflict.text
    assert typed(conflict) == "From the second tab"
    assert row_of(project)[0] == "From the first tab"
    assert [(one.raw_after, one.kind) for one in read_corrections(project)[NAME]] == [
        ("From the first tab", "corrected"),
        ("From the second tab", "set aside"),
    ]
    # Whoever sees both may now choose: nothing changed since the page of the conflict was made.
    assert save(visitor, "From the second tab", seen(conflict)).status == 303
    assert row_of(project)[0] == "From the second tab"


def test_looking_again_before_saving_hides_no_conflict(
    project: Path, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = seen(visitor.get(PAGE))
    assert save(visitor, "From the first tab", version).status == 303
    checked = save(visitor, "From the second tab", version, action="check")
    monkeypatch.setattr(desk_module, "_PATIENCE_SECONDS", 0.1)
    with writing_alone(project, patience_seconds=1):
        refused = save(visitor, "From the second tab", seen(checked))
    assert (checked.status, refused.status) == (200, 422)
    assert save(visitor, "From the second tab", seen(refused)).status == 409
    assert row_of(project)[0] == "From the first tab"


def test_a_name_that_was_typed_stays_until_it_is_saved(visitor: Visitor) -> None:
    version = seen(visitor.get(PAGE))
    save(visitor, "First.", version, author="Adèle")
    for answer in (
        save(visitor, "Second.", author="Bénédicte", action="check"),
        save(visitor, "?!", author="Bénédicte"),
        save(visitor, "Second.", version, author="Bénédicte"),
    ):
        assert author(answer) == "Bénédicte"
    assert author(visitor.get(PAGE)) == "Adèle"


def test_two_tabs_that_save_the_same_are_no_conflict(project: Path, visitor: Visitor) -> None:
    version = seen(visitor.get(PAGE))
    assert save(visitor, "The same", version).status == 303
    assert save(visitor, "The same", version).status == 303
    assert len(read_corrections(project)[NAME]) == 1


def test_eight_at_once_lose_nothing(project: Path, visitor: Visitor) -> None:
    version = seen(visitor.get(PAGE))
    texts = [f"Number {number}" for number in range(8)]
    with ThreadPoolExecutor(8) as tabs:
        statuses = list(tabs.map(lambda text: save(visitor, text, version).status, texts))
    assert sorted(statuses) == [303] + [409] * 7
    history = read_corrections(project)[NAME]
    assert sorted(one.raw_after for one in history) == texts
    assert [one.revision for one in history] == list(range(1, 9))
    assert row_of(project)[0] == next(one.raw_after for one in history if one.kind == "corrected")


def test_two_studios_of_one_project_see_what_the_other_saved(project: Path, visitor: Visitor) -> None:
    version = seen(visitor.get(PAGE))
    with open_studio(project) as other_studio:
        other = Visitor(other_studio.port).enter(other_studio.keys.token)
        assert save(other, "From elsewhere").status == 303
    assert save(visitor, "From here", version).status == 409


def test_preparing_again_keeps_corrections(project: Path, visitor: Visitor) -> None:
    save(visitor, "Mbóte, na yó!")
    result = prepare_again(project)
    assert row_of(project) == ("Mbóte, na yó!", "mbóte na yó")
    assert any("1 transcript taken as corrected in `lowres studio`" in note for note in result.corpus.info.warnings)
    assert typed(visitor.get(PAGE)) == "Mbóte, na yó!"


def test_a_transcript_that_changed_in_the_corpus_since_is_not_overwritten_by_its_correction(
    project: Path, visitor: Visitor
) -> None:
    save(visitor, "Mbóte, na yó!")
    (project / "recordings" / f"{NAME}.txt").write_text("Quite another text\n", encoding="utf-8")
    result = prepare_again(project)
    assert row_of(project)[0] == "Quite another text"
    assert any(NAME in note and "changed in the corpus itself" in note for note in result.corpus.info.warnings)
    assert save(visitor, "Quite another text, corrected").status == 303
    prepare_again(project)
    assert row_of(project)[0] == "Quite another text, corrected"


def test_a_correction_that_was_made_in_the_corpus_too_is_simply_there(project: Path, visitor: Visitor) -> None:
    save(visitor, "Mbóte, na yó!")
    (project / "recordings" / f"{NAME}.txt").write_text("Mbóte, na yó!\n", encoding="utf-8")
    result = prepare_again(project)
    assert row_of(project)[0] == "Mbóte, na yó!"
    assert not any("corrected" in note for note in result.corpus.info.warnings)


def test_a_corrected_utterance_that_is_gone_is_named(project: Path, visitor: Visitor) -> None:
    save(visitor, "Mbóte, na yó!")
    for suffix in (".txt", ".wav"):
        (project / "recordings" / f"{NAME}{suffix}").unlink()
    assert any(NAME in note and "no longer" in note for note in prepare_again(project).corpus.info.warnings)


def test_while_another_program_writes_the_corpus_nothing_is_saved_and_what_was_typed_stays(
    project: Path, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "_PATIENCE_SECONDS", 0.1)
    with writing_alone(project, patience_seconds=1):
        answer = save(visitor, "Typed meanwhile")
    assert answer.status == 422
    assert "Another lowres is writing the corpus" in answer.text
    assert typed(answer) == "Typed meanwhile"
    assert row_of(project)[0] == "Mbote na yo."


def fail_to_save(visitor: Visitor, raw_text: str) -> Answer:
    """Save on a disk that takes the line of the history and no corpus."""

    def refuse(*_: object) -> None:
        raise CorpusError("The disk is full.", "Free some space.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(correct, "rewrite_corpus", refuse)
        answer = save(visitor, raw_text)
    assert answer.status == 422
    assert "The disk is full" in answer.text
    return answer


def test_what_a_full_disk_refused_can_be_saved_again_and_is_nobody_elses(project: Path, visitor: Visitor) -> None:
    save(visitor, "First.")
    refused = fail_to_save(visitor, "Second.")
    assert row_of(project)[0] == "First."
    assert save(visitor, typed(refused), seen(refused)).status == 303
    assert row_of(project)[0] == "Second."


def test_what_is_corrected_after_a_full_disk_is_kept_by_preparing_again(project: Path, visitor: Visitor) -> None:
    save(visitor, "First.")
    for text in ("Third.", "Fifth."):
        fail_to_save(visitor, "Refused.")
        assert save(visitor, text).status == 303
        result = prepare_again(project)
        assert row_of(project)[0] == text
        assert not any("changed in the corpus itself" in note for note in result.corpus.info.warnings)


@pytest.mark.parametrize("raw_text", ["", "  \n", "?!", "a\x00b", "a\x1bb", "x" * 100_001])
def test_what_cannot_be_a_transcript_is_refused_with_a_sentence(project: Path, visitor: Visitor, raw_text: str) -> None:
    answer = save(visitor, raw_text)
    assert answer.status == 422
    assert 'class="refusal"' in answer.text
    assert not (project / "corrections.tsv").exists()
    assert row_of(project)[0] == "Mbote na yo."


def test_what_was_typed_is_shown_where_its_utterance_or_the_corpus_is_gone(project: Path, visitor: Visitor) -> None:
    version = seen(visitor.get(PAGE))
    for suffix in (".txt", ".wav"):
        (project / "recordings" / f"{NAME}{suffix}").unlink()
    prepare_again(project)
    gone = save(visitor, "Typed <b>meanwhile", version)
    (project / "corpus").rename(project / "elsewhere")
    closed = save(visitor, "Typed <b>meanwhile", version)
    assert (gone.status, closed.status) == (404, 422)
    assert typed(gone) == typed(closed) == "Typed <b>meanwhile"


def test_line_breaks_of_browsers_are_no_change(project: Path, visitor: Visitor) -> None:
    assert save(visitor, "One\r\ntwo").status == 303
    assert row_of(project) == ("One\ntwo", "one two")
    assert save(visitor, "One\r\ntwo").status == 303
    assert len(read_corrections(project)[NAME]) == 1


def test_hostile_transcripts_are_text(project: Path, visitor: Visitor) -> None:
    hostile = "</textarea><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e{{ 7 * 7 }}"
    save(visitor, hostile, author='"><script>alert(2)</script>')
    for target in (PAGE, "/corpus", "/corpus?text=%22%3E%3Cscript%3Ealert(3)"):
        page = visitor.get(target)
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        assert "{{" in page.text or "text=" in target
    assert typed(visitor.get(PAGE)) == hostile
    assert row_of(project)[0] == hostile
    assert "U+202E" in visitor.get(PAGE).text


def test_hints_point_out_what_is_odd_and_forbid_nothing(visitor: Visitor) -> None:
    checked = visitor.post(PAGE, {"action": "check", "raw_text": "Mbote ƞa yo"})
    assert "In no other transcript of this corpus: ƞ" in checked.text
    assert typed(checked) == "Mbote ƞa yo"
    assert "of speech can hold" in visitor.post(PAGE, {"action": "check", "raw_text": "mbote " * 60}).text
    assert "hints" not in visitor.post(PAGE, {"action": "check", "raw_text": "Mbote mama"}).text
    assert typed(visitor.get(PAGE)) == "Mbote na yo."


def test_saving_and_going_on_leads_to_the_next_of_what_is_looked_for(visitor: Visitor) -> None:
    following = key_of("train/ana_01")
    answer = visitor.post(
        f"{PAGE}?speaker=ana&split=train", {"action": "next", "raw_text": "x", "seen": seen(visitor.get(PAGE))}
    )
    assert answer.headers["location"] == f"/corpus/{following}?split=train&speaker=ana"


def test_after_other_text_rules_nothing_is_corrected_until_the_corpus_is_prepared_again(
    project: Path, studio: Studio, visitor: Visitor
) -> None:
    recipe = project / "lowres.toml"
    recipe.write_text(recipe.read_text("utf-8").replace('"lowercase", ', ""), encoding="utf-8")
    assert "run `lowres prepare`" in visitor.get(PAGE).text
    refused = save(visitor, "Typed </textarea>before", "0-0")
    assert refused.status == 422
    assert typed(refused) == "Typed </textarea>before"
    prepare_again(project)
    assert save(visitor, "Other.").status == 303
    assert row_of(project) == ("Other.", "Other")


def test_every_utterance_can_be_found_and_heard(project: Path, visitor: Visitor) -> None:
    page = visitor.get("/corpus")
    assert all(f"/corpus/{key_of(name)}/audio.wav" in page.text for name in TRANSCRIPTS)
    assert f'id="num-found">{len(TRANSCRIPTS)}<' in page.text
    for query, expected in (
        ("text=MBOTE", {"train/ana_00", "train/ben_03"}),
        ("text=moko%CC%81", set()),
        ("text=mok%C9%94%CC%81", {"train/ana_01", "test/ben_05"}),
        ("text=ana_04", {"dev/ana_04"}),
        ("split=train&speaker=ben", {"train/ben_02", "train/ben_03"}),
        ("flag=nothing", set()),
        ("state=corrected", set()),
        ("page=99999999", set(TRANSCRIPTS)),
        ("page=-1&split=%00", set()),
    ):
        text = visitor.get(f"/corpus?{query}").text
        assert {name for name in TRANSCRIPTS if f"u-{key_of(name)}" in text} == expected, query
