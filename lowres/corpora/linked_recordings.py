"""Finds the recordings that files of annotations link to, wherever they were moved, and the time that each begins."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from lowres.annotation.tiers import MediaLink
from lowres.corpora.files import CorpusFiles


@dataclass(frozen=True)
class FoundRecording:
    """A recording, or why there is none.

    Attributes:
        path: where it lies, posix, relative to the corpus folder; "" where there is none.
        offset_seconds: the moment of it at which the time of the file of annotations begins.
        distance: 0 where it lies where it was said to, 1 where one of that name lies elsewhere, 2 for a similar name.
        problem: what to say where there is none.
    """

    path: str = ""
    offset_seconds: float = 0.0
    distance: int = 0
    problem: str = ""


@dataclass
class LinkedRecordings:
    """Finds the recordings of a corpus's files of annotations.

    Attributes:
        files: of the corpus.
        endings: which files are recordings, in lower case.
        used: the recordings that some file of annotations belongs to.
        elsewhere: files of annotations whose recording lies elsewhere than they say.
        renamed: those whose links lead nowhere, and whose recording was found by the file's own name.
    """

    files: CorpusFiles
    endings: tuple[str, ...]
    used: set[str] = field(default_factory=set)
    elsewhere: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)

    def find(self, name: str, media: Sequence[MediaLink], *, beside: bool = True) -> FoundRecording:
        """Find the recording of a file of annotations, and say why where there is none.

        Of several that are linked, it is the first that is where the link says, or else comes nearest to that. Where
        no link leads to one and `beside` is true, it is the one beside the file that is called like it.

        Args:
            name: of the file, posix, relative to the corpus folder.
            media: its links.
            beside: whether the file is of one recording.

        Raises:
            CorpusError: a symbolic link leads out of the corpus folder.
        """
        followed = [found for link in media if (found := self._follow(link, name)).path]
        # A film and its sound are both of this file, although one of them is cut.
        self.used.update(found.path for found in followed)
        if followed:
            nearest = min(followed, key=lambda found: found.distance)
            if nearest.distance:
                self.elsewhere.append(name)
            return nearest
        found = self._find_beside(name, media) if beside else _none_of(media)
        self.used.add(found.path)
        return found

    def notes(self) -> Iterator[str]:
        """Yield what was found elsewhere than it should be, in sentences."""
        if self.elsewhere:
            yield (
                f"{len(self.elsewhere)} file(s) name a recording that is not where they say; the one of that name in "
                f"this folder was taken, such as for {self.elsewhere[0]}."
            )
        if self.renamed:
            yield (
                f"{len(self.renamed)} file(s) link to no recording that is here and can be read; the one beside the "
                f"file that is called like it was taken, with the time origin of the link, as for {self.renamed[0]}."
            )

    def _follow(self, link: MediaLink, name: str) -> FoundRecording:
        folder, base, parent = self.files.folder, self.files.base, PurePosixPath(name).parent
        paths = [path.replace("\\", "/") for path in (link.relative_path, link.path)]
        paths = [path for path in paths if path.lower().endswith(self.endings)]
        for path in paths:
            # An absolute path takes the place of what is before it.
            said = PurePosixPath(os.path.relpath(folder / parent / path, folder).replace(os.sep, "/"))
            if ".." not in said.parts and said.is_relative_to(base) and os.path.isfile(folder / said):  # noqa: PTH113
                return FoundRecording(self._named(said, name), link.offset_seconds)
        for path in paths:
            file_name = PurePosixPath(path).name
            for candidate in (parent / file_name, PurePosixPath(base, file_name)):
                if found := self._named(candidate, name):
                    is_similar = PurePosixPath(found).name != file_name
                    return FoundRecording(found, link.offset_seconds, distance=1 + is_similar)
        return FoundRecording()

    def _find_beside(self, name: str, media: Sequence[MediaLink]) -> FoundRecording:
        # SayMore calls the annotations of day1.wav day1.wav.annotations.eaf.
        stem = PurePosixPath(name).stem.removesuffix(".annotations")
        candidates = [
            one for one in (stem, *(stem + end for end in self.endings)) if one.lower().endswith(self.endings)
        ]
        parent = PurePosixPath(name).parent
        found = next(filter(None, (self._named(parent / one, name) for one in candidates)), "")
        if not found or not media:
            return FoundRecording(found) if found else _none_of(media)
        # It is a linked one that was given another name, and begins when that one did.
        suffix = PurePosixPath(found).suffix.lower()
        alike = [link for link in media if _file_name(link.path or link.relative_path).lower().endswith(suffix)]
        offsets = {link.offset_seconds for link in alike or media}
        if len(offsets) > 1:
            problem = "links to several recordings, none of which is here, and their times begin at different moments"
            return FoundRecording(problem=f"{problem} ({found} may be any of them)")
        self.renamed.append(name)
        return FoundRecording(found, offsets.pop())

    def _named(self, path: PurePosixPath, place: str) -> str:
        base = self.files.base
        return self.files.find((path.relative_to(base) if base else path).as_posix(), place) or ""


def _none_of(media: Sequence[MediaLink]) -> FoundRecording:
    named = sorted({_file_name(link.path) for link in media if link.path})
    return FoundRecording(problem="has no recording" + (f" ({', '.join(named)})" if named else ""))


def _file_name(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).name
