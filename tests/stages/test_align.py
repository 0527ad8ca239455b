"""`align` writes when every line of a text was said, and says what of either is missing in the other."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from recognizers import make_recognizer, vocabulary_of
from transcribing import RATE, SPEC, bursts, heard, listen, write_run, write_speech

from lowres.annotation.elan import read_elan
from lowres.annotation.textgrid import read_textgrid
from lowres.annotation.tiers import AnnotationFile
from lowres.annotation.transcript import SpokenUtterance, SpokenWord
from lowres.corpora.files import is_machine_made
from lowres.errors import CorpusError
from lowres.recipe import parse_recipe
from lowres.stages import align as align_stage
from lowres.stages import align_text
from lowres.stages.align import AlignOptions, AlignResult, align, read_lines
from lowres.stages.align_text import AlignedRecording, HeardRecording, PlacedLine, TextLine, align_recording
from lowres.stages.transcribe_listener import Listener
from lowres.text.normalize import compile_rules
from lowres.training.precision import choose_compute

RECIPE = parse_recipe('name = "little"\n[text]\nrules = ["nfc", "lowercase", { map = { "," = "", "." = "" } }]\n')
SPOKEN = [(1.0, 4.0), (6.0, 9.0), (11.0, 14.0)]
OPTIONS = AlignOptions()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a network is heard fastest so
    yield write_run(tmp_path / "project")
    torch.set_num_threads(before)


def write_recording(project: Path, path: Path, seed: int = 1) -> list[str]:
    """Write a recording of three bursts and, beside it, what is heard in each, as people write; return its lines."""
    write_speech(path, SPOKEN, 15.0, seed)
    found = heard(listen(project, path, output=project / "heard" / path.stem), path.stem)
    lines = [
        f"{one.text.capitalize()}, ja." if "ja" in one.text else f"{one.text.capitalize()}." for one in found.utterances
    ]
    path.with_suffix(".txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert len(lines) == 3
    return lines


def run(project: Path, *sources: Path, **changes: object) -> AlignResult:
    return align(project, RECIPE, sources, replace(OPTIONS, **changes), SPEC)  # type: ignore[arg-type]


def tiers(file: AnnotationFile) -> dict[str, list[tuple[float, float, str]]]:
    """The annotations that hold text, by tier: Praat's files have empty ones between."""
    return {
        tier.name: [(one.start_seconds, one.end_seconds, one.text) for one in tier.annotations if one.text]
        for tier in file.tiers
    }


def test_lines_stand_where_they_were_said_as_they_are_written(project: Path, tmp_path: Path) -> None:
    lines = write_recording(project, tmp_path / "rec" / "a.wav")
    result = run(project, tmp_path / "rec", with_letters=True)
    (file,) = result.files
    assert (file.name, file.num_lines, file.not_said, result.problems) == ("a.wav", 3, (), ())
    assert file.mean_fit > 0.9
    assert file.path == project / "aligned" / "tiny" / "a.eaf"
    found = read_elan(file.path)
    assert [tier.name for tier in found.tiers] == ["text", "text words", "text letters", "text fit"]
    placed = tiers(found)
    assert [text for _, _, text in placed["text"]] == lines
    for (start, end, _), (true_start, true_end) in zip(placed["text"], SPOKEN, strict=True):
        assert true_start < (start + end) / 2 < true_end
    for name in ("text words", "text letters"):
        assert all(before[1] <= after[0] for before, after in pairwise(placed[name]))
    words = " ".join(text for _, _, text in placed["text words"])
    assert words == " ".join(RECIPE_RULES(line) for line in lines)
    assert found.media[0].path == str((tmp_path / "rec" / "a.wav").absolute())


