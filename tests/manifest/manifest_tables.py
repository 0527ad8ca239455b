"""Small utterance tables for the tests of this room."""

from collections.abc import Sequence

import pandas as pd

from lowres.manifest.schema import UtteranceRow, table_from_rows


def make_table(
    texts: Sequence[str],
    *,
    speakers: Sequence[str] | None = None,
    seconds: Sequence[float] | None = None,
    splits: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Make a table of utterances u0, u1, ... with these texts; one second each and no speaker unless given."""
    rows = [
        UtteranceRow(
            utterance_id=f"u{index}",
            audio_path=f"audio/u{index}.wav",
            end_seconds=seconds[index] if seconds else 1.0,
            speaker=speakers[index] if speakers else "",
            split=splits[index] if splits else "",
            raw_text=text,
        )
        for index, text in enumerate(texts)
    ]
    return table_from_rows(rows)
