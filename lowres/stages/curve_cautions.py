"""What to know before believing a learning curve, and how its runs came about."""

from collections.abc import Sequence
from typing import Final

from lowres import __version__
from lowres.manifest.corpus import PreparedCorpus
from lowres.manifest.settings import DEV
from lowres.recipe import Recipe
from lowres.report.contents import FEW_UTTERANCES
from lowres.report.terms import terms
from lowres.stages.finetune_again import ENDED
from lowres.stages.finetune_run import RunRecord

_FEW_PASSES: Final = 5.0
"""Mboshi's largest amounts, heard 1.3 and 2.5 times, were no better than an hour heard five times."""


def curve_cautions(corpus: PreparedCorpus, records: Sequence[RunRecord], split: str) -> list[str]:
    """Return sentences, the gravest first."""
    found = []
    if corpus.info.synthetic:
        found.append("A machine spoke these recordings: the curve says nothing about real speakers.")
    others = [record.name for record in records if record.corpus_sha256 != corpus.info.manifest_sha256]
    if others:
        found.append(
            f"{', '.join(others)}: trained before the corpus was prepared again, so what they learnt from may hold "
            "what is scored here."
        )
    found += [
        f"{record.name} has not ended ({record.status}): its point may still fall."
        for record in records
        if record.status not in ENDED
    ]
    found += _differences(records)
    found += heard_seldom(records)
    if split == DEV:
        found.append(
            "All points are scored on dev, which also chose each run's checkpoint: they are a little too good. "
            "The test split is left alone for the last figure."
        )
    overlap = corpus.info.overlap.between("train", split)
    if overlap is not None and overlap.num_utterances_of_shared_speakers:
        found.append(
            f"Speakers of {split} are heard in training too. For people it has never heard, expect more errors than "
            "the curve says (“lowres cross-validate” tells how many)."
        )
    num_utterances = len(corpus.rows(split))
    if num_utterances < FEW_UTTERANCES:
        found.append(f"Only {num_utterances} utterances were scored, so each point is uncertain.")
    if len({record.settings["seed"] for record in records}) == 1:
        found.append(
            "Each amount was trained once. The ranges reckon with another seed moving an error rate by some 3 % of "
            "itself, and with what the points' own scatter says."
        )
    return found


def heard_seldom(records: Sequence[RunRecord]) -> list[str]:
    """Say where a curve may flatten because large amounts were heard too seldom, not because more would not help."""
    passes = [(record.hours_processed / record.hours, record.name) for record in records if record.hours > 0]
    few = [f"{name} {count:.1f} times" for count, name in passes if count < _FEW_PASSES]
    if not few or len(few) == len(passes):
        return []
    return [
        f"Some runs heard their speech only a few times: {', '.join(few)}. They were not trained out, so the curve may "
        "flatten for that reason alone; more updates (finetune.updates) would tell."
    ]


def _differences(records: Sequence[RunRecord]) -> list[str]:
    """Say in what the runs differ beside the speech they were given."""
    what = {
        "backbones": {record.backbone_sha256 for record in records},
        "recipes or settings": {record.recipe_sha256 for record in records},
        "corpora": {record.corpus_sha256 for record in records},
        "pseudo-labels": {record.pseudo_labels_sha256 for record in records},
    }
    differ = [name for name, values in what.items() if len(values) > 1]
    if not differ:
        return []
    return [f"The runs differ in their {' and '.join(differ)}, not in their hours alone: the curve mixes both."]


def curve_facts(corpus: PreparedCorpus, recipe: Recipe, records: Sequence[RunRecord]) -> tuple[tuple[str, str], ...]:
    """Return (name, value) pairs for people who want to repeat the figures."""
    backbones = sorted({record.backbone or "none: random weights" for record in records})
    seconds = sum(record.wall_seconds for record in records)
    return (
        *terms(corpus.info.licence, corpus.info.consent),
        ("Corpus manifest", f"sha256 {corpus.info.manifest_sha256[:16]}"),
        ("Recipe", f"{recipe.name}, sha256 {records[-1].recipe_sha256[:16]}"),
        ("Backbone", ", ".join(backbones)),
        ("Training", f"{seconds / 60:,.0f} minutes in all"),
        ("Decoding", "greedy, without a language model"),
        ("lowres", __version__),
    )
