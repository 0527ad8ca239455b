"""Adds tiers to an ELAN file that people work on, and leaves every other byte of it as it is."""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from lowres.annotation.elan import read_elan
from lowres.annotation.elan_changes import ElanChange, ElanPlan, apply_changes, plan_changes
from lowres.annotation.elan_elements import TimedTier, time_tier
from lowres.annotation.elan_layout import ElanLayout, read_layout
from lowres.annotation.files import read_bytes
from lowres.annotation.tiers import AnnotationFile, Tier
from lowres.errors import CorpusError


@dataclass(frozen=True)
class AddedTiers:
    """What was added to an ELAN file."""

    path: Path
    """The file that was written."""

    names: tuple[str, ...]
    """Of the added tiers, in the order given."""

    num_annotations: int
    """On them."""

    replaced: tuple[str, ...]
    """Tiers that were there before and were taken out."""

    new_types: tuple[str, ...]
    """Linguistic types that were added; the others were in the file."""

    last_annotation_id: int | None
    """The number that the header now keeps for ELAN (PROPERTY lastUsedAnnotationId); None = nothing was changed."""

    changes: tuple[ElanChange, ...]
    """All that is different, byte for byte, from the beginning of the file on."""

    notes: tuple[str, ...] = ()
    """Sentences on what could not be as it was asked for."""


def add_tiers(
    path: Path,
    tiers: Sequence[Tier],
    *,
    output: Path | None = None,
    replace: Sequence[str] = (),
    replace_file: bool = False,
) -> AddedTiers:
    """Add tiers to an ELAN file; everything else in it stays as it is, byte for byte.

    Added are a TIER after the last one, two TIME_SLOTs for each annotation (at their places in the order of time: ELAN
    sorts slots that have a time when it opens a file, but slots without one only have their place), and the linguistic
    types that the file does not have, or has for tiers that depend on others. One thing in the file is changed: the
    header's lastUsedAnnotationId, from which ELAN counts on when it names new annotations, without looking whether the
    name is taken. It becomes the number of the last annotation that was added; where it is missing it is added, unless
    the file is of a version before 2.4, which has no place for it.

    The tiers stand alone: `parent`, `recording` and the kind of a tier have no say. A language is kept if the file
    declares it. Times are the file's, those that `read_elan` gives, to the millisecond; where the file says that it
    begins later than its recording (`MediaLink.offset_seconds`), the caller has taken that off. Points become
    intervals of 40 ms, or up to the next point. The recordings that the file names relative to its folder are not
    renamed if `output` is in another one.

    Before anything is written, the result is read: the old tiers must be what they were and the new ones those given.

    Args:
        path: the file; it is not touched unless `output` is the same.
        tiers: with different names.
        output: where to; None = beside it, as STEM.lowres.eaf.
        replace: names of tiers that are taken out if they are there; a new one of that name takes the place. Their
            time slots stay, and ELAN drops them when it saves.
        replace_file: whether `output` may be another file that is there already.

    Raises:
        CorpusError: no ELAN file, one in UTF-16, a tier of that name is there, a tier to be replaced on which others
            depend, `output` is there already, a text or time that ELAN cannot hold, or the disk refused; nothing is
            written then.
    """
    target = output or path.with_name(f"{path.stem}.lowres.eaf")
    before = read_elan(path)
    layout = read_layout(read_bytes(path), path)
    _demand_target(path, target, replace_file)
    if not layout.all("TIME_ORDER"):
        raise CorpusError(f"{path} has no TIME_ORDER, which every ELAN file has.", "Open it in ELAN and save it again.")
    removed = _find_removed(layout, replace, path)
    _demand_names(layout, tiers, removed, path)
    timed = [time_tier(tier) for tier in tiers]
    plan = plan_changes(layout, timed, removed)
    expected = _expect(before, timed, plan, removed)
    _write_checked(apply_changes(layout.contents, plan.changes), target, path, expected)
    return AddedTiers(
        path=target,
        names=tuple(tier.name for tier in tiers),
        num_annotations=sum(len(tier.annotations) for tier in tiers),
        replaced=tuple(removed),
        new_types=tuple(plan.new_types),
        last_annotation_id=plan.last_id,
        changes=tuple(plan.changes),
        notes=tuple(plan.notes),
    )


