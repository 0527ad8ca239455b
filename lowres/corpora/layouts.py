"""One door to the readers: a corpus folder and its settings in, utterance rows out."""

from lowres.corpora.settings import ReaderName, ReaderSettings

__all__ = ["ReaderName", "ReaderSettings"]
