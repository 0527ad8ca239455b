"""`lowres transcribe`: recordings of any length to ELAN, Praat, subtitles and tables."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from lowres.cli.console import console, errors, plain_table, print_error, print_next, print_warning, say
from lowres.cli.evaluate import LanguageModelOption, PrecisionOption
from lowres.cli.options import ProjectOption, with_project
from lowres.errors import LowresError

if TYPE_CHECKING:
    from lowres.annotation.transcript_writing import TranscriptFormat
    from lowres.stages.transcribe import TranscribeProgress, TranscribeResult

NUM_SHOWN = 12
INCOMPLETE_STATUS = 2

SourcesArgument = Annotated[
    list[Path], typer.Argument(metavar="FILES|FOLDERS...", help="Recordings, or folders that hold them.")
]
RunOption = Annotated[
    str | None, typer.Option("--run", metavar="NAME", help="The run to transcribe with; without it, the newest one.")
]
FormatOption = Annotated[
    list[str] | None,
    typer.Option(
        "--to",
        metavar="FORMAT",
        help="elan (without it), textgrid, srt, vtt, csv, json or text. Repeatable.",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", metavar="FOLDER", help="Where to; without it, transcripts/RUN of the project."),
]
IntoElanOption = Annotated[
    bool,
    typer.Option(
        "--into-elan", help="Add tiers to a copy of the ELAN file beside each recording; the file itself is left alone."
    ),
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace transcripts that are there already.")]
DetectorOption = Annotated[
    Literal["auto", "silero", "energy", "none"],
    typer.Option("--vad", help="What finds speech; auto takes silero where it is installed. none: all is speech."),
]
LongestOption = Annotated[
    float, typer.Option("--longest", min=1, help="Seconds of speech that are heard in one piece at most.")
]
ChannelOption = Annotated[
    int | None, typer.Option("--channel", min=0, help="The channel to hear, 0 the left one; without it, their mean.")
]
EachChannelOption = Annotated[
    bool, typer.Option("--each-channel", help="Interviews with a microphone each: every channel is a voice.")
]
LettersOption = Annotated[bool, typer.Option("--letters", help="A tier with the times of letters, too.")]
AlternativesOption = Annotated[
    int, typer.Option("--alternatives", min=0, help="Other transcriptions of each utterance, in the JSON.")
]
DoubtfulOption = Annotated[
    float,
    typer.Option("--doubtful-below", min=0, max=1, help="Words less sure than this are on a tier of their own."),
]
BatchOption = Annotated[
    float,
    typer.Option(
        "--batch-seconds", min=0, max=3600, help="Seconds heard together: for a GPU, such as 300. 0: one by one."
    ),
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes; without it one a core, where there are recordings.")
]
ClusterOption = Annotated[
    str, typer.Option("--cluster", metavar="ADDRESS", help="A Dask scheduler whose workers transcribe.")
]


def transcribe(
    sources: SourcesArgument,
    project: ProjectOption = Path(),
    run: RunOption = None,
    to: FormatOption = None,
    output: OutputOption = None,
    into_elan: IntoElanOption = False,
    overwrite: OverwriteOption = False,
    lm: LanguageModelOption = "auto",
    vad: DetectorOption = "auto",
    longest: LongestOption = 20.0,
    channel: ChannelOption = None,
    each_channel: EachChannelOption = False,
    letters: LettersOption = False,
    alternatives: AlternativesOption = 0,
    doubtful_below: DoubtfulOption = 0.5,
    precision: PrecisionOption = "auto",
    batch_seconds: BatchOption = 0.0,
    workers: WorkersOption = None,
    cluster: ClusterOption = "",
) -> None:
    """Transcribe recordings of any length, with times and how sure each word is."""
    from lowres.audio.stretch_plan import stretches_up_to
    from lowres.stages.transcribe import TranscribeOptions
    from lowres.stages.transcribe import transcribe as run_transcription
    from lowres.stages.transcribe_work import ListenerSpec

    formats = _read_formats(to or ["elan"])
    if channel is not None and each_channel:
        raise LowresError("--channel hears one channel, --each-channel all of them.", "Give one of the two.")
    if into_elan and "elan" not in formats:
        raise LowresError("--into-elan writes ELAN files, and --to names other formats.", "Add --to elan.")
    listener = ListenerSpec(
        project,
        language_model=lm,
        precision=precision,
        detector=None if vad == "none" else vad,
        stretches=stretches_up_to(longest),
        each_channel=each_channel,
        channel=channel,
        batch_seconds=batch_seconds,
        doubtful_below=doubtful_below,
        with_letters=letters,
        num_alternatives=alternatives,
    )
    options = TranscribeOptions(run, output, formats, into_elan, overwrite, workers, cluster)
    with TranscriptionBar() as bar:
        result = run_transcription(project, sources, options, listener, bar.show)
    _print(result)
    print_next("To see how good it is on what people transcribed", with_project("lowres evaluate", project, None))
    if result.problems:
        raise typer.Exit(INCOMPLETE_STATUS)


def _read_formats(asked: list[str]) -> "tuple[TranscriptFormat, ...]":
    from lowres.annotation.transcript_writing import TRANSCRIPT_SUFFIXES

    for name in asked:
        if name not in TRANSCRIPT_SUFFIXES:
            raise LowresError(
                f"--to {name}: there is no such format.", f"Choose among {', '.join(TRANSCRIPT_SUFFIXES)}."
            )
    return tuple(one for one in TRANSCRIPT_SUFFIXES if one in asked)


class TranscriptionBar:
    """A progress bar on stderr: recordings, and hours of them where their lengths are known beforehand."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[hours]}"),
            TimeElapsedColumn(),
            console=errors,
            transient=True,
        )
        self._task = self._progress.add_task("loading", total=None, hours="")

    def __enter__(self) -> "TranscriptionBar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, progress: "TranscribeProgress") -> None:
        """Show how far it is."""
        from lowres.report.sentences import duration_text

        hours = f"{duration_text(progress.done_seconds)} of {duration_text(progress.total_seconds)}"
        self._progress.update(
            self._task,
            description="transcribing",
            total=progress.num_recordings,
            completed=progress.num_done,
            hours=hours if progress.total_seconds else "",
        )


