"""audit: the suggested text rules as a piece of TOML to paste into a recipe."""

from lowres.recipe.toml_writer import write_value
from lowres.text.audit_findings import OrthographyAudit
from lowres.text.audit_tally import counted
from lowres.text.hidden import number_hidden


def rules_snippet(audited: OrthographyAudit) -> list[str]:
    """Write the suggested rules as TOML with a comment of one line each; `tomllib` reads it back as the same rules."""
    told = {write_value(suggestion.step): suggestion for suggestion in audited.suggestions}
    lines = ["[text]", "rules = ["]
    for step in audited.rules:
        written = write_value(step)
        suggestion = told.get(written)
        if suggestion is not None:
            new = "" if suggestion.in_recipe else "new: "
            changes = counted(suggestion.num_utterances, "utterance")
            # What is hidden in a reason would end the comment, or hide a part of it.
            lines.append(f"    # {new}{number_hidden(suggestion.reason)} (changes {changes})")
        lines.append(f"    {written},")
    return [*lines, "]"]
