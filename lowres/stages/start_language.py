"""The walk's questions about the language, and about what may be done with the recordings."""

from typing import Any, Final

from lowres.recipe.languages import (
    GLOTTOCODE,
    ISO_CODE,
    Language,
    find_by_code,
    fold_name,
    search_languages,
    without_remark,
)
from lowres.stages.start_answers import LanguageAnswer
from lowres.stages.start_asking import Ask, Choice, GoBack, Question
from lowres.stages.start_walk import Walk

_UNKNOWN: Final = "?"
_AS_TYPED: Final = "as typed"


def ask_language(walk: Walk, ask: Ask) -> dict[str, Any]:
    """Ask which language this is, by name or code, until a hit is chosen or the name is kept as it was typed."""
    earlier = walk.answers.language
    while True:
        default = (earlier.iso_639_3 or earlier.glottocode or earlier.name) if earlier else ""
        typed = ask.ask(
            Question(
                "Which language is it?",
                "A name, an ISO 639-3 code or a Glottocode; ? if nobody knows. Any language will do.",
                default=default or _UNKNOWN,
            )
        )
        if typed == _UNKNOWN:
            return {"language": LanguageAnswer()}
        if earlier and typed == default:
            return {"language": earlier}
        try:
            return {"language": _choose(typed, ask)}
        except GoBack:
            continue


def _choose(typed: str, ask: Ask) -> LanguageAnswer:
    """Let a person choose among what is called so.

    Raises:
        GoBack: to type something else.
    """
    folded = typed.strip().lower()
    of_code = find_by_code(folded) if ISO_CODE.fullmatch(folded) or GLOTTOCODE.fullmatch(folded) else None
    found = [of_code] if of_code else search_languages(typed)
    choices = [Choice(str(place), describe_language(language)) for place, language in enumerate(found)]
    if GLOTTOCODE.fullmatch(folded) and not found:
        ask.say(f"{typed} has the form of a Glottocode and is taken as it is; the table here does not have it.")
        name = ask.ask(Question("What is it called?", "The name that reports will use.", default=folded))
        return LanguageAnswer(name=name, glottocode=folded)
    title = (
        "Is it this one?" if len(found) == 1 else "Which of these?" if found else "No language of that name is known."
    )
    kept = Choice(_AS_TYPED, f"none of them: just call it {typed!r}" if found else f"just call it {typed!r}")
    why = "Names and codes of ISO 639-3 and Glottolog 4.0. b lets you type something else."
    chosen = ask.ask(Question(title, why, choices[0].value if choices else _AS_TYPED, (*choices, kept)))
    if chosen == _AS_TYPED:
        return LanguageAnswer(name=typed)
    language = found[int(chosen)]
    name = name_to_use(typed, language)
    return LanguageAnswer(name=name, iso_639_3=language.iso_639_3, glottocode=language.glottocode)


def name_to_use(typed: str, language: Language) -> str:
    """Return the name for reports: as it was typed, where that is a name of its own and no part of the table's."""
    known = without_remark(language.name)
    is_code = typed.strip().lower() in (language.iso_639_3, language.glottocode)
    return known if is_code or fold_name(typed) in fold_name(known) else typed.strip()


def describe_language(language: Language) -> str:
    """Name a language with its codes, and a dialect with its language."""
    codes = ", ".join(filter(None, (language.iso_639_3, language.glottocode)))
    part = f", a dialect of {language.part_of}" if language.part_of else ""
    return f"{language.name}  ({codes}){part}"


def ask_licence(walk: Walk, ask: Ask) -> dict[str, Any]:
    """Ask for the licence of the recordings."""
    return {
        "licence": ask.ask(
            Question(
                "Under which licence are the recordings?",
                "Such as CC BY-NC 4.0, or who may use them. It goes into corpus, recogniser and reports: nobody "
                "needs to guess later. May stay empty.",
                default=walk.answers.licence or "",
                check=_read_remark,
            )
        )
    }


def ask_consent(walk: Walk, ask: Ask) -> dict[str, Any]:
    """Ask what the speakers agreed to."""
    return {
        "consent": ask.ask(
            Question(
                "What did the speakers agree to?",
                "In your words, such as: research and teaching, no public recordings. It travels along with everything "
                "that is made from their voices. May stay empty.",
                default=walk.answers.consent or "",
                check=_read_remark,
            )
        )
    }


def _read_remark(typed: str) -> str:
    """Take a text; a dash takes an earlier one away."""
    return "" if typed.strip() == "-" else typed.strip()
