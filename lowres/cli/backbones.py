"""`lowres backbones`: the published backbones to start from, and how they come onto this computer."""

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from lowres.cli.console import console, errors, plain_table, print_next, print_warning
from lowres.errors import CheckpointError

if TYPE_CHECKING:
    from lowres.backbones.catalogue import CatalogueEntry
    from lowres.stages.backbones import DownloadedBackbone

WIDEST_NAME = 31
"""Characters of the longest name in the catalogue, which is typed and so must not be broken."""

ActionArgument = Annotated[
    Literal["list", "get"], typer.Argument(metavar="ACTION", help="list shows what there is; get downloads one.")
]
NameArgument = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="Of the list, of Hugging Face (OWNER/NAME) or torchaudio; MMS: NAME:mos."),
]


def backbones(action: ActionArgument = "list", name: NameArgument = None) -> None:
    """List published backbones with size and licence, or download one: lowres backbones get NAME."""
    if action == "get":
        _get(name)
    elif name is not None:
        raise CheckpointError("list takes no name.", f"To download it: lowres backbones get {name}")
    else:
        _list()


def _list() -> None:
    from lowres.backbones.cache import cache_folder
    from lowres.stages.backbones import list_backbones

    table = plain_table("name", "size", "languages", "licence")
    table.columns[0].min_width = WIDEST_NAME
    for column in table.columns[1:3]:
        column.justify = "right"
        column.no_wrap = True
    for backbone in list_backbones():
        entry = backbone.entry
        use, colour = (
            ("commercial use: yes", "green") if entry.allows_commercial_use else ("commercial use: no", "yellow")
        )
        table.add_row(
            Text.assemble((entry.name, "bold"), (f"\n{entry.home}: {entry.about}", "dim")),
            Text(f"{entry.parameters / 1e6:,.0f} million\n{_download_size(entry)}"),
            Text.assemble(f"{entry.languages:,}", ("\nhere", "bold green") if backbone.folder else ""),
            Text.assemble(entry.licence, (f"\n{use}", colour)),
        )
    console.print(table)
    console.print(Text("size: parameters, and bytes to download", style="dim"))
    console.print(Text(f"downloads go to {cache_folder()} (LOWRES_CACHE names another folder).", style="dim"))
    print_next("To download one", "lowres backbones get NAME")


def _download_size(entry: "CatalogueEntry") -> str:
    return "comes along" if entry.home == "lowres" else f"{entry.megabytes / 1000:.1f} GB"


def _get(name: str | None) -> None:
    from lowres.stages.backbones import get_backbone

    if name is None:
        raise CheckpointError("Which backbone?", "`lowres backbones` lists them: lowres backbones get NAME")
    with _DownloadBars() as bars:
        downloaded = get_backbone(name, bars.show)
    _print_downloaded(downloaded)


def _print_downloaded(downloaded: "DownloadedBackbone") -> None:
    from lowres.backbones.licences import forbids_commercial_use

    state = "is here already" if downloaded.was_here else "is here"
    checked = "checked" if downloaded.is_checked else "not checked: nobody publishes its checksum"
    size = f"{downloaded.num_bytes / 1e6:,.1f} MB"
    console.print(Text.assemble((downloaded.reference, "bold"), f" {state}: {downloaded.path} ({size}, {checked})"))
    console.print(Text(f"licence: {downloaded.licence or 'not known; see where it comes from'}"))
    if forbids_commercial_use(downloaded.licence):
        print_warning(
            f"{downloaded.licence} allows no commercial use, neither of this backbone nor of a recogniser made from it."
        )
    print_next("To start from it", f"lowres finetune --set finetune.backbone={downloaded.reference}")


class _DownloadBars:
    """A bar for each file, on stderr."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=errors,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "_DownloadBars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, url: str, num_bytes: int, total: int | None) -> None:
        """Show that `num_bytes` of a file's `total` are here."""
        if url not in self._tasks:
            self._tasks[url] = self._progress.add_task(PurePosixPath(url).name, total=total)
        self._progress.update(self._tasks[url], completed=num_bytes, total=total)
