"""Comparing runs by reports written by hand: what is read, what is refused, what is said to differ."""

import csv
import json
from pathlib import Path

import pytest
from comparisons import RECIPE, REFERENCES, garble, write_report, write_run

from lowres.errors import CheckpointError
from lowres.recipe import Recipe
from lowres.stages import compare as stage
from lowres.stages.compare import CompareOptions, compare, comparison_name
from lowres.stages.compare_runs import list_runs, write_runs_table
from lowres.stages.evaluate import EvaluateOptions

QUIET = CompareOptions(embed_recordings=False)
SHARED = CompareOptions(embed_recordings=False, only_shared=True)


def _project(folder: Path, **chances: float) -> Path:
    for seed, (name, chance) in enumerate(chances.items(), start=1):
        write_run(folder, name)
        write_report(folder, name, garble(REFERENCES, chance, seed))
    return folder


def test_the_first_run_is_the_one_compared_with(tmp_path: Path) -> None:
    project = _project(tmp_path, old=0.7, new=0.2)
    result = compare(project, ["old", "new"], QUIET)
    (one,) = result.contents.comparisons
    assert result.contents.baseline.name == "old"
    assert one.words.verdict == "better"
    assert result.folder == project / "reports" / "compare-old-new-test"
    assert {path.name for path in result.folder.iterdir()} == {"report.html", "report.json", "differences.tsv"}
    assert (result.folder / "differences.tsv").read_bytes().startswith(b"\xef\xbb\xbfutterance_id\t")
    assert "at least the middle 95 of 100" in (result.folder / "report.html").read_text("utf-8")
    figures = json.loads((result.folder / "report.json").read_text(encoding="utf-8"))
    reported = json.loads((project / "reports" / "new-test" / "report.json").read_text(encoding="utf-8"))
    rate = reported["normalised"]["words"]["error_rate"]
    assert figures["comparisons"][0]["words"]["rate"] == pytest.approx(rate)


def test_the_order_of_the_utterances_does_not_matter(tmp_path: Path) -> None:
    project = _project(tmp_path, old=0.7, new=0.2)
    before = compare(project, ["old", "new"], QUIET).contents
    names = [f"u{number:03d}" for number in range(len(REFERENCES))]
    lines = garble(REFERENCES, 0.2, 2)
    write_report(
        project, "new", lines[::-1], references=REFERENCES[::-1], utterance_ids=names[::-1], speakers=["x"] * 30
    )
    assert compare(project, ["old", "new"], QUIET).contents.comparisons == before.comparisons


def test_other_references_are_refused_and_the_first_is_named(tmp_path: Path) -> None:
    project = _project(tmp_path, old=0.5, new=0.5)
    changed = ["wáa dzé", *REFERENCES[1:]]
    write_report(project, "new", changed, references=changed)
    with pytest.raises(
        CheckpointError, match="the reference of u000 is “wáa dzé la mwána” for old and “wáa dzé” for new"
    ):
        compare(project, ["old", "new"], QUIET)
    result = compare(project, ["old", "new"], SHARED)
    assert len(result.contents.text.utterance_ids) == 29
    assert result.contents.num_left_out == 1
    assert "utterances left out" in {caution.badge for caution in result.contents.cautions}


def test_other_utterances_are_refused_and_the_first_is_named(tmp_path: Path) -> None:
    project = _project(tmp_path, old=0.5, new=0.5)
    write_report(project, "new", REFERENCES[:29], references=REFERENCES[:29])
    with pytest.raises(CheckpointError, match="u029 was scored for old alone"):
        compare(project, ["old", "new"], QUIET)
    with pytest.raises(CheckpointError, match="u029 was scored for old alone"):
        compare(project, ["new", "old"], QUIET)
    write_report(project, "new", ["a"], references=["a"], utterance_ids=["elsewhere"])
    with pytest.raises(CheckpointError, match="not one utterance in common"):
        compare(project, ["old", "new"], SHARED)


def test_an_utterance_that_stands_twice_is_refused(tmp_path: Path) -> None:
    project = _project(tmp_path, old=0.5, new=0.5)
    write_report(project, "new", ["a", "a"], references=["a", "a"], utterance_ids=["u0", "u0"])
    with pytest.raises(CheckpointError, match="u0 stands twice in that of new"):
        compare(project, ["old", "new"], QUIET)