def _print(result: "TranscribeResult") -> None:
    from lowres.corpora.written_names import whole_text
    from lowres.manifest.overlap import count
    from lowres.report.sentences import duration_text

    for note in result.notes:
        print_warning(whole_text(note))
    if result.done:
        table = plain_table("recording", "length", "speech", "words", "sure")
        for column in table.columns[1:]:
            column.justify = "right"
        for one in sorted(result.done, key=lambda one: one.name)[:NUM_SHOWN]:
            sure = "" if one.mean_confidence is None else f"{100 * one.mean_confidence:.0f} %"
            table.add_row(
                Text(whole_text(one.name)),
                duration_text(one.duration_seconds),
                duration_text(one.speech_seconds),
                f"{one.num_words:,}",
                sure,
            )
        console.print(table)
        if len(result.done) > NUM_SHOWN:
            say(f"and {len(result.done) - NUM_SHOWN:,} more")
        console.print()
    seconds = sum(one.duration_seconds for one in result.done)
    if result.done or not result.num_before:
        speed = f", {seconds / result.wall_seconds:,.0f} times as fast as it was spoken" if seconds else ""
        say(
            f"{count(len(result.done), 'recording')}, {duration_text(seconds)}, transcribed with {result.run_name} in "
            f"{duration_text(result.wall_seconds)}{speed}"
        )
    if result.num_before:
        say(f"{count(result.num_before, 'recording')} left alone: transcribed before in the same way (--overwrite).")
    say(f"in {whole_text(str(result.folder))}")
    for _, problem in result.problems:
        print_error(f"not transcribed: {whole_text(problem)}")
