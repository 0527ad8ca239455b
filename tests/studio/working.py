"""A small project to work on: recordings of noise with transcripts beside them, prepared."""

import shutil
from pathlib import Path

import numpy as np
import soundfile

from lowres.recipe import Recipe, load_recipe
from lowres.stages.prepare import PrepareOptions, PrepareResult, prepare

TRANSCRIPTS = {
    "train/ana_00": "Mbote na yo.",
    "train/ana_01": "Ndeko mokɔ́.",
    "train/ben_02": "Tata na mama.",
    "train/ben_03": "<script>alert(1)</script> mbote",
    "dev/ana_04": 'Yo "na" yo & mama',
    "test/ben_05": "mokɔ́ \u202eevil\u202c na",
}
RECIPE = """
name = "small"
[language]
name = "Small"
iso_639_3 = "mdw"
[corpus]
folder = "recordings"
[corpus.reader]
speaker_from = "file_name"
[text]
rules = ["nfc", "lowercase", "strip_punctuation", "collapse_spaces"]
"""


def make_project(folder: Path, *, like: Path | None = None) -> Path:
    """Make a prepared project in a folder, or copy one."""
    project = folder / "project"
    if like is not None:
        shutil.copytree(like, project)
        return project
    generator = np.random.default_rng(1)
    project.mkdir()
    (project / "lowres.toml").write_text(RECIPE, encoding="utf-8")
    for name, text in TRANSCRIPTS.items():
        path = project / "recordings" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * generator.standard_normal(16_000), 16_000)
        path.with_suffix(".txt").write_text(f"{text}\n", encoding="utf-8")
    prepare_again(project)
    return project


def prepare_again(project: Path) -> PrepareResult:
    """Run `lowres prepare`."""
    return prepare(project, recipe_of(project), PrepareOptions(num_workers=1), lambda *_: None)


def recipe_of(project: Path) -> Recipe:
    """Load the recipe as `lowres` would in the project folder."""
    recipe = load_recipe(project=project)
    corpus = recipe.corpus.model_copy(update={"folder": str(project / "recordings")})
    return recipe.model_copy(update={"corpus": corpus})
