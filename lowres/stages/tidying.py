"""Settles spelling that nobody sees, in what was said and in what was heard alike, before the two are compared."""

from collections.abc import Callable

from lowres.text.normalize import CollapseSpaces, NormalForm, TextRules, compile_rules, unicode_form


def tidier(rules: TextRules) -> Callable[[str], str]:
    """Return what settles marks written apart, runs of white space, and spaces at the ends.

    The recogniser writes what the rules made of its training text. Applying them again could change letters a second
    time (x > y, y > z). References need it too: a rule behind the last Unicode form may leave another (a map to a
    combining mark, a capital whose small letter is composed).

    Args:
        rules: the recipe's; their last Unicode form is taken, NFC where they name none.
    """
    return compile_rules((NormalForm(unicode_form(rules) or "nfc"), CollapseSpaces()))