def _demand_target(path: Path, target: Path, replace_file: bool) -> None:
    if not os.path.lexists(target) or replace_file:
        return
    if target.exists() and target.samefile(path):
        return
    raise CorpusError(f"{target} exists already.", "Choose another name, or say that it may be replaced.")


def _find_removed(layout: ElanLayout, names: Sequence[str], path: Path) -> dict[str, int]:
    """Return the numbers of the tiers to take out, once nothing is known to hang on them."""
    tiers = [tier.attributes for tier in layout.all("TIER")]
    removed: dict[str, int] = {}
    for number, tier in enumerate(tiers):
        name = tier.get("TIER_ID", "")
        if name in names and removed.setdefault(name, number) != number:
            raise CorpusError(f"{path} has two tiers called {name!r}.", "Give one of them another name in ELAN.")
    gone = set(removed.values())
    for number, tier in enumerate(tiers):
        parent = tier.get("PARENT_REF", "")
        if parent in removed and number not in gone:
            raise CorpusError(
                f"{path}: the tier {tier.get('TIER_ID', '')!r} depends on {parent!r}, which is not replaced.",
                "Give the new tier another name, or delete the tier that depends on it in ELAN.",
            )
    kept = [names for number, names in enumerate(layout.referred) if number not in gone]
    for name, number in removed.items():
        if any(layout.defined[number] & used for used in kept):
            raise CorpusError(
                f"{path}: annotations or links elsewhere refer to annotations of {name!r}, which is not replaced.",
                "Give the new tier another name.",
            )
    return removed


def _demand_names(layout: ElanLayout, tiers: Sequence[Tier], removed: dict[str, int], path: Path) -> None:
    taken = {tier.attributes.get("TIER_ID", "") for tier in layout.all("TIER")} - set(removed)
    names: set[str] = set()
    for tier in tiers:
        if tier.name in taken:
            raise CorpusError(
                f"{path} has a tier called {tier.name!r} already.", "Choose another name, or have that one replaced."
            )
        if tier.name in names:
            raise CorpusError(
                f"Two tiers are called {tier.name!r}, and ELAN needs different names.", "Give one of them another name."
            )
        names.add(tier.name)


def _expect(
    before: AnnotationFile, timed: Sequence[TimedTier], plan: ElanPlan, removed: dict[str, int]
) -> AnnotationFile:
    """Return what must be read from the result; of its notes only those are known that were there before."""
    new = {
        one.tier.name: Tier(
            one.tier.name, one.annotations, participant=one.tier.participant, linguistic_type=kind, language=language
        )
        for one, kind, language in zip(timed, plan.types, plan.languages, strict=True)
    }
    places = {number: name for name, number in removed.items()}
    tiers = [new.get(places[number]) if number in places else tier for number, tier in enumerate(before.tiers)] + [
        tier for name, tier in new.items() if name not in removed
    ]
    return replace(before, tiers=tuple(tier for tier in tiers if tier is not None))


def _write_checked(contents: bytes, target: Path, path: Path, expected: AnnotationFile) -> None:
    """Write beside the target, read that, and put it in place if it says what it should."""
    target = target.resolve()  # a link stays a link
    writing = target.with_name(f".{target.name}.writing-{os.getpid()}")
    try:
        with writing.open("wb") as file:
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
        _check(writing, path, expected)
        if target.exists():
            shutil.copymode(target, writing)
        writing.replace(target)
    except OSError as error:
        raise CorpusError(
            f"{target} cannot be written: {error.strerror or error}.",
            "Give a folder that exists and that you may write to.",
        ) from error
    finally:
        with suppress(OSError):
            writing.unlink(missing_ok=True)


def _check(written: Path, path: Path, expected: AnnotationFile) -> None:
    try:
        found = read_elan(written)
    except CorpusError as error:
        raise _harm(path, f"the result cannot be read ({error.message})") from error
    for after, wanted in zip_longest(found.tiers, expected.tiers):
        if after != wanted:
            name = (wanted or after).name
            raise _harm(path, f"the tier {name!r} would not be what it is or should be")
    if found.media != expected.media:
        raise _harm(path, "its recordings would not be what they are")


def _harm(path: Path, why: str) -> CorpusError:
    return CorpusError(
        f"Nothing was added to {path}: {why}.",
        "Write the tiers to a file of their own, and join the two in ELAN (File > Merge Transcriptions).",
    )
