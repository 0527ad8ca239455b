"""Utterances that a page lets one hear: each is embedded once, where it is met first, and linked to from then on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

MOST_CLIP_SECONDS: Final = 20.0
"""Of a longer utterance a page holds the beginning."""


@dataclass(frozen=True)
class Sound:
    """One place of a page at which an utterance can be heard.

    Attributes:
        utterance_id: which.
        anchor: the id of the place that holds the player.
        address: a data address; "" where the player stands at an earlier place.
    """

    utterance_id: str
    anchor: str
    address: str


@dataclass
class ClipShelf:
    """Hands out the recordings of a page in the order of the page.

    Attributes:
        recordings: data addresses by utterance id, of what is embedded.
    """

    recordings: Mapping[str, str]
    _anchors: dict[str, str] = field(default_factory=dict)

    @property
    def num_placed(self) -> int:
        """How many recordings stand on the page so far."""
        return len(self._anchors)

    def choose(self, utterance_ids: Iterable[str]) -> str:
        """Choose what to hear of several utterances: one that is embedded, if possible not placed yet; "" of none."""
        embedded = [name for name in utterance_ids if name in self.recordings]
        return next((name for name in embedded if name not in self._anchors), embedded[0] if embedded else "")

    def place(self, utterance_id: str) -> Sound | None:
        """Return how an utterance is heard at the next place of the page; None where it is not embedded."""
        address = self.recordings.get(utterance_id)
        if address is None:
            return None
        if utterance_id in self._anchors:
            return Sound(utterance_id, self._anchors[utterance_id], "")
        anchor = f"clip-{len(self._anchors) + 1}"
        self._anchors[utterance_id] = anchor
        return Sound(utterance_id, anchor, address)
