"""The guided walk without a terminal: what is asked, what follows from the answers, and what is kept of them."""

import json
import os
from pathlib import Path

import pytest
from fuzzing import limited
from walks import BACK, DEFAULT, SPEAKERS, STOP, ScriptedAsk, write_annotated, write_paired

from lowres.corpora.files import mark_machine_made
from lowres.errors import RecipeError
from lowres.recipe import load_recipe, parse_recipe
from lowres.stages import start_training, start_walk
from lowres.stages.init import guess_layouts, list_files
from lowres.stages.init_candidates import list_sidecars, list_tables
from lowres.stages.prepare import PrepareOptions, prepare
from lowres.stages.start import STEPS, ask_everything, is_answered
from lowres.stages.start_answers import ANSWERS_FILE, Answers, SpeedAnswer, read_answers, write_answers
from lowres.stages.start_asking import GoBack, StopAsking
from lowres.stages.start_progress import list_commands, look_at_project
from lowres.stages.start_recipe import recipe_text, write_recipe
from lowres.stages.start_recordings import as_typed
from lowres.stages.start_text import count_letters
from lowres.stages.start_training import describe_minutes, suggest_minutes
from lowres.stages.start_walk import Walk, scan_recordings

SPEED = SpeedAnswer(
    backbone="lowres-small", hours_per_hour=100, seconds=10, updates=90, million_parameters=5.2, usual_hours=20
)


