"""Noticing that pretraining has collapsed: few codes in use, or latents that all look alike (FEATURES.md, C24).

The quantiser can learn to give the same few codes to everything, and the feature encoder to give the same latent to
everything; the contrastive task is then impossible or trivial and nothing more is learnt. Pure functions on numbers.
"""

from dataclasses import dataclass

from lowres.training.pretraining_monitors import HeldOutReport


@dataclass(frozen=True)
class PretrainingCollapseRule:
    """When pretraining counts as collapsed."""

    check_share: float
    """Share of the run before which nothing is concluded, 0-1: at first few codes are in use."""

    check_updates: int
    """Updates before which nothing is concluded."""

    smallest_used_codes_share: float
    """Share of the codes that held-out speech must use, 0-1."""

    largest_latent_similarity: float
    """Mean cosine similarity of targets above which they count as all alike, -1 to 1."""


@dataclass(frozen=True)
class PretrainingCollapse:
    """What has collapsed, and what to try."""

    sentence: str
    causes: tuple[str, ...]


def detect_pretraining_collapse(
    report: HeldOutReport, rule: PretrainingCollapseRule, *, num_codes: int, hours_per_update: float
) -> PretrainingCollapse | None:
    """Look for a collapse in one evaluation of held-out speech.

    Args:
        report: the evaluation.
        rule: the limits.
        num_codes: entries of all codebooks together.
        hours_per_update: hours of audio in an update, for the advice.
    """
    if report.progress < rule.check_share or report.step < rule.check_updates:
        return None
    causes = (
        "Lower pretrain.learning_rate to a third, or raise pretrain.warmup_share",
        f"Learn from more audio at once than the {hours_per_update * 3600:.0f} s of an update: raise "
        "pretrain.seconds_per_update (the paper used 5,760 s)",
    )
    if report.used_codes_share < rule.smallest_used_codes_share:
        used = round(report.used_codes_share * num_codes)
        return PretrainingCollapse(
            f"only {used} of the {num_codes} codes are used for held-out speech "
            f"(at least {rule.smallest_used_codes_share:.0%} should be)",
            (*causes, "Raise pretrain.diversity_weight, or lower pretrain.num_entries for a small corpus"),
        )
    if report.latent_similarity > rule.largest_latent_similarity:
        return PretrainingCollapse(
            f"all speech looks alike to the quantiser: its targets have a mean cosine similarity of "
            f"{report.latent_similarity:.2f} (at most {rule.largest_latent_similarity:.2f} is sound)",
            (*causes, "Lower pretrain.feature_gradient_scale, so that the feature encoder learns more slowly"),
        )
    return None
