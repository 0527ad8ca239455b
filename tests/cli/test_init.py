"""`lowres init` and `lowres recipe` through the command line."""

import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lowres.annotation.elan_writing import write_elan
from lowres.annotation.tiers import Annotation, AnnotationFile, Tier
from lowres.cli.app import app
from lowres.errors import CorpusError
from lowres.recipe import load_recipe, parse_recipe
from lowres.stages import init
from lowres.stages.init import guess_reader


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.wav").touch()
        (folder / f"{name}.txt").touch()
    return folder


def test_init_writes_a_recipe_for_a_folder_of_recordings(recordings: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    result = run("init", "--project", project, "--recordings", recordings, "--language", 'Kuche "A"', "--code", "xku")
    assert result.exit_code == 0
    assert "lowres prepare" in result.output
    recipe = load_recipe(project=project)
    assert recipe.language.name == 'Kuche "A"'
    assert recipe.language.iso_639_3 == "xku"
    assert recipe.corpus.folder == "../recordings"
    assert recipe.corpus.reader is not None
    assert recipe.corpus.reader.transcript_suffix == ".txt"


def test_init_never_overwrites_without_force(tmp_path: Path) -> None:
    path = tmp_path / "lowres.toml"
    path.write_text("name = 'mine'", encoding="utf-8")
    result = run("init", "--project", tmp_path)
    assert result.exit_code == 2
    assert "--force" in result.output
    assert path.read_text(encoding="utf-8") == "name = 'mine'"
    assert run("init", "--project", tmp_path, "--force").exit_code == 0
    assert load_recipe(project=tmp_path).corpus.folder == "recordings"


def test_init_copies_a_shipped_recipe_with_its_comments(tmp_path: Path, recordings: Path) -> None:
    assert run("init", "--project", tmp_path, "--recipe", "mboshi").exit_code == 0
    assert load_recipe(project=tmp_path).recipe_hash == load_recipe("mboshi").recipe_hash
    assert "# What is special" in (tmp_path / "lowres.toml").read_text(encoding="utf-8")
    assert (
        run("init", "--project", tmp_path, "--recipe", "mboshi", "--recordings", recordings, "--force").exit_code == 0
    )
    recipe = load_recipe(project=tmp_path)
    assert (recipe.corpus.manifest, recipe.corpus.folder) == ("mboshi", "recordings")


@pytest.mark.parametrize(
    ("files", "reader"),
    [
        (["data/train/wav.scp", "a.wav"], "kaldi"),
        (["rw/train.tsv", "rw/clips/a.mp3"], "common_voice"),
        (["train/metadata.csv", "train/a.flac"], "audio_folder"),
        (["manifests/x_recordings_train.jsonl.gz", "manifests/x_supervisions_train.jsonl.gz", "a.wav"], "lhotse"),
        (["mls_polish/train/transcripts.txt", "mls_polish/train/audio/1/2/1_2_3.opus"], "mls"),
        (["line_index_female.tsv", "yo_ng_female/yof_1_2.wav"], "openslr"),
        (["audio/line_index.tsv", "audio/metadata.csv", "audio/a.wav"], "openslr"),
        (["train.tsv", "audio/train/a.wav"], "table"),
        (["words.csv", "audio/a.opus"], "table"),
        (["a.wav", "a.mb", "b.wav", "b.mb"], "paired_files"),
    ],
)
def test_init_recognises_layouts(files: list[str], reader: str, tmp_path: Path) -> None:
    for name in files:
        path = tmp_path / "speech" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert run("init", "--project", tmp_path, "--recordings", tmp_path / "speech").exit_code == 0
    assert tomllib.loads((tmp_path / "lowres.toml").read_text(encoding="utf-8"))["corpus"]["reader"]["reader"] == reader


def test_init_recognises_fleurs_by_its_tables_without_header(tmp_path: Path) -> None:
    recording = tmp_path / "speech" / "sw_ke" / "audio" / "train" / "a.wav"
    recording.parent.mkdir(parents=True)
    recording.touch()
    (tmp_path / "speech/sw_ke/train.tsv").write_text(
        "12\ta.wav\tHabari.\thabari\th a|\t16000\tMALE\n", encoding="utf-8"
    )
    assert run("init", "--project", tmp_path, "--recordings", tmp_path / "speech").exit_code == 0
    recipe = tomllib.loads((tmp_path / "lowres.toml").read_text(encoding="utf-8"))
    assert recipe["corpus"]["reader"] == {"reader": "fleurs"}


def test_init_takes_the_tier_with_most_text_for_the_transcript(tmp_path: Path) -> None:
    speech = tmp_path / "speech"
    speech.mkdir()
    (speech / "a.wav").touch()
    turns = Tier("who", tuple(Annotation(second, second + 1, "A") for second in range(5)))
    text = Tier("text", (Annotation(0.0, 5.0, "mbote na yo"),))
    write_elan(AnnotationFile((turns, text)), speech / "a.eaf")
    assert run("init", "--project", tmp_path, "--recordings", speech).exit_code == 0
    reader = tomllib.loads((tmp_path / "lowres.toml").read_text(encoding="utf-8"))["corpus"]["reader"]
    assert reader == {"reader": "annotated", "tiers": ["text"]}


@pytest.mark.parametrize(
    ("files", "reader"),
    [
        (
            {"S/S.session": "<Session/>", "S/a.wav.annotations.eaf": "", "S/notes.txt": "x", "S/a.txt": "x"},
            {"reader": "saymore"},
        ),
        (
            {"S/a.txt": "\\_sh v3.0  400  Text\n\\ref 1\n\\ELANBegin 1\n\\ELANEnd 2\n\\tx a\n\\ge a long gloss\n"},
            {"reader": "annotated", "annotation_suffixes": [".txt"], "tiers": ["tx"]},
        ),
        (
            {
                "S/a.flextext": "<document><interlinear-text><phrase begin-time-offset='1' end-time-offset='2'>"
                "<item type='gls' lang='en'>a long gloss</item><item type='txt' lang='mdw'>a</item></phrase>"
                "</interlinear-text></document>"
            },
            {"reader": "annotated", "tiers": ["txt-mdw"]},
        ),
    ],
)
def test_init_recognises_saymore_toolbox_and_flex(
    files: dict[str, str], reader: dict[str, object], tmp_path: Path
) -> None:
    for name, contents in {**files, "S/a.wav": ""}.items():
        (tmp_path / "speech" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "speech" / name).write_text(contents, encoding="utf-8")
    assert run("init", "--project", tmp_path, "--recordings", tmp_path / "speech").exit_code == 0
    recipe = tomllib.loads((tmp_path / "lowres.toml").read_text(encoding="utf-8"))
    assert recipe["corpus"]["reader"] == reader


SPEAKERS = "name,age\nAna,40\nBen,30\n"
LABELS = "1.0\t2.5\tmbote\n3,0\t4.0\tna yo\n"
ANNOTATED = {"reader": "annotated", "tiers": ["text"]}


@pytest.mark.parametrize(
    ("files", "reader"),
    [
        ({"speakers.csv": SPEAKERS}, ANNOTATED),
        ({"metadata.csv": SPEAKERS}, ANNOTATED),
        ({"metadata.csv": "file_name,date\na.wav,2020\n"}, ANNOTATED),
        ({"words.csv": "audio,text\nelsewhere.wav,mbote\n"}, ANNOTATED),
        ({"words.csv": "audio,text\na.wav,mbote\n"}, {"reader": "table", "table": "words.csv"}),
        ({"metadata.csv": "file_name,text\nA.WAV,mbote\n"}, {"reader": "audio_folder"}),
        ({"a.eaf": "damaged", "words.csv": SPEAKERS}, {"reader": "table", "table": "words.csv"}),
    ],
)
def test_annotations_beside_recordings_win_over_a_table_that_lists_no_transcripts_of_them(
    files: dict[str, str], reader: dict[str, object], tmp_path: Path
) -> None:
    (tmp_path / "a.wav").touch()
    who, text = Tier("who", (Annotation(0.0, 5.0, "A"),)), Tier("text", (Annotation(0.0, 5.0, "mbote na yo"),))
    write_elan(AnnotationFile((who, text)), tmp_path / "a.eaf")
    for name, contents in files.items():
        (tmp_path / name).write_text(contents, encoding="utf-8")
    assert guess_reader(tmp_path) == reader


@pytest.mark.parametrize(
    ("files", "reader"),
    [
        ({"a.txt": LABELS, "b.txt": "\n"}, {"reader": "annotated", "annotation_suffixes": [".txt"]}),
        ({"a.txt": LABELS, "b.txt": "mbote"}, {"reader": "paired_files", "transcript_suffix": ".txt"}),
        ({"a.txt": "12\n", "b.txt": "2.5\tmbote"}, {"reader": "paired_files", "transcript_suffix": ".txt"}),
        ({"a.txt": "mbote", "speakers.csv": SPEAKERS}, {"reader": "paired_files", "transcript_suffix": ".txt"}),
    ],
)
def test_label_tracks_beside_recordings_are_no_plain_transcripts(
    files: dict[str, str], reader: dict[str, object], tmp_path: Path
) -> None:
    for name, contents in {"a.wav": "", "b.wav": "", **files}.items():
        (tmp_path / name).write_text(contents, encoding="utf-8")
    assert guess_reader(tmp_path) == reader


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "no recording"),
        (["a.wav"], "no transcripts"),
        (["a.wav", "a.eaf"], "none of them can be read"),
        (None, "no folder"),
    ],
)
def test_init_says_what_is_missing_and_writes_nothing(files: list[str] | None, words: str, tmp_path: Path) -> None:
    if files is not None:
        (tmp_path / "speech").mkdir()
        for name in files:
            (tmp_path / "speech" / name).touch()
    result = run("init", "--project", tmp_path, "--recordings", tmp_path / "speech")
    assert result.exit_code == 2
    assert words in result.output
    assert not (tmp_path / "lowres.toml").exists()