@pytest.fixture(autouse=True)
def no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trial has tests of its own."""
    monkeypatch.setattr(start_training, "_measure", lambda _walk, _ask: [SPEED])


@pytest.fixture
def paired(tmp_path: Path) -> Path:
    return write_paired(tmp_path / "recordings")


@pytest.fixture
def annotated(tmp_path: Path) -> Path:
    return write_annotated(tmp_path / "recordings")


def walk_in(tmp_path: Path) -> Walk:
    return Walk(tmp_path / "project", read_answers(tmp_path / "project"))


def answered(tmp_path: Path, *answers: str) -> tuple[Walk, ScriptedAsk]:
    walk, ask = walk_in(tmp_path), ScriptedAsk(*answers)
    ask_everything(walk, ask)
    return walk, ask


def test_the_defaults_lead_to_a_recipe_that_can_be_prepared(paired: Path, tmp_path: Path) -> None:
    walk, _ = answered(tmp_path, str(paired))
    path = write_recipe(walk)
    recipe = load_recipe(project=walk.project)
    assert recipe.corpus.folder == "../recordings"
    assert recipe.text.alphabet == ("a", "b", "d", "e", "i", "k")
    assert recipe.finetune.minutes == 10
    assert "#" in path.read_text(encoding="utf-8")
    prepared = prepare(walk.project, recipe, PrepareOptions(num_workers=1), lambda *_: None)
    assert prepared.corpus.info.speaker_disjoint
    assert set(prepared.corpus.table["speaker"]) == set(SPEAKERS)


def test_a_recipe_says_nothing_that_is_a_default(paired: Path, tmp_path: Path) -> None:
    walk, _ = answered(tmp_path, str(paired))
    text = recipe_text(walk)
    assert "[splits]" not in text
    assert "backbone" not in text
    assert "[model]" not in text


def test_every_question_has_a_default_and_a_reason(annotated: Path, tmp_path: Path) -> None:
    _, ask = answered(tmp_path, str(annotated))
    for question in ask.questions:
        assert question.why, question.title
        assert not question.choices or question.default.split("\n")[0] in {one.value for one in question.choices}


def test_a_folder_that_cannot_be_read_is_asked_for_again(paired: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    walk, ask = answered(tmp_path, str(tmp_path / "nowhere"), str(tmp_path / "empty"), str(paired))
    assert walk.folder.resolve() == paired
    assert any("There is no folder" in sentence for sentence in ask.said)
    assert any("There is no recording" in sentence for sentence in ask.said)


@pytest.mark.parametrize("typed", ["'{}'", '"{}"', "{} "])
def test_a_folder_may_be_dropped_into_the_terminal(typed: str, tmp_path: Path) -> None:
    folder = tmp_path / "field notes"
    folder.mkdir()
    assert as_typed(typed.format(folder)) == folder
    assert as_typed(str(folder).replace(" ", "\\ ")) == folder


def test_a_home_folder_that_nobody_has_is_no_folder(paired: Path, tmp_path: Path) -> None:
    assert as_typed("~nobody-of-this-name/a") == Path("~nobody-of-this-name/a")
    _, ask = answered(tmp_path, "~nobody-of-this-name", str(paired))
    assert any("There is no folder ~nobody-of-this-name" in sentence for sentence in ask.said)
    assert Walk(tmp_path, Answers(recordings="~nobody-of-this-name")).folder == tmp_path / "~nobody-of-this-name"


def test_each_tier_is_shown_with_five_examples(annotated: Path, tmp_path: Path) -> None:
    walk, ask = answered(tmp_path, str(annotated), "words")
    (question,) = [one for one in ask.questions if one.title == "Which tier holds the transcript?"]
    assert [choice.value for choice in question.choices] == ["translation", "words", "who"]
    assert all(len(choice.details) == 5 for choice in question.choices)
    assert walk.settings().tiers == ("words",)


def test_a_tier_of_names_is_offered_for_the_speakers(annotated: Path, tmp_path: Path) -> None:
    walk, ask = answered(tmp_path, str(annotated), "words", "tier who")
    (question,) = [one for one in ask.questions if one.title == "Who speaks?"]
    assert any("2 names (ama, kofi)" in choice.label for choice in question.choices)
    assert {row.speaker for row in walk.reading().rows} == {"ama", "kofi"}


def test_what_cannot_be_used_is_counted_and_named(annotated: Path, tmp_path: Path) -> None:
    (annotated / "story1.wav").unlink()
    _, ask = answered(tmp_path, str(annotated), "words")
    assert "1 has no recording story1.eaf" in ask.said


def test_transcripts_that_notepad_calls_unicode_are_shown_and_read(paired: Path, tmp_path: Path) -> None:
    for path in paired.glob("*.txt"):
        path.write_text(path.read_text(encoding="utf-8"), encoding="utf-16")
    (found,) = list_sidecars(paired, list_files(paired))
    assert found.examples[0] == (paired / "abena_0.txt").read_text(encoding="utf-16").strip()
    walk, _ = answered(tmp_path, str(paired))
    assert walk.answers.transcripts == {"transcript_suffix": ".txt"}
    assert walk.reading().rows[0].raw_text.strip() == found.examples[0]


def test_transcripts_too_long_to_be_shown_are_read(paired: Path, tmp_path: Path) -> None:
    for path in paired.glob("*.txt"):
        path.write_text("ba de " * 5_000, encoding="utf-8")
    walk, _ = answered(tmp_path, str(paired))
    assert walk.answers.transcripts == {"transcript_suffix": ".txt"}


def test_transcripts_that_are_all_empty_are_counted(paired: Path, tmp_path: Path) -> None:
    for path in paired.glob("*.txt"):
        path.write_text("", encoding="utf-8")
    _, ask = answered(tmp_path, str(paired))
    assert "36 has an empty transcript" in " ".join(ask.said)


def test_transcripts_that_were_taken_away_are_missed_in_a_sentence(paired: Path, tmp_path: Path) -> None:
    walk, _ = answered(tmp_path, str(paired))
    for path in paired.glob("*.txt"):
        path.unlink()
    ask = ScriptedAsk(STOP)
    with pytest.raises(StopAsking):
        ask_everything(walk, ask, begin_at="transcripts")
    assert any("There is no transcript in" in sentence for sentence in ask.said)


def test_columns_with_unusual_names_are_asked_for(paired: Path, tmp_path: Path) -> None:
    lines = ["Datei\tSatz\tWer", *(f"{path.name}\tba de\t{path.name[:2]}" for path in sorted(paired.glob("*.wav")))]
    for path in paired.glob("*.txt"):
        path.unlink()
    (paired / "list.tsv").write_text("\n".join(lines), encoding="utf-8")
    walk, ask = answered(tmp_path, str(paired), "Datei", "Satz", "column Wer")
    assert ask.titles[1:3] == ["Which column names the recording?", "Which column holds the transcript?"]
    assert walk.settings().columns == {"audio": "Datei", "text": "Satz", "speaker": "Wer"}
    assert walk.reading().rows[0].speaker == "ab"


def test_going_back_from_the_columns_leads_to_the_tables(paired: Path, tmp_path: Path) -> None:
    for transcript in paired.glob("*.txt"):
        transcript.unlink()
    rows = [f"{path.name}\tMbote na yo\tama" for path in sorted(paired.glob("*.wav"))]
    for name in ("first", "second"):
        (paired / f"{name}.tsv").write_text("\n".join(["Datei\tSatz\tWer", *rows]), encoding="utf-8")
    walk, ask = answered(tmp_path, str(paired), "first.tsv", BACK, "second.tsv", "Datei", BACK, "Datei", "Satz")
    assert walk.settings().table == "second.tsv"
    table, audio = "Which table lists the recordings?", "Which column names the recording?"
    text = "Which column holds the transcript?"
    assert ask.titles[1:8] == [table, audio, table, audio, text, audio, text]


def test_a_layout_that_was_guessed_wrong_is_chosen_by_hand(annotated: Path, tmp_path: Path) -> None:
    (annotated / "words.csv").write_text("audio,text\nstory0.wav,mbote\nstory1.wav,na yo\n", encoding="utf-8")
    (tmp_path / "project").mkdir()
    walk, ask = walk_in(tmp_path), ScriptedAsk(str(annotated), BACK, DEFAULT, "annotated", STOP)
    with pytest.raises(StopAsking):
        ask_everything(walk, ask)
    assert [choice.value for choice in ask.questions[1].choices] == ["table", "annotated"]
    assert ask.titles[:4] == ["Where are the recordings?", "How are the transcripts kept?"] * 2
    assert walk.answers.layout == {"reader": "annotated"}
    assert ask.titles[4] == "Which tier holds the transcript?"


def test_another_layout_of_the_same_recordings_makes_everything_asked_again(annotated: Path, tmp_path: Path) -> None:
    (annotated / "words.csv").write_text("audio,text\nstory0.wav,mbote\nstory1.wav,na yo\n", encoding="utf-8")
    walk = walk_in(tmp_path)
    with pytest.raises(StopAsking):
        ask_everything(walk, ScriptedAsk(str(annotated), "table", DEFAULT, DEFAULT, STOP))
    assert walk.answers.speakers is not None
    ask = ScriptedAsk(DEFAULT, "annotated", STOP)
    with pytest.raises(StopAsking):
        ask_everything(walk, ask, begin_at="recordings")
    assert ask.questions[1].default == "table"
    assert (walk.answers.transcripts, walk.answers.speakers) == (None, None)


def test_one_table_for_each_split_is_read_as_one(paired: Path, tmp_path: Path) -> None:
    recordings = sorted(paired.glob("*.wav"))
    for path in paired.glob("*.txt"):
        path.unlink()
    for split, part in (("train", recordings[:20]), ("test", recordings[20:])):
        lines = ["audio\ttext", *(f"{path.name}\tba de" for path in part)]
        (paired / f"{split}.tsv").write_text("\n".join(lines), encoding="utf-8")
    walk, _ = answered(tmp_path, str(paired))
    assert walk.settings().table == "{split}.tsv"
    assert {row.split for row in walk.reading().rows} == {"train", "test"}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["Mbosi", "0"], ("Mbosi", "mdw", "mbos1242")),
        (["mdw", "0"], ("Mbosi", "mdw", "mbos1242")),
        (["mbos1242", "0"], ("Mbosi", "mdw", "mbos1242")),
        (["Kuchelo of the hill", "as typed"], ("Kuchelo of the hill", "", "")),
        (["zzzz9999", "Zeze"], ("Zeze", "", "zzzz9999")),
        (["?"], ("", "", "")),
        (["Swahili", BACK, "mdw", "0"], ("Mbosi", "mdw", "mbos1242")),
    ],
)
def test_a_language_is_known_by_name_or_code_or_not_at_all(
    typed: list[str], expected: tuple[str, str, str], paired: Path, tmp_path: Path
) -> None:
    walk, _ = answered(tmp_path, str(paired), "part 1", *typed)
    assert walk.answers.language is not None
    assert tuple(walk.answers.language.model_dump().values()) == expected


def test_each_rule_is_taken_or_left_by_itself(paired: Path, tmp_path: Path) -> None:
    walk, ask = answered(tmp_path, str(paired), "part 1", "?", "no", "yes")
    assert ask.titles[3:5] == ["Small letters only (lowercase)?", "Take out punctuation?"]
    assert walk.answers.text is not None
    assert walk.answers.text.rules == ("nfc", "strip_punctuation", "collapse_spaces")
    assert "such as" in ask.questions[3].why


def test_letters_are_counted_after_the_rules_and_can_be_changed(paired: Path, tmp_path: Path) -> None:
    assert count_letters(["Bá bá!", "ḿ"], ["nfc", "lowercase", "strip_punctuation"]) == {"b": 2, "á": 2, "ḿ": 1}
    walk, ask = answered(tmp_path, str(paired), "part 1", "?", "yes", "yes", "a A", "a b d e i k ng")
    assert walk.answers.alphabet == ("a", "b", "d", "e", "i", "k", "ng")
    assert any("the rules turn it into" in sentence for sentence in ask.said)


def test_test_speakers_can_be_named_but_not_all_of_them(paired: Path, tmp_path: Path) -> None:
    before = ["part 1", "?", "yes", "yes", "", "", ""]
    walk, ask = answered(tmp_path, str(paired), *before, "test_speakers", "\n".join(SPEAKERS), "ama\nkofi")
    assert walk.answers.splits == {"test_speakers": ["ama", "kofi"]}
    assert any("Nobody would be left" in sentence for sentence in ask.said)
    assert parse_recipe(recipe_text(walk)).splits.test_speakers == ("ama", "kofi")


def test_going_back_asks_the_question_before_with_its_answer_as_default(paired: Path, tmp_path: Path) -> None:
    walk, ask = answered(tmp_path, str(paired), "part 1", "mdw", "0", BACK, "swh", "0")
    titles = ["Which language is it?", "Is it this one?", "Small letters only (lowercase)?"]
    assert ask.titles[2:8] == [*titles, *titles]
    assert ask.questions[5].default == "mdw"
    assert walk.answers.language is not None
    assert walk.answers.language.iso_639_3 == "swh"


def test_going_back_passes_over_what_has_nothing_to_ask(paired: Path, tmp_path: Path) -> None:
    _, ask = answered(tmp_path, str(paired), BACK)
    assert ask.titles[:4] == ["Where are the recordings?", "Who speaks?", "Where are the recordings?", "Who speaks?"]


def test_going_back_from_the_first_question_leaves_the_walk(tmp_path: Path) -> None:
    with pytest.raises(GoBack):
        answered(tmp_path, BACK)


def test_a_walk_that_was_left_goes_on_where_it_stopped(paired: Path, tmp_path: Path) -> None:
    with pytest.raises(StopAsking):
        answered(tmp_path, str(paired), "part 1", "mdw", "0", STOP)
    walk, ask = answered(tmp_path, "no")
    assert ask.titles[0] == "Small letters only (lowercase)?"
    assert is_answered(walk)
    assert walk.answers.language is not None
    assert walk.answers.language.name == "Mbosi"


def test_another_transcript_makes_what_rested_on_it_asked_again(annotated: Path, tmp_path: Path) -> None:
    walk, _ = answered(tmp_path, str(annotated), "words", "tier who", "mdw", "0")
    with pytest.raises(StopAsking):
        ask_everything(walk, ScriptedAsk("translation", STOP), begin_at="transcripts")
    kept = read_answers(walk.project)
    assert kept.language is not None
    unanswered = [step.field for step in STEPS if getattr(kept, step.field) is None]
    assert unanswered == ["speakers", "text", "alphabet", "splits", "backbone", "minutes"]
    assert kept.speeds is None


def test_the_same_answer_again_forgets_nothing(annotated: Path, tmp_path: Path) -> None:
    walk, _ = answered(tmp_path, str(annotated), "words", "tier who")
    with pytest.raises(StopAsking):
        ask_everything(walk, ScriptedAsk("words", STOP), begin_at="transcripts")
    assert is_answered(walk)


def test_recordings_that_are_gone_are_asked_for_again(paired: Path, tmp_path: Path) -> None:
    with pytest.raises(StopAsking):
        answered(tmp_path, str(paired), STOP)
    moved = paired.rename(tmp_path / "elsewhere")
    _, ask = answered(tmp_path, str(moved))
    assert ask.titles[0] == "Where are the recordings?"


@pytest.mark.parametrize("contents", ["{", "[]", '{"format_version": 2}', '{"minutes": "ten"}', '{"minuts": 10}'])
def test_a_broken_file_of_answers_is_refused_in_a_sentence(contents: str, tmp_path: Path) -> None:
    path = tmp_path / ANSWERS_FILE
    path.parent.mkdir()
    path.write_text(contents, encoding="utf-8")
    with pytest.raises(RecipeError, match="cannot be read") as caught:
        read_answers(tmp_path)
    assert "Delete that file" in caught.value.hint


def test_answers_that_describe_no_layout_are_refused(tmp_path: Path) -> None:
    walk = Walk(tmp_path, Answers(recordings=".", layout={"reader": "tea leaves"}))
    with pytest.raises(RecipeError, match="describe no layout"):
        walk.settings()


def test_answers_are_kept_as_they_are(paired: Path, tmp_path: Path) -> None:
    walk, _ = answered(tmp_path, str(paired), "part 1", "mdw", "0")
    again = read_answers(walk.project)
    assert again.model_dump(mode="json") == walk.answers.model_dump(mode="json")
    assert json.loads((walk.project / ANSWERS_FILE).read_text(encoding="utf-8"))["format_version"] == 1
    assert list(walk.project.glob(".lowres/*.partial")) == []


def test_recordings_that_are_none_are_named(paired: Path) -> None:
    (paired / "broken.wav").write_bytes(b"no sound")
    scan = scan_recordings(paired)
    assert scan.unreadable == ("broken.wav",)
    assert scan.endings == {".wav": 37}
    assert 0 < scan.hours < 0.05


def test_links_that_lead_nowhere_are_named_among_recordings_that_nobody_had_time_to_look_at(
    paired: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (paired / "kept_elsewhere.wav").symlink_to(".git/annex/objects/gone.wav")  # as git-annex has them
    monkeypatch.setattr(start_walk, "_MOST_SECONDS_OF_LOOKING", -1.0)
    scan = scan_recordings(paired)
    assert scan.unreadable == ("kept_elsewhere.wav",)
    assert (len(scan.seconds), scan.num_estimated) == (36, 36)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_examples_are_taken_from_no_link_that_leads_out_and_from_no_pipe(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    for name in ("a.wav", "b.wav", "c.wav", "d.wav", "inside.text"):
        (folder / name).write_text("words", encoding="utf-8")
    (tmp_path / "outside.txt").write_text("secret", encoding="utf-8")
    (folder / "a.txt").symlink_to(tmp_path / "outside.txt")
    os.mkfifo(folder / "b.txt")
    (folder / "c.txt").symlink_to("inside.text")
    (folder / "d.txt").symlink_to("nothing")
    with limited():
        (found,) = list_sidecars(folder, list_files(folder))
    assert (found.num_files, found.examples) == (4, ("words",))


def test_a_table_that_lies_outside_is_not_opened_for_its_columns(paired: Path, tmp_path: Path) -> None:
    for path in paired.glob("*.txt"):
        path.unlink()
    (tmp_path / "outside.tsv").write_text("secret\tother\nama_0.wav\tba\n", encoding="utf-8")
    (paired / "list.tsv").symlink_to(tmp_path / "outside.tsv")
    ask = ScriptedAsk(str(paired), STOP)
    with pytest.raises(StopAsking):
        ask_everything(walk_in(tmp_path), ask)
    assert any("list.tsv' leads out of the corpus folder" in sentence for sentence in ask.said)
    assert not any("secret" in str(question) for question in ask.questions)


def test_a_table_of_transcripts_comes_before_one_of_other_things(paired: Path) -> None:
    (paired / "ages.csv").write_text("name,age\nAma,30\n", encoding="utf-8")
    (paired / "list.csv").write_text("file,text\nama_0.wav,ba\n", encoding="utf-8")
    assert list_tables(paired, list_files(paired)) == ["list.csv", "ages.csv"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_recordings_that_lie_outside_are_not_opened_and_pipes_not_waited_for(paired: Path, tmp_path: Path) -> None:
    (paired / "ama_0.wav").rename(tmp_path / "outside.wav")
    (paired / "ama_0.wav").symlink_to(tmp_path / "outside.wav")
    os.mkfifo(paired / "pipe.wav")
    (paired / "inside.wav").symlink_to("ama_1.wav")
    with limited():
        scan = scan_recordings(paired)
    assert scan.unreadable == ("ama_0.wav", "pipe.wav")
    assert "inside.wav" in scan.seconds


def test_a_project_says_how_far_it_is(paired: Path, tmp_path: Path) -> None:
    walk, _ = answered(tmp_path, str(paired))
    write_recipe(walk)
    assert not look_at_project(walk.project).is_prepared
    recipe = load_recipe(project=walk.project)
    prepare(walk.project, recipe, PrepareOptions(num_workers=1), lambda *_: None)
    state = look_at_project(walk.project)
    assert (state.is_prepared, state.run, state.run_status) == (True, "finetune-all-seed1", "")
    (paired / "ama_0.txt").write_text("Ba de", encoding="utf-8")
    assert not look_at_project(walk.project).is_prepared


def test_a_project_in_the_folder_of_its_recordings_stays_prepared(paired: Path) -> None:
    walk, ask = Walk(paired, Answers()), ScriptedAsk(str(paired))
    ask_everything(walk, ask)
    write_recipe(walk)
    assert load_recipe(project=paired).corpus.folder == "."
    for _ in range(2):
        prepare(paired, load_recipe(project=paired), PrepareOptions(num_workers=1), lambda *_: None)
        (paired / "reports").mkdir(exist_ok=True)
        (paired / "reports" / "utterances.tsv").write_text("made by lowres", encoding="utf-8")
        assert look_at_project(paired).is_prepared
    assert walk.reading().rows == Walk(paired, walk.answers).reading().rows


@pytest.mark.parametrize("name", ["transcripts/run", "aligned/run", "suggestions/run", "cross-validation/all/fold-1"])
def test_what_a_command_writes_among_the_recordings_of_a_project_is_none_of_them(paired: Path, name: str) -> None:
    walk = Walk(paired, Answers())
    ask_everything(walk, ScriptedAsk(str(paired)))
    write_recipe(walk)
    prepare(paired, load_recipe(project=paired), PrepareOptions(num_workers=1), lambda *_: None)
    listed = list_files(paired)
    if name.startswith("cross"):
        (paired / name).mkdir(parents=True)
    else:
        mark_machine_made(paired / name)
    (paired / name / "manifest.tsv").write_text("made by lowres", encoding="utf-8")
    assert look_at_project(paired).is_prepared
    assert list_files(paired) == listed


def test_what_lowres_made_is_no_layout_of_its_own_once_the_recipe_was_deleted(paired: Path) -> None:
    before = guess_layouts(paired)
    walk = Walk(paired, Answers())
    ask_everything(walk, ScriptedAsk(str(paired)))
    write_recipe(walk)
    prepare(paired, load_recipe(project=paired), PrepareOptions(num_workers=1), lambda *_: None)
    (paired / "lowres.toml").unlink()
    assert guess_layouts(paired) == before


def test_a_folder_of_transcripts_that_people_wrote_counts_among_the_recordings(paired: Path) -> None:
    walk = Walk(paired, Answers())
    ask_everything(walk, ScriptedAsk(str(paired)))
    write_recipe(walk)
    prepare(paired, load_recipe(project=paired), PrepareOptions(num_workers=1), lambda *_: None)
    (paired / "transcripts").mkdir()
    (paired / "transcripts" / "ama.eaf").write_text("corrected", encoding="utf-8")
    assert not look_at_project(paired).is_prepared


def test_the_commands_to_type_follow_from_what_is_in_the_folder(paired: Path, tmp_path: Path) -> None:
    commands = [command for _, command in list_commands(paired)]
    assert commands[0] == f"lowres init --project {paired} --recordings {paired} --language NAME"
    assert [command.split()[1] for command in commands[1:]] == ["audit", "prepare", "finetune", "lm", "evaluate"]
    walk, _ = answered(tmp_path, str(paired))
    write_recipe(walk)
    prepare(walk.project, load_recipe(project=walk.project), PrepareOptions(num_workers=1), lambda *_: None)
    assert [command.split()[1] for _, command in list_commands(walk.project)] == ["finetune", "lm", "evaluate"]


def test_a_suggested_time_is_round_and_an_hour_at_most() -> None:
    assert suggest_minutes(SPEED) == 10
    assert suggest_minutes(SPEED.model_copy(update={"hours_per_hour": 1.0})) == 60
    assert describe_minutes(0.5) == "30 seconds"
    assert describe_minutes(1) == "1 minute"
    assert describe_minutes(150) == "2.5 hours"


def test_nothing_answered_is_a_file_that_can_be_read(tmp_path: Path) -> None:
    write_answers(tmp_path, Answers())
    assert read_answers(tmp_path) == Answers()
