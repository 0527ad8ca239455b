"""correct: one transcript of a prepared corpus is corrected, and what stood before is kept for good.

The manifest gets the corrected transcript and what the recipe's rules make of it; `corrections.tsv` gets a line. The
corpus's own files are never written. Two people who correct the same utterance lose nothing: the second one is told,
and what was typed is in the history.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from lowres.errors import CorpusError
from lowres.manifest.corpus import PreparedCorpus, rewrite_corpus
from lowres.manifest.corrections import (
    Correction,
    CorrectionKind,
    History,
    append_correction,
    last_taken,
)
from lowres.recipe import Recipe
from lowres.text.normalize import compile_rules, describe_rules

MOST_CHARACTERS: Final = 100_000
_LONGEST_NAME: Final = 80


@dataclass(frozen=True)
class Edit:
    """What somebody wants to have saved.

    Attributes:
        utterance_id: whose transcript.
        raw_text: what it should be, as written; the recipe's rules are applied to it.
        seen: `version_of` the transcript that was looked at while correcting.
        author: a name to keep with it; "" for none.
        kind: "restored" where it is an earlier version.
    """

    utterance_id: str
    raw_text: str
    seen: str
    author: str = ""
    kind: CorrectionKind = "corrected"


@dataclass(frozen=True)
class Corrected:
    """What became of an edit.

    Attributes:
        outcome: "conflict" where somebody else saved another text meanwhile: the edit is in the history, set aside;
            "unchanged" where the transcript is what the edit says already.
        corpus: as it is now.
        correction: what was added to the history; None where nothing was.
    """

    outcome: Literal["saved", "unchanged", "conflict"]
    corpus: PreparedCorpus
    correction: Correction | None = None


def version_of(raw_text: str, corrections: Sequence[Correction]) -> str:
    """Return what names a transcript as it is now: another one, or the same one saved again, has another name.

    A correction that is in the history and never came into the corpus, whose disk was full, gives no other name.
    """
    taken = last_taken([one for one in corrections if one.raw_after == raw_text])
    content = sha256(raw_text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{taken.revision if taken else 0}-{content}"


def why_not_to_correct(corpus: PreparedCorpus, recipe: Recipe) -> str:
    """Return a sentence where the transcripts of a corpus cannot be corrected with a recipe; "" where they can."""
    if not corpus.info.transcribed:
        return "This corpus is of recordings alone: it has no transcripts."
    if not (recipe.corpus.manifest or recipe.corpus.folder):
        return "This corpus was joined of several: correct them in the projects that they come from."
    if corpus.info.recipe_name != recipe.name:
        return f"The corpus was prepared by the recipe {corpus.info.recipe_name!r}, and this one is {recipe.name!r}."
    if corpus.info.text_rules != tuple(describe_rules(recipe.text.rules)):
        return "The recipe's text rules changed since the corpus was prepared: run `lowres prepare`, then go on."
    return ""


def correct_transcript(
    project: Path, recipe: Recipe, corpus: PreparedCorpus, history: History, edit: Edit
) -> Corrected:
    """Correct a transcript; the caller keeps others from writing meanwhile (`lowres.manifest.writing_alone`).

    Args:
        project: the project folder.
        recipe: its text rules are applied.
        corpus, history: of the project, as they are on disk.
        edit: see `Edit`.

    Raises:
        CorpusError: no such utterance, a text that cannot be one, a corpus that cannot be corrected, or a disk that
            refuses.
    """
    if reason := why_not_to_correct(corpus, recipe):
        raise CorpusError(reason)
    position = _find(corpus, edit.utterance_id)
    raw_before, text_before = (str(corpus.table[name].iloc[position]) for name in ("raw_text", "text"))
    raw_after = tidy(edit.raw_text)
    earlier = history.get(edit.utterance_id, ())
    is_seen = edit.seen == version_of(raw_before, earlier)
    if raw_after == tidy(raw_before):
        return Corrected("unchanged", corpus)
    text_after = compile_rules(recipe.text.rules)(raw_after)
    if is_seen:
        demand_text(raw_after, text_after)
    taken, info = last_taken(earlier), corpus.info
    if taken and (taken.raw_after != raw_before or edit.utterance_id in info.taken_over):
        taken = None  # what is there now is the corpus's own
    correction = Correction(
        time=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        utterance_id=edit.utterance_id,
        revision=len(earlier) + 1,
        kind=edit.kind if is_seen else "set aside",
        author=" ".join(edit.author.split())[:_LONGEST_NAME],
        source_text=taken.source_text if taken else raw_before,
        raw_before=raw_before,
        raw_after=raw_after,
        text_before=text_before,
        text_after=text_after,
    )
    # First the history: should the machine stop now, `lowres prepare` finds the correction there.
    append_correction(project, correction)
    if not is_seen:
        return Corrected("conflict", corpus, correction)
    table = corpus.table.copy()
    table.loc[table.index[position], ["raw_text", "text"]] = [raw_after, text_after]
    info = replace(info, taken_over=tuple(name for name in info.taken_over if name != edit.utterance_id))
    return Corrected("saved", rewrite_corpus(replace(corpus, info=info), table), correction)


def _find(corpus: PreparedCorpus, utterance_id: str) -> int:
    found = (corpus.table["utterance_id"] == utterance_id).to_numpy().nonzero()[0]
    if not found.size:
        raise CorpusError(f"There is no utterance {utterance_id!r} in the corpus any more.", "Look at the list again.")
    return int(found[0])


def tidy(raw_text: str) -> str:
    """Return a text with line feeds for line breaks, as a browser sends others."""
    return raw_text.replace("\r\n", "\n").replace("\r", "\n")


def demand_text(raw_text: str, text: str) -> None:
    """Refuse what cannot be a transcript.

    Args:
        raw_text: as written. text: after the rules.

    Raises:
        CorpusError: nothing is left after the rules, it is very long, or it holds control characters.
    """
    if not text.strip():
        raise CorpusError(
            "Nothing would be left of this transcript to train on, so it was not saved.",
            "To leave an utterance out, take its transcript away in the corpus itself and run `lowres prepare`.",
        )
    if len(raw_text) > MOST_CHARACTERS:
        raise CorpusError(f"A transcript has {MOST_CHARACTERS:,} characters at most; this has {len(raw_text):,}.")
    control = next((one for one in raw_text if unicodedata.category(one) in ("Cc", "Cs") and one not in "\n\t"), "")
    if control:
        raise CorpusError(
            f"The transcript holds the control character U+{ord(control):04X}, which no one can see.", "Take it out."
        )