def test_each_line_has_its_fit_at_its_time(project: Path, tmp_path: Path) -> None:
    """The tier is associated with that of the lines, so that in ELAN it moves with them."""
    lines = write_recording(project, tmp_path / "rec" / "a.wav")
    worse = f"Tsa {lines[1]}"
    (tmp_path / "rec" / "a.txt").write_text("\n".join([lines[0], worse, lines[2]]), encoding="utf-8")
    (file,) = run(project, tmp_path / "rec").files
    found = read_elan(file.path)
    (fit,) = (tier for tier in found.tiers if tier.name == "text fit")
    assert fit.parent == "text"
    placed = tiers(found)
    assert [one[:2] for one in placed["text fit"]] == [one[:2] for one in placed["text"]]
    fits = [float(text) for _, _, text in placed["text fit"]]
    assert fits[0] > 0.9 > fits[1] > 0.0
    assert fits[2] > 0.9
    assert sum(fits) / 3 == pytest.approx(file.mean_fit, abs=0.01)


RECIPE_RULES = compile_rules(RECIPE.text.rules)


def test_praat_gets_the_same_tiers_as_elan(project: Path, tmp_path: Path) -> None:
    write_recording(project, tmp_path / "rec" / "a.wav")
    (elan,) = run(project, tmp_path / "rec").files
    (grid,) = run(project, tmp_path / "rec", as_textgrid=True).files
    assert grid.path.name == "a.TextGrid"
    assert tiers(read_textgrid(grid.path)) == tiers(read_elan(elan.path))


def test_what_is_missing_on_either_side_has_a_tier_of_its_own(project: Path, tmp_path: Path) -> None:
    lines = write_recording(project, tmp_path / "a.wav")
    (tmp_path / "a.txt").write_text("\n".join([lines[0], "", "Tsé. " * 12, lines[2]]), encoding="utf-8")
    (file,) = run(project, tmp_path / "a.wav").files
    placed = tiers(read_elan(file.path))
    assert file.not_said == (3,)  # counted as the file's lines are, the empty one too
    assert [text for _, _, text in placed["not said"]] == [("Tsé. " * 12).strip()]
    assert file.num_besides == len(placed["not in the text"]) == 1
    ((start, end, said),) = placed["not in the text"]
    assert 5.7 < start < end < 9.3
    assert said.replace(" ", "")[:10] in RECIPE_RULES(lines[1]).replace(" ", "")
    assert [text for _, _, text in placed["text"]] == [lines[0], lines[2]]


def test_of_a_text_of_another_recording_nothing_is_placed_and_all_is_kept(project: Path, tmp_path: Path) -> None:
    write_speech(tmp_path / "a.wav", [], 2.0)
    wrong = [f"{'tsa ngo ' * 3}{letter}" for letter in "ab" * 20]
    (tmp_path / "a.txt").write_text("\n".join(wrong), encoding="utf-8")
    (file,) = run(project, tmp_path / "a.wav").files
    assert (file.num_lines, len(file.not_said), file.mean_fit, file.num_besides) == (40, 40, 0.0, 0)
    placed = tiers(read_elan(file.path))
    assert placed["text"] == []
    assert [text for _, _, text in placed["not said"]] == wrong
    assert all(0 <= start < end <= 2.0 for start, end, _ in placed["not said"])


def test_a_text_for_several_recordings_is_refused(project: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_speech(tmp_path / "rec" / f"{name}.wav", [], 1.0)
    (tmp_path / "t.txt").write_text("ba", encoding="utf-8")
    with pytest.raises(CorpusError, match="one text for 2 recordings"):
        run(project, tmp_path / "rec", text=tmp_path / "t.txt")


def test_files_that_are_there_are_kept_unless_one_says_otherwise(project: Path, tmp_path: Path) -> None:
    write_recording(project, tmp_path / "a.wav")
    (tmp_path / "a.eaf").write_text("mine", encoding="utf-8")
    with pytest.raises(CorpusError, match="is there already"):
        run(project, tmp_path / "a.wav", output=tmp_path)
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "a.eaf").symlink_to(tmp_path / "nowhere")
    with pytest.raises(CorpusError, match="is there already"):
        run(project, tmp_path / "a.wav", output=tmp_path / "o")
    assert (tmp_path / "a.eaf").read_text(encoding="utf-8") == "mine"
    assert run(project, tmp_path / "a.wav", output=tmp_path, overwrite=True).files
    assert read_elan(tmp_path / "a.eaf").tiers


