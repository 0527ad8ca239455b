"""What is evaluated and what must be known about it: the run, the split, the training data it really saw."""

import platform
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from lowres import __version__
from lowres.backbones.checkpoint_folder import METADATA_FILE, CheckpointMetadata, has_checkpoint, read_metadata
from lowres.backbones.native import Recognizer
from lowres.errors import CheckpointError, CorpusError
from lowres.manifest.corpus import PreparedCorpus
from lowres.manifest.overlap import sentence_keys
from lowres.manifest.settings import DEV, TEST, TRAIN
from lowres.manifest.subsets import read_subset
from lowres.recipe import Recipe
from lowres.report.contents import Caution, Provenance, SplitFacts, TrainingOverlap
from lowres.report.language_tag import language_tag
from lowres.text.normalize import describe_rules
from lowres.text.vocabulary import Vocabulary
from lowres.training.precision import Compute

ALL_TRAINING_SPEECH = "all"


def find_run(project: Path, name: str | None) -> Path:
    """Return the run folder to evaluate: the named one, else the one whose best checkpoint is the newest.

    Older checkpoints that cannot be read, or that another version wrote, are in nobody's way.

    Raises:
        CheckpointError: there is no such run, none at all, it has no checkpoint yet, or the newest cannot be read.
    """
    runs = project / "runs"
    if name is not None:
        known = sorted(path.name for path in runs.glob("*/")) if runs.is_dir() else []
        if name not in known:
            listed = f"Runs here: {', '.join(known)}." if known else "There is none yet: run `lowres finetune` first."
            raise CheckpointError(f"There is no run called {name!r} in {runs}.", listed)
        if not has_checkpoint(best_checkpoint(runs / name)):
            raise CheckpointError(
                f"The run {name} has no best checkpoint yet.",
                "Let it train until its first evaluation on dev; `lowres finetune --resume` goes on with it.",
            )
        return runs / name
    found = [(path.stat().st_mtime_ns, path) for path in runs.glob(f"*/checkpoints/best/{METADATA_FILE}")]
    for _, path in sorted(found, reverse=True):
        try:
            kind = read_metadata(path.parent).kind
        except CheckpointError as error:  # to take an older one unasked would be to answer another question
            raise CheckpointError(
                f"The newest run, {path.parents[2].name}, cannot be used. {error.message}",
                f"{error.hint} Or move {path.parents[2]} out of {runs}, or name another run with --run.",
            ) from error
        if kind == "recognizer":
            return path.parents[2]
    raise CheckpointError(f"There is no trained recogniser in {runs}.", "Run `lowres finetune` first.")


def best_checkpoint(run: Path) -> Path:
    """Return the checkpoint folder of a run that was best on dev."""
    return run / "checkpoints" / "best"


def choose_split(corpus: PreparedCorpus, asked: str) -> str:
    """Return the split to score: `asked`, else test, or dev where the corpus has no test.

    Raises:
        CorpusError: that split holds no utterance.
    """
    for split in (asked,) if asked else (TEST, DEV):
        if not corpus.rows(split).empty:
            return split
    what = f"no {asked} split" if asked else "neither a test nor a dev split"
    raise CorpusError(
        f"The corpus in {corpus.folder} has {what} to score.", "Run `lowres prepare` again, or choose with --split."
    )


def training_rows(corpus: PreparedCorpus, metadata: CheckpointMetadata) -> pd.DataFrame:
    """Return the rows that the recogniser learned from, by the label of its subset; all of train where unknown."""
    rows = corpus.rows(TRAIN)
    label = str(metadata.training.get("subset_label", ALL_TRAINING_SPEECH))
    if label == ALL_TRAINING_SPEECH:
        return rows
    return rows.loc[rows["utterance_id"].isin(set(read_subset(corpus, label)))]


def gather_split_facts(
    corpus: PreparedCorpus, rows: pd.DataFrame, training: pd.DataFrame, recognizer: Recognizer, split: str
) -> SplitFacts:
    """Count what of the scored rows the recogniser met in training, and what it cannot get right."""
    speakers = set(rows["speaker"]) - {""}
    known_sentences = set(sentence_keys(training)) - {""}
    in_split = corpus.table["split"] == split
    return SplitFacts(
        overlap=TrainingOverlap(
            num_speakers=len(speakers),
            shared_speakers=tuple(sorted(speakers & set(training["speaker"]))),
            num_utterances=len(rows),
            num_shared_sentences=sum(key in known_sentences for key in sentence_keys(rows)),
        ),
        dev_chose_checkpoint=split == DEV and recognizer.metadata.training.get("dev_character_error_rate") is not None,
        num_excluded=int((in_split & ~corpus.table["included"]).sum()),
        unwritable=count_unwritable(recognizer.vocabulary, rows["text"].tolist()),
    )


