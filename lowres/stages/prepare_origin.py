"""What a prepared corpus was made from, so that one that would come out the same need not be made again."""

import hashlib
import json
import os
from pathlib import Path

from lowres import __version__
from lowres.corpora.files import walk_folders
from lowres.errors import ON_NONSENSE
from lowres.manifest.corpus import CORPUS_FOLDER
from lowres.manifest.corrections import CORRECTIONS_FILE
from lowres.manifest.misfits import MISFITS_FILE, MisfitsPlace
from lowres.manifest.table import write_atomically
from lowres.recipe import Recipe
from lowres.recipe.load import PROJECT_RECIPE
from lowres.stages.prepare_locate import LocatedCorpus

ORIGIN_FILE = "prepared_from.json"

OWN_FOLDERS = (
    "corpus", "corpus.partial", "corpus.old", "cross-validation", "prepared", "reports", "runs", "studio", "unpacked",
)  # fmt: skip
"""What lowres makes in a project, which may be the folder of the recordings itself. What it heard is marked as such
(`lowres.corpora.files.MACHINE_MADE_MARK`), since people have folders of transcripts too."""

_SECTIONS_WITHOUT_EFFECT = ("description", "pretrain", "finetune", "evaluate")


def misfits_place(project: Path, target: Path) -> MisfitsPlace:
    """Return where it may be said what does not fit in a corpus that is prepared in `target`.

    Of corpora that are joined, it is said of all together, where utterances bear the corpus's name before their own.
    """
    return MisfitsPlace(project, "" if target == project / CORPUS_FOLDER else f"{target.name}/")


def fingerprint_origin(recipe: Recipe, located: LocatedCorpus, seed: int, misfits: MisfitsPlace) -> str:
    """Return a hash (hex) of everything a prepared corpus depends on.

    Args:
        recipe: all its sections count, but those about training and scoring.
        located: where the corpus lies; the names, sizes and times of all its files count, not what is in them.
        seed: of splits that are made.
        misfits: what the file says counts, where the corpus has transcripts; so do corrections of the project's own.
    """
    data = recipe.to_data()
    for section in _SECTIONS_WITHOUT_EFFECT:
        data.pop(section, None)
    stated = [__version__, seed, data, located.licence, located.consent, located.citation, located.source]
    digest = hashlib.sha256(json.dumps([*stated, dict(located.subset_hashes)], sort_keys=True, default=str).encode())
    digest.update(repr(located.reader).encode())
    if located.reader.has_transcripts and misfits.path.is_file():
        digest.update(misfits.path.read_bytes())
    corrections = misfits.project / CORRECTIONS_FILE
    if located.reader.has_transcripts and not misfits.prefix and corrections.is_file():
        digest.update(corrections.read_bytes())
    is_project = (located.folder / PROJECT_RECIPE).is_file()
    for parent, folders, names in walk_folders(located.folder):
        if is_project and parent == located.folder:
            folders[:] = [name for name in folders if name not in OWN_FOLDERS]
            # What these say is hashed above.
            names = [name for name in names if name not in (PROJECT_RECIPE, MISFITS_FILE, CORRECTIONS_FILE)]
        for name in names:
            stat = Path(parent, name).stat(follow_symlinks=False)
            place = os.path.relpath(os.path.join(parent, name), located.folder)  # noqa: PTH118 (a million files)
            digest.update(f"{place}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def write_origin(corpus_folder: Path, fingerprint: str) -> None:
    """Note in a prepared corpus what it was made from.

    Raises:
        CorpusError: the disk refused.
    """
    write_atomically(corpus_folder / ORIGIN_FILE, [json.dumps({"fingerprint": fingerprint}), "\n"])


def read_origin(corpus_folder: Path) -> str:
    """Return what `write_origin` noted; "" where there is no such note."""
    try:
        found = json.loads((corpus_folder / ORIGIN_FILE).read_text(encoding="utf-8"))
    except (OSError, *ON_NONSENSE):
        return ""
    return str(found.get("fingerprint", "")) if isinstance(found, dict) else ""
