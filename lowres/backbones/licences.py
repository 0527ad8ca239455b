"""What a backbone's licence lets one do, by its SPDX name."""


def forbids_commercial_use(licence: str) -> bool:
    """Whether a licence, such as CC-BY-NC-4.0, allows no commercial use."""
    return "-NC" in licence.upper()