def test_a_folder_of_somebodys_own_is_not_marked_as_written_by_lowres(project: Path, tmp_path: Path) -> None:
    own, apart = tmp_path / "own", tmp_path / "apart"
    write_recording(project, own / "a.wav")
    for _ in range(2):
        assert run(project, own / "a.wav", output=own, overwrite=True).files
        assert run(project, own / "a.wav", output=apart, overwrite=True).files
        assert not is_machine_made(own)
        assert is_machine_made(apart)


def test_a_file_saved_while_others_are_aligned_is_not_written_over(project: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_recording(project, tmp_path / "rec" / f"{name}.wav")
    folder = project / "aligned" / "tiny"

    def save(num_done: int, _num_all: int) -> None:
        if num_done == 1:
            (folder / "b.eaf").write_text("mine", encoding="utf-8")

    result = align(project, RECIPE, [tmp_path / "rec"], OPTIONS, SPEC, save)
    assert [file.name for file in result.files] == ["a.wav"]
    ((name, problem),) = result.problems
    assert name == "b.wav"
    assert "b.eaf is there already" in problem
    assert (folder / "b.eaf").read_text(encoding="utf-8") == "mine"


def test_a_recording_that_memory_does_not_suffice_for_does_not_stop_the_others(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        write_recording(project, tmp_path / "rec" / f"{name}.wav")
    hear = align_stage.hear_recording

    def fail(listener: object, path: Path, **more: object) -> object:
        if path.name == "a.wav":
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return hear(listener, path, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(align_stage, "hear_recording", fail)
    result = run(project, tmp_path / "rec")
    assert [file.name for file in result.files] == ["b.wav"]
    assert "a.wav: there is too little memory to hear it. Give a smaller --longest." in dict(result.problems)["a.wav"]


def test_one_recording_that_cannot_be_aligned_does_not_stop_the_others(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "rec"
    write_recording(project, folder / "good.wav")
    write_speech(folder / "no text.wav", [], 1.0)
    write_speech(folder / "unwritable.wav", [], 1.0)
    (folder / "unwritable.txt").write_text("??? !!!\n\n語", encoding="utf-8")
    write_speech(folder / "spaces.wav", [], 1.0)
    (folder / "spaces.txt").write_text("語 語\n", encoding="utf-8")
    (folder / "damaged.wav").write_bytes(b"RIFF....WAVE")
    (folder / "damaged.txt").write_text("ba", encoding="utf-8")
    write_speech(folder / "in the way.wav", [], 1.0)
    (folder / "in the way.txt").write_text("ba", encoding="utf-8")
    (tmp_path / "o" / "in the way.eaf").mkdir(parents=True)
    result = run(project, folder, output=tmp_path / "o", overwrite=True)
    assert [file.name for file in result.files] == ["good.wav"]
    said = dict(result.problems)
    assert sorted(said) == ["damaged.wav", "in the way.wav", "no text.wav", "spaces.wav", "unwritable.wav"]
    assert "no text.txt is not beside it" in said["no text.wav"]
    assert "no text that the recogniser can write" in said["unwritable.wav"]
    assert "no text that the recogniser can write" in said["spaces.wav"]


def test_names_that_are_no_utf8_are_written_down(project: Path, tmp_path: Path) -> None:
    name = b"caf\xe9 \xe8\xaa\x9e.wav".decode(errors="surrogateescape")
    write_speech(tmp_path / "rec" / "a.wav", [(0.2, 0.9)], 1.0).rename(tmp_path / "rec" / name)
    (tmp_path / "rec" / name).with_suffix(".txt").write_text("ba na", encoding="utf-8")
    (file,) = run(project, tmp_path / "rec").files
    assert "語" in read_elan(file.path).media[0].path


def lines_of(path: Path, contents: bytes) -> list[tuple[int, str]]:
    path.write_bytes(contents)
    found, _ = read_lines(path, RECIPE_RULES, vocabulary_of(["ba ɓa na שלום"], "characters"))
    return [(line.number, line.written) for line in found]


@pytest.mark.parametrize(
    "contents",
    ["Ba na.\n\n  Ɓa,\n", "\ufeffBa na.\r\n\r\n  Ɓa,", "Ba na.\r\r  Ɓa,\r"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_texts_of_any_system_have_the_same_lines(tmp_path: Path, contents: str, encoding: str) -> None:
    marked = contents.removeprefix("\ufeff") if encoding == "utf-16" else contents
    assert lines_of(tmp_path / "t.txt", marked.encode(encoding)) == [(1, "Ba na."), (3, "Ɓa,")]


def test_text_from_right_to_left_is_text(tmp_path: Path) -> None:
    assert lines_of(tmp_path / "t.txt", "שלום\nba שלום\n".encode()) == [(1, "שלום"), (2, "ba שלום")]


def test_symbols_without_a_label_are_counted(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("Ba na!? 語\n語\n", encoding="utf-8")
    (line,), num_unwritable = read_lines(tmp_path / "t.txt", RECIPE_RULES, vocabulary_of(["ba na"], "characters"))
    assert (line.written, num_unwritable) == ("Ba na!? 語", 4)


def test_long_lines_are_cut_at_sentences_and_very_long_ones_between_words(tmp_path: Path) -> None:
    sentences = [f"{'ba na ' * 15}ba{mark}" for mark in ".?!…"]
    found = lines_of(tmp_path / "t.txt", f"na\n{' '.join(sentences)}\nna".encode())
    assert found == [(1, "na"), *((2, sentence) for sentence in sentences), (3, "na")]
    endless = "ba " * 400
    pieces = lines_of(tmp_path / "t.txt", endless.encode())
    assert " ".join(text for _, text in pieces).split() == endless.split()
    assert all(len(text) <= 200 for _, text in pieces)
    unbroken = "ba" * 1000
    assert lines_of(tmp_path / "t.txt", unbroken.encode()) == [(1, unbroken)]


# What the network hears, made up -------------------------------------------------------------------------------------


def make_listener() -> Listener:
    return Listener(make_recognizer("xs"), choose_compute("fp32"))


def hear(listener: Listener, said: Sequence[tuple[float, str]], seconds: float) -> HeardRecording:
    """Scores in which each text is heard from its second on, three frames a label, blank elsewhere."""
    vocabulary = listener.recognizer.vocabulary
    num_frames = int(seconds * 50)
    best = np.zeros(num_frames, dtype=np.int64)
    for start, text in said:
        for place, label in enumerate(vocabulary.encode(text)):
            best[round(start * 50) + 3 * place : round(start * 50) + 3 * place + 2] = label
    scores = np.full((num_frames, len(vocabulary)), -9.0, dtype=np.float32)
    scores[np.arange(num_frames), best] = -0.01
    return HeardRecording(scores, 320 * np.arange(num_frames, dtype=np.int64), 320, int(seconds * RATE))


def aligned_lines(listener: Listener, heard: HeardRecording, *texts: str) -> AlignedRecording:
    vocabulary = listener.recognizer.vocabulary
    return align_recording(listener, heard, [TextLine(text, tuple(vocabulary.encode(text))) for text in texts])


def test_a_word_before_a_silence_that_nobody_listened_to_ends_before_it() -> None:
    listener = make_listener()
    whole = hear(listener, [(0.5, "tsa"), (0.8, "na")], 2.0)
    # Between the two words lie 30 s in which no speech was found.
    gap = np.where(np.arange(len(whole.frame_samples)) >= 39, 30 * RATE, 0)
    split = replace(whole, frame_samples=whole.frame_samples + gap, num_samples=whole.num_samples + 30 * RATE)
    found = aligned_lines(listener, split, "tsa na")
    (line,) = found.lines
    assert line.said is not None
    first, second = line.said.words
    assert first.end_seconds <= 39 * 0.02
    assert first.letters[-1].end_seconds <= 39 * 0.02
    assert second.start_seconds == pytest.approx(30.8)


def test_speech_that_is_not_in_the_text_is_cut_at_its_pauses() -> None:
    listener = make_listener()
    said = [(0.5, "tsa na ba"), (3.0, "ngo ngo"), (5.5, "ba ɓa tsa"), (8.0, "é na")]
    found = aligned_lines(listener, hear(listener, said, 10.0), "tsa na ba", "é na")
    assert [one.said is not None for one in found.lines] == [True, True]
    assert [one.text for one in found.besides] == ["ngo ngo", "ba ɓa tsa"]
    assert [one.start_seconds for one in found.besides] == pytest.approx([3.0, 5.5], abs=0.02)
    assert [one.end_seconds for one in found.besides] == pytest.approx([3.4, 6.02], abs=0.05)


def test_frames_are_dated_by_the_middle_of_what_they_hear(project: Path, tmp_path: Path) -> None:
    write_speech(tmp_path / "a.wav", [(0.0, 2.0)], 2.0)
    opened = align_stage.open_listener(
        replace(SPEC, project=project, checkpoint=project / "runs/tiny/checkpoints/best", detector=None), 1
    )
    found = align_text.hear_recording(opened.listener, tmp_path / "a.wav")
    config = opened.listener.recognizer.model.backbone.config
    middle = found.frame_samples[0] + config.samples_per_frame / 2
    assert middle == config.receptive_field_samples / 2
    assert set(np.diff(found.frame_samples)) == {config.samples_per_frame}
    assert (found.clock.start_seconds(10**6), found.clock.end_seconds(len(found.frame_samples))) == (
        2.0,
        pytest.approx(2.0, abs=0.02),
    )


def test_marks_of_lines_that_were_not_said_lie_in_order_and_within_the_recording() -> None:
    def line(text: str, span: tuple[float, float] | None) -> PlacedLine:
        said = SpokenUtterance(*span, (SpokenWord(text, *span, None),)) if span else None
        return PlacedLine(TextLine(text, (2,)), said, 0.5)

    placed = [line("a", None), line("b", (1.0, 2.0)), *(line(f"c{n}", None) for n in range(30)), line("d", (2.5, 3.0))]
    placed += [line(f"e{n}", None) for n in range(30)]
    (tier,) = align_stage._marks(AlignedRecording(tuple(placed), (), 3.0))
    assert (tier.name, len(tier.annotations)) == ("not said", 61)
    assert [one.text for one in tier.annotations] == [one.line.written for one in placed if one.said is None]
    assert all(one.start_seconds < one.end_seconds <= 3.0 for one in tier.annotations)
    assert all(before.end_seconds <= after.start_seconds for before, after in pairwise(tier.annotations))
    assert tier.annotations[1].start_seconds == 2.0


def test_a_recording_without_a_sample_of_speech_is_aligned_with_nothing(project: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(3 * RATE), RATE)
    (tmp_path / "a.txt").write_text("ba na\n", encoding="utf-8")
    (file,) = run(project, tmp_path / "a.wav").files
    assert (file.not_said, file.num_besides) == ((1,), 0)


@pytest.mark.parametrize("num_samples", [1, 300, 720, 1500])
def test_recordings_of_a_few_samples_are_aligned_or_named(project: Path, tmp_path: Path, num_samples: int) -> None:
    soundfile.write(tmp_path / "a.wav", bursts([(0, 1)], 1.0)[:num_samples], RATE)
    (tmp_path / "a.txt").write_text("ba\n", encoding="utf-8")
    result = run(project, tmp_path / "a.wav")
    assert len(result.files) + len(result.problems) == 1
