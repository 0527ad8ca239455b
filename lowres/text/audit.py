"""The orthography audit: what letters, marks and habits transcripts have, and which text rules would even them out.

Nothing is changed: the audit reads transcripts as they were written, says what it found with examples, and suggests.
"""

import unicodedata
from collections.abc import Iterable, Sequence

from lowres.text.audit_alikes import find_look_alikes, find_mixed_scripts, find_unicode_forms, main_script
from lowres.text.audit_findings import Finding, OrthographyAudit
from lowres.text.audit_habits import find_multigraphs, find_punctuation, grapheme_uses, mark_uses
from lowres.text.audit_letters import (
    find_invisible,
    find_leftovers,
    find_rare_letters,
    find_stray_symbols,
    find_undeclared,
)
from lowres.text.audit_rules import merge_rules, suggest_rules
from lowres.text.audit_tally import Tally, make_tally
from lowres.text.audit_words import (
    find_abbreviations,
    find_bare_and_marked,
    find_capitals,
    find_digits,
    find_rare_letter_words,
)
from lowres.text.graphemes import split_graphemes
from lowres.text.marks import is_mark
from lowres.text.normalize import TextRules, compile_rules

__all__ = ["OrthographyAudit", "audit_orthography"]


def audit_orthography(
    texts: Iterable[tuple[str, str]],
    rules: TextRules = (),
    alphabet: Sequence[str] = (),
    graphemes: Sequence[str] = (),
) -> OrthographyAudit:
    """Audit the orthography of transcripts, in time linear in their length.

    Args:
        texts: (utterance id, transcript as written) pairs.
        rules: the recipe's text rules: what they do already is not suggested again; () for none.
        alphabet: the recipe's declared letters, after its rules; () declares nothing.
        graphemes: its declared letters of several characters, each counted as one.

    Returns:
        See `OrthographyAudit`; of no text at all, an audit without findings.
    """
    listed = list(texts)
    declared = _multigraphs((*graphemes, *alphabet))
    tally = make_tally(listed, declared)
    main = main_script(tally)
    suggestions = suggest_rules(tally, main, rules)
    return OrthographyAudit(
        num_utterances=len(listed),
        num_empty=sum(not words for words in tally.words),
        num_words=sum(map(len, tally.words)),
        num_distinct_words=len(tally.distinct),
        script=main,
        graphemes=grapheme_uses(tally),
        marks=mark_uses(tally),
        findings=tuple(finding for finding in _find(tally, main, rules, alphabet, declared) if finding is not None),
        suggestions=suggestions,
        rules=merge_rules(rules, suggestions),
    )


def _find(
    tally: Tally, main: str, rules: TextRules, alphabet: Sequence[str], declared: Sequence[str]
) -> list[Finding | None]:
    """Look for everything, most important first."""
    after_rules = compile_rules(rules)
    undeclared, unused = (
        find_undeclared([(name, after_rules(text)) for name, text in tally.texts], declared, alphabet)
        if alphabet
        else (None, None)
    )
    return [
        find_leftovers(tally),
        find_mixed_scripts(tally, main),
        find_look_alikes(tally),
        find_unicode_forms(tally),
        find_invisible(tally),
        find_bare_and_marked(tally),
        find_stray_symbols(tally),
        undeclared,
        find_rare_letters(tally),
        find_digits(tally),
        find_abbreviations(tally),
        find_capitals(tally),
        find_punctuation(tally),
        find_rare_letter_words(tally),
        unused,
        find_multigraphs(tally),
    ]


def _multigraphs(symbols: Sequence[str]) -> tuple[str, ...]:
    """Keep the declared letters that would not be cut out whole by themselves, in both Unicode forms."""
    forms = (unicodedata.normalize(form, symbol) for symbol in symbols for form in ("NFC", "NFD"))
    return tuple(
        dict.fromkeys(
            form
            for form in forms
            if form and not is_mark(form[0]) and not any(map(str.isspace, form)) and len(split_graphemes(form)) > 1
        )
    )
