"""Transcripts as they can stand in a sentence: what cannot be seen, or moves its neighbours, is given by its number."""

from lowres.text.marks import JOINERS


def number_hidden(text: str) -> str:
    """Write what would hide, end or reorder the text around it as U+200B and the like.

    That is what Unicode does not count as printable: control characters, direction marks, unusual spaces, halves of
    letters. The joiners U+200C and U+200D stay, since Persian and the scripts of India spell with them.
    """
    return "".join(c if c.isprintable() or c in JOINERS else f"U+{ord(c):04X}" for c in text)
