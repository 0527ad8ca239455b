"""The sentences that the demo speaks: a small Swahili grammar, written for it and in nobody's copyright but ours.

Swahili is written almost as it is spoken, and its verbs agree with their subject in a way that a table can hold, so
the sentences below are short, grammatical and many: a person does something, sometimes somewhere, sometimes at some
time. `Mtoto anasoma kitabu leo.` The child is reading a book today.
"""

import hashlib
import itertools

# Class 1 nouns: people, whose verbs take the prefix a-.
SUBJECTS = (
    "mtoto", "mwalimu", "mama", "baba", "dada", "kaka", "rafiki", "daktari",
    "mkulima", "mvuvi", "mgeni", "mzee", "bibi", "babu", "fundi", "jirani",
)  # fmt: skip

TENSES = ("na", "li", "ta")  # is doing, did, will do

# A verb's stem, and what the person does it to.
DEEDS = {
    "soma": ("kitabu", "barua", "gazeti", "hadithi"),
    "andika": ("barua", "jina", "hadithi", "shairi"),
    "pika": ("wali", "ugali", "ndizi", "samaki", "maharage"),
    "nunua": ("matunda", "sukari", "chumvi", "maziwa", "mkate", "viatu"),
    "beba": ("mzigo", "kuni", "kikapu", "ndoo"),
    "fungua": ("mlango", "dirisha", "sanduku"),
    "safisha": ("nyumba", "meza", "sahani", "gari"),
    "tafuta": ("ufunguo", "pesa", "kazi", "njia"),
    "jenga": ("nyumba", "ukuta", "daraja"),
    "ona": ("ndege", "simba", "mwezi", "bahari"),
    "panda": ("mti", "mahindi", "mbegu"),
    "imba": ("wimbo", "nyimbo mbili"),
    "cheza": ("mpira", "ngoma"),
    "shona": ("nguo", "shati"),
    "leta": ("chakula", "dawa", "zawadi", "habari"),
    "penda": ("muziki", "kahawa", "chai", "mvua"),
}

PLACES = ("sokoni", "nyumbani", "shuleni", "mjini", "kijijini")

# When, and the tenses it goes with.
TIMES = {"leo": TENSES, "sasa": ("na",), "jana": ("li",), "juzi": ("li",), "kesho": ("ta",), "baadaye": ("ta",)}


def write_sentences(num_sentences: int) -> list[str]:
    """Write different sentences, the same ones in the same order on every machine.

    Args:
        num_sentences: how many; at most what the grammar holds (some twenty-four thousand).

    Returns:
        Sentences of three to five words with a capital letter and a full stop.

    Raises:
        ValueError: more sentences are asked for than there are.
    """
    every = sorted(set(_sentences()), key=_shuffled)
    if num_sentences > len(every):
        raise ValueError(f"the grammar holds {len(every)} sentences, not {num_sentences}")
    return every[:num_sentences]


def _sentences() -> list[str]:
    written = []
    for subject, tense, (stem, objects) in itertools.product(SUBJECTS, TENSES, DEEDS.items()):
        times = [time for time, tenses in TIMES.items() if tense in tenses]
        for thing, ending in itertools.product(objects, ["", *PLACES, *times]):
            words = [subject.capitalize(), f"a{tense}{stem}", thing, ending]
            written.append(" ".join(word for word in words if word) + ".")
    return written


def _shuffled(sentence: str) -> str:
    # A hash instead of a random generator: no library's next release can change the order.
    return hashlib.sha256(sentence.encode()).hexdigest()
