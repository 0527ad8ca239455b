"""audit: the suggested text rules as a piece of TOML to paste into a recipe."""

from lowres.recipe.toml_writer import write_value
from lowres.text.audit_findings import OrthographyAudit

_JOINERS = "\u200c\u200d"


def rules_snippet(audited: OrthographyAudit) -> list[str]:
    """Write the suggested rules as TOML with a comment of one line each; `tomllib` reads it back as the same rules."""
    told = {write_value(suggestion.step): suggestion for suggestion in audited.suggestions}
    lines = ["[text]", "rules = ["]
    for step in audited.rules:
        written = write_value(step)
        suggestion = told.get(written)
        if suggestion is not None:
            new = "" if suggestion.in_recipe else "new: "
            changes = f"{suggestion.num_utterances:,} utterance" + ("" if suggestion.num_utterances == 1 else "s")
            lines.append(f"    # {new}{_plain(suggestion.reason)} (changes {changes})")
        lines.append(f"    {written},")
    return [*lines, "]"]


def _plain(sentence: str) -> str:
    """Number what would end a comment or hide a part of it."""
    return "".join(c if c.isprintable() or c in _JOINERS else f"U+{ord(c):04X}" for c in sentence)
