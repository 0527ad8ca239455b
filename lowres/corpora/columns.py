"""Which column of a table holds what: as the recipe says, else under its usual names."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

from lowres.errors import CorpusError

# In order of preference; compared without regard to case.
USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "audio": (
        "audio", "file", "file_name", "filename", "path", "audio_path", "audio_file", "audio_filepath",
        "audio_filename", "wav", "wav_path", "wav_file", "wav_filename", "wave", "clip", "recording", "sound", "media",
    ),
    "text": (
        "text", "transcript", "transcription", "transcripts", "sentence", "raw_text", "raw_transcription", "utterance",
        "orthography", "phrase", "words",
    ),
    "speaker": ("speaker", "speaker_id", "spk", "spk_id", "speaker_name", "client_id", "participant", "voice"),
    "split": ("split", "set", "subset", "partition"),
    "id": ("id", "utterance_id", "utt_id", "uttid", "utt", "segment_id", "uid"),
    "start": ("start", "start_seconds", "start_time", "begin", "onset"),
    "end": ("end", "end_seconds", "end_time", "offset_end"),
    "channel": ("channel",),
    "language": ("language", "lang", "locale"),
}  # fmt: skip
NEEDED = ("audio", "text")


def find_columns(columns: Sequence[str], named: Mapping[str, str], path: Path) -> dict[str, int]:
    """Return our names of columns to their positions.

    Args:
        columns: the table's header.
        named: what the recipe says: our name to the table's.
        path: the table, for errors.

    Raises:
        CorpusError: a column that the recipe names is not there, one that is needed is not found, or a name is used
            twice; the columns that were found are listed, with the recipe key to set.
    """
    unknown = sorted(set(named) - set(USUAL_NAMES))
    if unknown:
        raise CorpusError(
            f"The recipe names a column for {unknown[0]!r}, which lowres has no use for.",
            f"Columns can be named for: {', '.join(USUAL_NAMES)}.",
        )
    listed = ", ".join(repr(column) for column in columns)
    positions: dict[str, int] = {}
    for ours, theirs in named.items():
        if theirs not in columns:
            nearest = difflib.get_close_matches(theirs, columns, n=1, cutoff=0.5)
            guess = f" Did you mean {nearest[0]!r}?" if nearest else ""
            raise CorpusError(
                f"{path} has no column {theirs!r}; its columns are {listed}.",
                f"Correct corpus.reader.columns.{ours} in the recipe.{guess}",
            )
        positions[ours] = columns.index(theirs)
    folded = [column.strip().casefold() for column in columns]
    for ours, usual in USUAL_NAMES.items():
        match = next((folded.index(name) for name in usual if name in folded), None)
        if ours not in positions and match is not None and match not in positions.values():
            positions[ours] = match
    for ours in NEEDED:
        if ours not in positions:
            what = {"audio": "the recordings", "text": "the transcripts"}[ours]
            raise CorpusError(
                f"{path} has no column that is known to name {what}; its columns are {listed}.",
                f'Say in the recipe which one it is: corpus.reader.columns.{ours} = "NAME".',
            )
    return positions
