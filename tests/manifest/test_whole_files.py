"""A file is replaced by a whole one or not at all, and nothing is left beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lowres.manifest.whole_files import replace_file


def test_pieces_are_written_one_after_the_other_into_a_folder_that_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    assert replace_file(path, iter([b"one ", b"", b"two"])) == 7
    assert path.read_bytes() == b"one two"
    assert list(path.parent.iterdir()) == [path]


def test_what_fails_halfway_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        replace_file(path, pieces())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["folder", "file/below"])
def test_where_no_file_can_be_the_system_says_so_and_nothing_is_left(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match=r"directory|exists"):
        replace_file(tmp_path / name, [b"x"])
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]