def test_a_missing_report_names_the_command_that_makes_it(tmp_path: Path) -> None:
    project = _project(tmp_path, old=0.5)
    write_run(project, "new run")
    with pytest.raises(CheckpointError, match="new run has no report of the test split") as caught:
        compare(project, ["old", "new run"], QUIET)
    recipe = project / "runs" / "new run" / "recipe.toml"
    assert f"lowres evaluate --run 'new run' --split test --recipe '{recipe}' --project {project}" in caught.value.hint
    assert "--evaluate" in caught.value.hint
    (project / "lowres.toml").write_text(RECIPE, encoding="utf-8")
    with pytest.raises(CheckpointError) as caught:
        compare(project, ["old", "new run"], QUIET)
    assert "--recipe" not in caught.value.hint


def test_missing_reports_are_made_with_the_recipe_of_their_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = _project(tmp_path, old=0.5)
    write_run(project, "new", recipe=RECIPE.replace("lowercase", "strip_punctuation"))
    made = []

    def evaluate(folder: Path, recipe: Recipe, options: EvaluateOptions, progress: object) -> None:
        made.append((options.run, options.split, len(recipe.text.rules)))
        write_report(folder, str(options.run), garble(REFERENCES, 0.4), split=str(options.split))

    monkeypatch.setattr(stage, "evaluate", evaluate)
    result = compare(project, ["old", "new"], CompareOptions(evaluate_missing=True, embed_recordings=False))
    assert made == [("new", "test", 3)]
    assert len(result.contents.comparisons) == 1


def test_the_split_is_the_first_that_all_runs_have_a_report_of(tmp_path: Path) -> None:
    project = _project(tmp_path, old=0.5, new=0.4)
    (project / "reports" / "new-test").rename(project / "reports" / "new-dev")
    write_report(project, "old", garble(REFERENCES, 0.5), split="dev")
    assert compare(project, ["old", "new"], QUIET).contents.split == "dev"
    with pytest.raises(CheckpointError, match="new has no report of the test split"):
        compare(project, ["old", "new"], CompareOptions(split="test"))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["old", "none"], "There is no run called 'none'"),
        (["old", "../old"], "There is no run called '../old'"),
        (["old", "old"], "old is named twice"),
        (["old"], "old alone cannot be compared"),
    ],
)
def test_names_that_cannot_be_compared_are_refused(tmp_path: Path, names: list[str], message: str) -> None:
    project = _project(tmp_path, old=0.5, new=0.4)
    with pytest.raises(CheckpointError, match=message):
        compare(project, names, QUIET)


