"""The small backbone that comes with lowres, so that a laptop without a network has something to start from."""

from pathlib import Path
from typing import Final

BUNDLED_NAME: Final = "lowres-small"
"""What a recipe calls it."""

BUNDLED_FOLDER: Final = Path(__file__).with_name(BUNDLED_NAME)


def bundled_folder(name: str) -> Path | None:
    """Return the folder of the backbone called `name`; None where lowres brings none of that name."""
    return BUNDLED_FOLDER if name == BUNDLED_NAME and BUNDLED_FOLDER.is_dir() else None
