"""`lowres lm`: language models for a trained recogniser, made of its training text and tuned on dev."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from lowres.cli.align import visible
from lowres.cli.console import console, errors, plain_table, print_next, print_warning, say
from lowres.cli.options import ProjectOption, RecipeOption, SetOption, with_options, with_project

if TYPE_CHECKING:
    from lowres.stages.lm import LanguageModelProgress, LanguageModelResult

RunOption = Annotated[
    str | None, typer.Option("--run", metavar="NAME", help="The run to make it for; without it, the newest one.")
]
_NUM_NAMED = 8
"""Words that are named of those left out, the most frequent."""
TextOption = Annotated[
    list[Path] | None,
    typer.Option("--text", metavar="FILE", help="More text in the language, a sentence a line. Repeatable."),
]
WordsOption = Annotated[
    Path | None,
    typer.Option("--words", metavar="FILE", help="Words to expect more often, such as names, one a line."),
]


def lm(
    project: ProjectOption = Path(),
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    run: RunOption = None,
    text: TextOption = None,
    words: WordsOption = None,
) -> None:
    """Make language models from the training text, so that what is heard is weighed against what is said."""
    from lowres.recipe import load_recipe
    from lowres.stages.lm import make_language_models

    loaded = load_recipe(recipe, overrides or [], project=project)
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=errors, transient=True
    ) as bar:
        task = bar.add_task("loading", total=None)
        result = make_language_models(
            project,
            loaded,
            run=run,
            texts=text or (),
            words=words,
            progress=lambda progress: bar.update(task, description=_describe(progress)),
        )
    _print(result)
    measure = with_options("lowres evaluate", {"run": result.run_name})
    print_next("To score with it", with_project(measure, project, recipe))


def _describe(progress: "LanguageModelProgress") -> str:
    if not progress.num_tried:
        return progress.task
    return f"{progress.task}: {progress.num_tried} settings tried, WER + CER {100 * progress.best_cost:.1f} %"


def _print(result: "LanguageModelResult") -> None:
    from lowres.manifest.overlap import count
    from lowres.report.sentences import percent
    from lowres.stages.language_model import describe_search

    models = result.models
    for source in models.sources:
        refused = f"; {source.num_refused:,} left out, which dev or test say too" if source.num_refused else ""
        say(f"text: {source.name}, {count(source.num_sentences, 'sentence')}{refused}")
    if models.num_boosted:
        say(f"words to expect more often: {models.num_boosted:,}")
    console.print()
    table = plain_table("decoding of dev", "WER", "CER", "perplexity", "words it does not know")
    for column in table.columns[1:]:
        column.justify = "right"
    table.add_row("greedy", percent(models.greedy.word_error_rate), percent(models.greedy.character_error_rate), "", "")
    for model in models.models:
        mark = " *" if model is models.best else ""
        table.add_row(
            Text(f"{model.order}-gram of {'words' if model.kind == 'word' else 'letters'}{mark}"),
            percent(model.dev.word_error_rate),
            percent(model.dev.character_error_rate),
            f"{model.perplexity:,.1f}",
            percent(model.unknown_share) if model.kind == "word" else "writes any word",
        )
    console.print(table)
    console.print()
    for model in models.models:
        say(f"{model.kind}: {describe_search(model)}")
    if result.unspellable:
        named = ", ".join(map(visible, result.unspellable[:_NUM_NAMED]))
        more = ", ..." if len(result.unspellable) > _NUM_NAMED else ""
        left_out = count(len(result.unspellable), "word")
        say(f"{left_out} left out: the recogniser has no label for some of the letters ({named}{more}).")
    if result.is_text_small:
        print_warning("The text is too small to estimate how much to discount rare n-grams: usual values are taken.")
    say(f"* is what `lowres evaluate` takes. Tuned on {result.dev_seconds / 60:.0f} minutes of dev; dev is no test.")
    say(f"written to {result.folder} in {result.wall_seconds:.0f} s")
