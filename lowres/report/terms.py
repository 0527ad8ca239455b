"""Under which terms speech was given: what every page made from it repeats."""

from typing import Final

LICENCE: Final = "Licence of the speech"
CONSENT: Final = "Consent of its speakers"


def terms(licence: str, consent: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return licence and consent as names and values to print; what nobody stated is said to be missing."""
    return (LICENCE, licence or "not stated"), (CONSENT, consent or "not stated")
