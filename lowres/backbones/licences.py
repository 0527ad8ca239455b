"""What licences let one do, by their SPDX names: of a backbone, of a corpus, of all that a network was made from."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

# Licences that model hubs know by a name of their own, by ours in lower case.
HUB_LICENCES: Final = frozenset(
    {"apache-2.0", "mit", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0"}
)


def forbids_commercial_use(licence: str) -> bool:
    """Whether a licence, such as CC-BY-NC-4.0, or one of several, allows no commercial use."""
    return any("-nc" in name for name in hub_names(licence))


def is_usual(licence: str) -> bool:
    """Whether a licence, and each of several, is stated and one that hubs know."""
    return hub_names(licence) <= HUB_LICENCES


def hub_names(licence: str) -> set[str]:
    """Return a licence, or each of several, as hubs spell it: "CC BY 4.0; MIT" is cc-by-4.0 and mit."""
    return {"-".join(name.lower().split()) for name in licence.split(";")}


def together(statements: Iterable[str]) -> str:
    """Join what several things state, each once; "not stated" stands for those that state nothing beside others."""
    each = dict.fromkeys(statement or "not stated" for statement in statements)
    return "" if list(each) == ["not stated"] else "; ".join(each)


def licence_of_speech(training: Mapping[str, Any]) -> str:
    """Return the licence of the corpus, or of the corpora together, that a network learnt from; "" is not stated.

    Args:
        training: as checkpoint.json has it (`CheckpointMetadata.training`).
    """
    languages = training.get("languages")
    if isinstance(languages, list):
        return together(str(row.get("licence") or "") for row in languages if isinstance(row, dict))
    return str(training.get("corpus_licence") or "")


def licence_of_all(backbone_licence: str, training: Mapping[str, Any]) -> str:
    """Return the licences together of all that a network of lowres's own was made from; "" where none is stated.

    Args:
        backbone_licence: of the backbone it was trained from, "" where it is not known or there was none.
        training: as checkpoint.json has it; empty where somebody else trained the network.
    """
    if not training:
        return backbone_licence
    has_backbone = bool(training.get("backbone") or backbone_licence)
    stated = [*([backbone_licence] if has_backbone else []), licence_of_speech(training)]
    return together(name.strip() for licence in stated for name in licence.split(";"))
