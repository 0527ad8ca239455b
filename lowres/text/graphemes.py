"""Text cut into the letters a linguist counts: declared multigraphs whole, combining marks with their letter."""

import re
from collections.abc import Sequence
from functools import lru_cache

from lowres.errors import RecipeError
from lowres.text.marks import double_mark_class, is_mark, mark_class


def split_graphemes(text: str, declared: Sequence[str] = ()) -> list[str]:
    """Cut `text` into graphemes; joined together again they are `text`, character for character.

    At each place the longest declared grapheme wins, else one character. Combining marks that follow (and the
    joiners U+200C, U+200D) stay with it, and a double mark such as the tie bar of `t͡ɕ` also takes in the letter on
    its other side. White space stands alone and never takes a mark.

    Args:
        text: any text; the declared graphemes are looked for as written, so both should be in one Unicode form.
        declared: graphemes of several characters, such as `("ts", "gb", "nd")`; their order does not matter.

    Raises:
        RecipeError: a declared grapheme is empty, holds white space, begins with a mark or is given twice.
    """
    return _pattern(tuple(declared)).findall(text)


def check_graphemes(declared: Sequence[str]) -> None:
    """Refuse declared graphemes that could never be matched or would be ambiguous.

    Raises:
        RecipeError: as `split_graphemes`.
    """
    seen: set[str] = set()
    for grapheme in declared:
        if not grapheme or any(c.isspace() for c in grapheme):
            raise RecipeError(f"The grapheme {grapheme!r} is empty or holds a space.", "Take it out of `graphemes`.")
        if is_mark(grapheme[0]):
            raise RecipeError(
                f"The grapheme {grapheme!r} begins with a combining mark, and marks belong to the letter before them.",
                "Write the mark together with its letter.",
            )
        if grapheme in seen:
            raise RecipeError(f"The grapheme {grapheme!r} is declared twice.", "Keep it once in `graphemes`.")
        seen.add(grapheme)


@lru_cache(maxsize=64)
def _pattern(declared: tuple[str, ...]) -> re.Pattern[str]:
    check_graphemes(declared)
    longest_first = sorted(declared, key=len, reverse=True)
    marks, double = mark_class(), double_mark_class()
    letter = "|".join([*map(re.escape, longest_first), r"\S"])
    other_side = "|".join([*map(re.escape, longest_first), rf"[^\s{marks}]"])
    return re.compile(rf"\s|(?:{letter})[{marks}]*(?:(?<=[{double}])(?:{other_side})[{marks}]*)*")
