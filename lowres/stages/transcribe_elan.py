"""Adds what was heard to a copy of the ELAN file that lies beside a recording."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from lowres.annotation.elan import read_elan
from lowres.annotation.elan_adding import add_tiers
from lowres.annotation.tiers import Annotation, MediaLink, Tier

OUR_TIERS: Final = frozenset({"lowres", "lowres words", "lowres letters", "lowres doubtful"})
"""Names, without the voice behind the @."""


def add_to_elan(tiers: Sequence[Tier], elan: Path, recording: Path, output: Path) -> tuple[str, ...]:
    """Write a copy of an ELAN file with tiers added; tiers that lowres added before are replaced.

    Args:
        tiers: in the time of the recording.
        elan: the file; it is not touched.
        recording: what was heard, to be found among the recordings that the file names.
        output: the copy; one that is there is replaced.

    Returns:
        Sentences on what could not be as it should.

    Raises:
        CorpusError: no ELAN file, or one that tiers cannot be added to; nothing is written then.
    """
    before = read_elan(elan)
    offset = _offset_seconds(before.media, recording)
    moved = [_move(tier, offset) for tier in tiers]
    old = [tier.name for tier in before.tiers if tier.name.partition("@")[0] in OUR_TIERS]
    added = add_tiers(elan, moved, output=output, replace=old, replace_file=True)
    notes = [*added.notes]
    num_lost = sum(len(tier.annotations) for tier in tiers) - added.num_annotations
    if num_lost:
        notes.append(
            f"{num_lost} annotations lie before the moment at which this file's time begins, "
            f"{offset:g} s into the recording, and are left out."
        )
    return tuple(notes)


def _offset_seconds(media: Sequence[MediaLink], recording: Path) -> float:
    """Return the moment of the recording at which the file's time begins."""
    for link in media:
        names = {PurePosixPath(path.replace("\\", "/")).name for path in (link.path, link.relative_path)}
        if recording.name in names:
            return link.offset_seconds
    return media[0].offset_seconds if len(media) == 1 else 0.0


def _move(tier: Tier, offset_seconds: float) -> Tier:
    if not offset_seconds:
        return tier
    annotations = (
        Annotation(max(0.0, one.start_seconds - offset_seconds), one.end_seconds - offset_seconds, one.text)
        for one in tier.annotations
    )
    return replace(tier, annotations=tuple(one for one in annotations if one.end_seconds >= 0.001))