def count_unwritable(vocabulary: Vocabulary, references: Sequence[str]) -> dict[str, int]:
    """Count the symbols of the references that the vocabulary cannot write, most frequent first."""
    counts = Counter(symbol for reference in references for symbol in vocabulary.unknown_symbols(reference))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def rules_have_changed(corpus: PreparedCorpus, recipe: Recipe) -> bool:
    """Whether the recipe's text rules are other than those that the corpus was prepared with."""
    return tuple(describe_rules(recipe.text.rules)) != corpus.info.text_rules


def cautions_about_changes(corpus: PreparedCorpus, recipe: Recipe, metadata: CheckpointMetadata) -> list[Caution]:
    """Say where corpus, recipe and recogniser no longer belong together."""
    found = []
    if rules_have_changed(corpus, recipe):
        found.append(
            Caution(
                "text rules changed",
                "The recipe's text rules are not those that the corpus was prepared with; the latter are scored. "
                "Run “lowres prepare” again to use the new ones.",
            )
        )
    trained_on = metadata.training.get("corpus_sha256")
    if trained_on and trained_on != corpus.info.manifest_sha256:
        found.append(
            Caution(
                "corpus changed",
                "The corpus was prepared again or corrected after this recogniser was trained, so what it saw is only "
                "partly known and may include sentences of this split.",
            )
        )
    return found


def describe_provenance(
    corpus: PreparedCorpus,
    recipe: Recipe,
    recognizer: Recognizer,
    *,
    run_name: str,
    split: str,
    facts: Sequence[tuple[str, str]],
) -> Provenance:
    """Gather how the figures came about; `facts` of this evaluation come after those of the training."""
    info, training = corpus.info, recognizer.metadata.training
    return Provenance(
        language=recipe.language.name or recipe.name or info.name,
        language_code=language_tag(recipe.language.iso_639_3 or info.language, recipe.language.script),
        corpus_name=info.name,
        run_name=run_name,
        split=split,
        synthetic=info.synthetic or bool(training.get("is_synthetic")),
        text_rules=info.text_rules,
        licence=info.licence,
        consent=info.consent,
        source=info.source,
        citation=info.citation,
        facts=(*_training_facts(recognizer, recipe, info.manifest_sha256), *facts, *_version_facts()),
    )


def _training_facts(recognizer: Recognizer, recipe: Recipe, manifest_sha256: str) -> list[tuple[str, str]]:
    metadata, training = recognizer.metadata, recognizer.metadata.training
    num_parameters = sum(weight.numel() for weight in recognizer.model.parameters())
    backbone = str(training.get("backbone", "") or "none: trained from random weights")
    if metadata.backbone_licence:
        backbone += f" (licence {metadata.backbone_licence})"
    facts = [
        ("Trained on", _training_amount(metadata)),
        ("Training", f"{_figure(training, 'updates')} updates, {_figure(training, 'hours_processed')} h processed"),
        ("Checkpoint", f"best on dev, update {metadata.step:,}"),
        ("Seed", str(training.get("seed", "unknown"))),
        ("Backbone", backbone),
        ("Network", f"{num_parameters / 1e6:.1f} million parameters"),
        (
            "Vocabulary",
            f"{len(recognizer.vocabulary):,} {recognizer.vocabulary.kind}, sha256 {recognizer.vocabulary.hash[:16]}",
        ),
        ("Weights", f"sha256 {metadata.files.get('weights.safetensors', '')[:16]}"),
        ("Recipe", f"{recipe.name}, sha256 {recipe.recipe_hash[:16]}"),
        ("Corpus manifest", f"sha256 {manifest_sha256[:16]}"),
    ]
    if metadata.recipe_sha256 != recipe.recipe_hash:
        facts.append(("Recipe when trained", f"sha256 {metadata.recipe_sha256[:16]}"))
    return facts


def _training_amount(metadata: CheckpointMetadata) -> str:
    training = metadata.training
    label = training.get("subset_label", "unknown")
    amount = "all training speech" if label == ALL_TRAINING_SPEECH else f"the {label} list"
    subset = str(training.get("subset_sha256", ""))[:16]
    transcribed = (
        f"{amount}: {_figure(training, 'hours')} h, {_figure(training, 'num_utterances')} utterances, sha256 {subset}"
    )
    if not training.get("num_pseudo_labelled"):
        return transcribed
    return (
        f"{transcribed}; and {_figure(training, 'pseudo_labelled_hours')} h that nobody transcribed, with what the run "
        f"{training.get('teacher')} heard in it ({_figure(training, 'num_pseudo_labelled')} pieces)"
    )


def _figure(training: dict[str, object], name: str) -> str:
    value = training.get(name)
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else "unknown"


def _version_facts() -> list[tuple[str, str]]:
    versions = [f"{name} {version(name)}" for name in ("torch", "jiwer")]
    return [
        ("Versions", ", ".join([f"lowres {__version__}", *versions, f"Python {platform.python_version()}"])),
        ("Evaluated", datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")),
    ]


def computing_facts(compute: Compute, hours_per_hour: float) -> list[tuple[str, str]]:
    """Say on what the recordings were decoded, and how fast."""
    return [("Computed", f"{compute.device}, {compute.precision}, {hours_per_hour:,.0f} hours of audio per hour")]
