"""Under which terms speech was given: what every page made from it repeats."""


def terms(licence: str, consent: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return licence and consent as names and values to print; what nobody stated is said to be missing."""
    return ("Licence of the speech", licence or "not stated"), ("Consent of its speakers", consent or "not stated")
