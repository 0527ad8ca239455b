"""`lowres export`: hand a recogniser to other programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import Progress
from rich.text import Text

from lowres.cli.console import console, errors, plain_table, print_next, print_warning, say
from lowres.cli.options import ProjectOption, with_options, with_project
from lowres.errors import CorpusError

if TYPE_CHECKING:
    from lowres.corpora.writing import CorpusLayout
    from lowres.stages.export import ExportResult

SourceArgument = Annotated[
    str,
    typer.Argument(metavar="RUN", help='A run\'s name, the folder of a run or of a checkpoint, or "corpus".'),
]
TargetArgument = Annotated[Path, typer.Argument(metavar="TARGET", help="The folder to write; with onnx, the file.")]
FormatOption = Annotated[
    Literal["transformers", "onnx", "backbone", "kaldi", "lhotse", "common_voice", "audio_folder", "elan", "textgrid"],
    typer.Option(
        "--to",
        help="transformers: a folder that Hugging Face transformers loads; onnx: a file; "
        "backbone: a small folder for lowres to start from. Of the corpus: kaldi, lhotse, common_voice, audio_folder, "
        "elan or textgrid (recordings with their annotations beside them).",
    ),
]


def export(
    source: SourceArgument,
    target: TargetArgument,
    to: FormatOption = "transformers",
    project: ProjectOption = Path(),
) -> None:
    """Write a trained recogniser for other programs or as a backbone for others; with "corpus", the prepared corpus."""
    if to != "transformers" and to != "onnx" and to != "backbone":
        _export_corpus(project, source, target, to)
        return
    from lowres.stages.export import export as run_export

    if source == "corpus":
        raise CorpusError(f"--to {to} writes a recogniser, and the corpus is none.", "Add --to kaldi, or name a run.")
    here = project.resolve()  # before the folder that one is in is exported to
    with errors.status("writing and checking" if to == "onnx" else "writing"):
        result = run_export(project, source, target, to)
    _print_result(result)
    if to == "backbone":
        # Absolute, for other projects take it from their own folders.
        start = with_options("lowres finetune", {"set": f"finetune.backbone={result.paths[0].absolute()}"})
        print_next("To start from it", with_project(start, project, None))
        return
    _print_use(result, to)
    if result.run is not None:
        home = project if result.run.parents[1] == here else result.run.parents[1]
        evaluation = with_options("lowres evaluate", {"run": result.run.name})
        print_next("To see how good it is", with_project(evaluation, home, None))


def _export_corpus(project: Path, source: str, target: Path, to: "CorpusLayout") -> None:
    from lowres.stages.export_corpus import export_corpus

    if source != "corpus":
        raise CorpusError(
            f"--to {to} writes a corpus, and {source!r} is a run.", f"lowres export corpus {target} --to {to}"
        )
    with Progress(console=errors, transient=True) as bars:
        task = bars.add_task("writing", total=None)
        written = export_corpus(
            project, target, to, progress=lambda done, total: bars.update(task, completed=done, total=total)
        )
    splits = ", ".join(f"{count:,} {split}" for split, count in written.utterances_per_split.items())
    console.print(Text(f"{splits}; {written.seconds / 3600:.2f} h of speech"))
    if written.num_excluded:
        console.print(
            Text(f"{written.num_excluded:,} utterances that prepare had left out are not there.", style="dim")
        )
    for note in written.notes:
        print_warning(note)
    console.print(Text.assemble(("written: ", "bold green"), (str(written.folder), "bold")), soft_wrap=True)
    print_next("To train on it here", with_project("lowres finetune", project, None))


def _print_result(result: "ExportResult") -> None:
    from lowres.backbones.model_card import against_commercial_use

    metadata = result.metadata
    language = f"{result.language.name} {result.language.iso_639_3}".strip()
    backbone = str(metadata.training.get("backbone") or "none: trained from random weights")
    table = plain_table("", "")
    rows = [
        ("recogniser", f"{result.checkpoint}, update {metadata.step:,}"),
        ("language", language or "not known"),
        ("backbone", backbone + (f" (licence {metadata.backbone_licence})" if metadata.backbone_licence else "")),
        ("size", f"{result.num_parameters / 1e6:.1f} million parameters, {result.num_bytes / 1e6:,.1f} MB"),
    ]
    if result.largest_difference is not None:
        rows.append(("checked", f"onnxruntime gives the same scores, to {result.largest_difference:.0e}"))
    for name, value in rows:
        table.add_row(Text(name, style="dim"), Text(value))
    console.print(table)
    for limit in result.limits:
        print_warning(limit)
    if obstacles := against_commercial_use(metadata):
        print_warning(f"Commercial use of this recogniser is not allowed by {' and '.join(obstacles)}.")
    written = ", ".join(str(path) for path in result.paths)
    console.print(Text.assemble(("written: ", "bold green"), (written, "bold")), soft_wrap=True)


def _print_use(result: "ExportResult", to: str) -> None:
    path = result.paths[0].as_posix()  # a backslash would begin an escape sequence in Python's quotes
    if to == "transformers":
        lines = [f'AutoModelForCTC.from_pretrained("{path}")', f'Wav2Vec2Processor.from_pretrained("{path}")']
    else:
        lines = [f'onnxruntime.InferenceSession("{path}")']
    console.print(Text("In Python:", style="dim"))
    for line in lines:
        say(f"  {line}")