def test_a_table_that_was_edited_is_refused(tmp_path: Path) -> None:
    project = _project(tmp_path, old=0.5, new=0.4)
    table = project / "reports" / "new-test" / "utterances.tsv"
    rows = list(csv.reader(table.read_text(encoding="utf-8").splitlines(), delimiter="\t"))
    rows[1][4] = "something else"
    table.write_text("\n".join("\t".join(row) for row in rows), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"was changed since it was written: in u000"):
        compare(project, ["old", "new"], QUIET)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("report.json", "{", "cannot be read as a report"),
        ("report.json", '{"schema_version": 99}', "has schema version 99"),
        ("utterances.tsv", "a\tb\n1\t2\n", "has no column utterance_id"),
        ("utterances.tsv", 'a\t"b', "cannot be read"),
        ("utterances.tsv", "\udc80", "cannot be read"),
    ],
)
def test_a_damaged_report_is_named(tmp_path: Path, name: str, content: str, message: str) -> None:
    project = _project(tmp_path, old=0.5, new=0.4)
    (project / "reports" / "new-test" / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(CheckpointError, match=message):
        compare(project, ["old", "new"], QUIET)


def test_settings_that_differ_are_listed_with_both_values(tmp_path: Path) -> None:
    project = _project(tmp_path, old=0.5)
    write_run(
        project,
        "new",
        recipe=RECIPE.replace('"lowercase", ', ""),
        settings={"learning_rate": 0.002, "noise": None},
        hours_asked=None,
        updates=500,
    )
    write_report(project, "new", garble(REFERENCES, 0.4), made_from={"Decoding": "beam search (50)"})
    contents = compare(project, ["old", "new"], QUIET).contents
    asked = {setting.key: setting.values for setting in contents.settings}
    assert asked["finetune.learning_rate"] == ("0.001", "0.002")
    assert asked["--hours"] == ("1", "–")
    assert asked["text.rules"] == ("nfc, lowercase, collapse_spaces", "nfc, collapse_spaces")
    outcomes = {setting.key: setting.values for setting in contents.outcomes}
    assert outcomes["updates made"] == ("300", "500")
    assert outcomes["Decoding"][1] == "beam search (50)"
    assert "decoded in different ways" in {caution.badge for caution in contents.cautions}


def test_runs_that_differ_only_in_their_seed_are_a_group(tmp_path: Path) -> None:
    for seed in (1, 2, 3):
        write_run(tmp_path, f"a{seed}", settings={"seed": seed})
        write_report(tmp_path, f"a{seed}", garble(REFERENCES, 0.5, seed))
    write_run(tmp_path, "b", settings={"learning_rate": 0.1})
    write_report(tmp_path, "b", garble(REFERENCES, 0.5, 4))
    write_run(tmp_path, "unfinished", settings={"seed": 9}, status="training")
    write_report(tmp_path, "unfinished", garble(REFERENCES, 0.9, 9))
    contents = compare(tmp_path, ["a1", "b", "a3", "a2", "unfinished"], QUIET).contents
    (group,) = contents.groups
    assert group.runs == (0, 2, 3)
    assert group.words_mean == pytest.approx(sum(group.word_error_rates) / 3)
    assert [one.differs_in_seed_only for one in contents.comparisons] == [False, True, True, False]
    badges = [caution.badge for caution in contents.cautions]
    assert badges.count("only the seed differs") == 2
    assert "not trained to its end" in badges


def test_a_folder_of_many_runs_has_a_name_that_a_disk_can_hold() -> None:
    assert comparison_name(["a", "b"], "test") == "compare-a-b-test"
    long = comparison_name([f"{'x' * 200}{number}" for number in range(30)], "dev")
    assert len(long) < 130
    assert long.endswith("-and-29-others-dev")


def test_all_runs_are_listed_the_best_first_with_what_is_missing(tmp_path: Path) -> None:
    write_run(tmp_path, "worse", best_dev_character_error_rate=0.4)
    best = write_run(tmp_path, "best", best_dev_character_error_rate=0.2, settings={"seed": 2})
    write_run(tmp_path, "new", status="training", best_dev_character_error_rate=None)
    (write_run(tmp_path, "broken") / "run.json").write_text("{", encoding="utf-8")
    (write_run(tmp_path, "pretrained") / "run.json").write_text('{"stage": "pretrain"}', encoding="utf-8")
    (best / "checkpoints" / "best").mkdir(parents=True)
    (best / "checkpoints" / "best" / "weights.safetensors").write_bytes(b"12345")
    write_report(tmp_path, "worse", garble(REFERENCES, 0.5))
    contents = list_runs(tmp_path)
    assert [row.name for row in contents.rows] == ["best", "worse", "broken", "new"]
    assert [row.state for row in contents.rows] == ["finished", "finished", "damaged", "unfinished"]
    assert contents.pretraining == ("pretrained",)
    assert [name for name, _ in contents.commands] == ["best"]
    assert contents.rows[1].reports[0].words.interval is not None
    assert contents.rows[0].size_bytes > 5
    spread = contents.spreads[0]
    assert (spread.runs, spread.mean, spread.measure) == (("best", "worse"), pytest.approx(0.3), "letters wrong on dev")
    page = write_runs_table(tmp_path, contents)
    assert page == tmp_path / "reports" / "compare" / "report.html"
    assert json.loads(page.with_name("report.json").read_text(encoding="utf-8"))["rows"][0]["name"] == "best"


def test_a_report_of_earlier_weights_is_said_to_be_one(tmp_path: Path) -> None:
    project = _project(tmp_path, new=0.5)
    run = write_run(project, "old")
    best = run / "checkpoints" / "best"
    best.mkdir(parents=True)
    (best / "checkpoint.json").write_text(json.dumps({"files": {"weights.safetensors": "abcdef"}}), encoding="utf-8")
    write_report(project, "old", garble(REFERENCES, 0.5), made_from={"Weights": "sha256 ffff"})
    assert list_runs(project).rows[1].reports[0].is_of_other_weights
    badges = [caution.badge for caution in compare(project, ["old", "new"], QUIET).contents.cautions]
    assert "report of earlier weights" in badges
    write_report(project, "old", garble(REFERENCES, 0.5), made_from={"Weights": "sha256 abc"})
    assert not list_runs(project).rows[1].reports[0].is_of_other_weights


def test_a_project_without_runs_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="There is no run in"):
        list_runs(tmp_path)