def test_init_finds_transcripts_behind_thousands_of_recordings(tmp_path: Path) -> None:
    for name in (*(f"audio/{number:04}.wav" for number in range(5_100)), "data/train/wav.scp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert guess_reader(tmp_path) == {"reader": "kaldi"}


def test_init_says_so_where_it_did_not_look_at_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init, "_MOST_FILES_LOOKED_AT", 2)
    for name in ("audio/a.wav", "audio/b.wav", "audio/c.wav", "data/train/wav.scp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(CorpusError, match="There are 3 recordings and no transcripts in the first 3 files of"):
        guess_reader(tmp_path)


@pytest.mark.parametrize("arguments", [("--code", "Mboshi"), ("--recipe", "mbosi")])
def test_init_refuses_a_code_or_recipe_that_is_none(arguments: tuple[str, str], tmp_path: Path) -> None:
    result = run("init", "--project", tmp_path, *arguments)
    assert result.exit_code == 2
    assert not (tmp_path / "lowres.toml").exists()


def test_recipe_prints_what_it_can_read_again() -> None:
    result = run("recipe", "--recipe", "mboshi", "--set", "finetune.learning_rate=1e-5")
    assert result.exit_code == 0
    printed = parse_recipe(result.stdout)
    assert printed.finetune.learning_rate == 1e-5
    assert printed.recipe_hash == load_recipe("mboshi", ["finetune.learning_rate=1e-5"]).recipe_hash


def test_recipe_stops_at_a_text_test_that_fails(tmp_path: Path) -> None:
    (tmp_path / "lowres.toml").write_text("[[text.tests]]\nfrom = 'A'\nto = 'b'", encoding="utf-8")
    result = run("recipe", "--project", tmp_path)
    assert result.exit_code == 2
    assert "1 of 1 text tests fail: 'A' becomes 'A' instead of 'b'" in result.output


def test_recipe_lists_the_shipped_ones() -> None:
    assert "mboshi" in run("recipe", "--list").stdout


def test_an_unknown_recipe_key_is_one_sentence_and_exit_2(tmp_path: Path) -> None:
    (tmp_path / "lowres.toml").write_text("[finetune]\nlerning_rate = 1", encoding="utf-8")
    result = run("recipe", "--project", tmp_path)
    assert result.exit_code == 2
    assert "line 2: there is no key 'finetune.lerning_rate'" in result.output
    assert "learning_rate" in result.output
