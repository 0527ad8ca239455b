"""The model card: what was measured and stated, with what is missing said to be missing."""

from dataclasses import replace
from typing import Any

import pytest
from markdown_it import MarkdownIt

from lowres.backbones.card_results import MeasuredRate, Result
from lowres.backbones.checkpoint_folder import CheckpointMetadata
from lowres.backbones.model_card import Language, against_commercial_use, model_card

TRAINING: dict[str, Any] = {
    "run": "finetune-1h-seed1",
    "corpus": "mboshi",
    "corpus_licence": "CC BY 4.0",
    "corpus_consent": "given orally, recorded",
    "corpus_source": "https://example.org/mboshi",
    "corpus_citation": "Godard et al. 2018",
    "hours": 1.0,
    "num_utterances": 1_140,
    "num_speakers": 3,
    "num_utterances_without_speaker": 12,
    "seed": 1,
    "updates": 400,
    "hours_processed": 8.0,
    "wall_seconds": 700.0,
    "dev_character_error_rate": 0.39,
    "dev_word_error_rate": 0.81,
    "backbone": "lowres-small",
    "machine": {"device": "cpu", "threads": 2, "platform": "Linux x86_64"},
}
TEST_RESULT = Result(
    split="test",
    corpus="mboshi",
    num_utterances=514,
    num_speakers=3,
    characters=MeasuredRate(0.41, 0.36, 0.53, 3),
    words=MeasuredRate(0.83, 0.8, 0.86),
    speaker_rates=(0.53, 0.36, 0.4),
    cautions=("All speakers of this split also spoke in the training data.",),
)
MBOSHI = Language("Mboshi", "mdw")
HOSTILE = "| x |\n---\n<script>alert(1)</script>\n# [a](javascript:b) `c`"


def write(*results: Result, language: Language = MBOSHI, **training: Any) -> str:
    metadata = CheckpointMetadata(
        kind="recognizer",
        model_config={},
        step=4_200,
        backbone_licence="Apache-2.0",
        training=TRAINING | training,
        files={"weights.safetensors": "4dd07fc9"},
    )
    return model_card(metadata, language, (), "run", results=results)


def test_the_results_have_intervals_and_their_cautions() -> None:
    card = write(TEST_RESULT)
    row = "| test | mboshi | 514 | 3 | 41.0 % (36.0 to 53.0 %, 3 speakers) | 83.0 % (80.0 to 86.0 %, other sentences) |"
    assert row in card
    assert "of 3 speakers, the best understood had 36.0 % of letters wrong and the worst understood 53.0 %" in card
    assert "* All speakers of this split also spoke in the training data." in card
    assert "not been evaluated" not in card


def test_without_an_evaluation_the_card_says_so() -> None:
    card = write()
    assert "**It has not been evaluated on a test split.**" in card
    assert "at update 4,200: 39.0 % of letters wrong (CER), 81.0 % of words wrong (WER)" in card
    assert "* Nobody has measured it on speech that had no part in making it." in card


def test_a_result_on_dev_alone_is_no_measurement_on_untouched_speech() -> None:
    untouched = "* Nobody has measured it on speech that had no part in making it."
    assert untouched in write(replace(TEST_RESULT, split="dev"))
    assert untouched not in write(TEST_RESULT)


def test_data_consent_licences_and_citation_are_carried_through() -> None:
    card = write()
    for fact in (
        "| Trained on | 1.00 h |",
        "| Utterances | 1,140 |",
        "| Speakers | 3, and 12 utterances of whom nobody said who speaks; so few can be identified",
        "| Source of the corpus | https://example.org/mboshi |",
        "| Licence of the corpus | CC BY 4.0 |",
        "| Consent of its speakers | given orally, recorded |",
        "| Licence of the backbone | Apache-2.0 |",
        "| Commercial use | not forbidden by the licences above",
        "| Audio processed | 8.00 h |",
        "| Energy | not measured |",
        "| Weights (sha256) | 4dd07fc9 |",
        "Cite the speech: Godard et al. 2018",
    ):
        assert fact in card


def test_what_is_missing_is_said_to_be_missing() -> None:
    names = ("corpus_licence", "corpus_consent", "corpus_source", "corpus_citation", "hours", "num_speakers", "machine")
    card = write(**dict.fromkeys(names))
    assert card.count("not stated") >= 6
    assert "| Speakers | not known |" in card
    assert "| Commercial use | not known: the licence of the corpus is not stated" in card
    assert "How to cite mboshi is not stated" in card
    assert "None" not in card


def test_speakers_nobody_named_and_many_speakers_are_not_called_identifiable() -> None:
    assert "| Speakers | nobody said who speaks |" in write(num_speakers=0)
    assert "can be identified" not in write(num_speakers=200)


@pytest.mark.parametrize(("licence", "header"), [("CC BY-NC 4.0", "other"), ("Apache-2.0", "apache-2.0")])
def test_a_licence_against_commercial_use_is_said(licence: str, header: str) -> None:
    card = write(corpus_licence=licence)
    assert f"\nlicense: {header}\n" in card
    assert ("not allowed by the corpus's licence" in card) == ("NC" in licence)


@pytest.mark.parametrize(
    ("licence", "use"),
    [
        ("Apache-2.0; CC BY-NC 4.0", "not allowed by the backbone's licence (Apache-2.0; CC BY-NC 4.0)"),
        ("Apache-2.0; CC BY 4.0", "not forbidden by the licences above"),
        ("Apache-2.0; not stated", "not known: the licence of the backbone is not stated"),
    ],
)
def test_a_backbones_licence_may_be_that_of_several_things(licence: str, use: str) -> None:
    metadata = CheckpointMetadata(kind="recognizer", model_config={}, backbone_licence=licence, training=TRAINING)
    assert f"| Commercial use | {use}" in model_card(metadata, MBOSHI, (), "run")


def test_every_licence_of_a_pretrained_networks_speech_counts() -> None:
    languages = [{"language": "Yoruba", "corpus": "slr86", "licence": "CC-BY-4.0"}, {"licence": "CC-BY-NC-4.0"}]
    metadata = CheckpointMetadata(kind="backbone", model_config={}, training={"languages": languages})
    assert against_commercial_use(metadata) == ["the corpus's licence (CC-BY-4.0; CC-BY-NC-4.0)"]
    free = replace(metadata, training={"languages": languages[:1]})
    languages[0]["consent"] = "Paid readers."
    assert "| Consent of its speakers | slr86: Paid readers.; unnamed: not stated |" in model_card(
        metadata, MBOSHI, (), "lowres"
    )
    assert "| Commercial use | not forbidden by the licences above" in model_card(free, MBOSHI, (), "lowres")


def test_hostile_names_break_neither_header_nor_tables_nor_sections() -> None:
    names = ("run", "corpus", "corpus_licence", "corpus_consent", "corpus_source", "corpus_citation", "backbone")
    card = write(
        Result(
            split=HOSTILE,
            corpus=HOSTILE,
            num_utterances=1,
            num_speakers=0,
            characters=MeasuredRate(None),
            words=MeasuredRate(0.5),
            cautions=(HOSTILE,),
        ),
        language=Language(HOSTILE),
        **dict.fromkeys(names, HOSTILE),
    )
    honest = write(TEST_RESULT)
    headings = [line for line in card.splitlines() if line.startswith("#")]
    assert [line for line in headings if line.startswith("## ")] == [
        line for line in honest.splitlines() if line.startswith("## ")
    ]
    assert len(headings) == len([line for line in honest.splitlines() if line.startswith("#")])
    assert card.split("\n---\n")[0].startswith("---\nlibrary_name: lowres")
    assert card.count("\n---\n") == 1
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(card.split("\n---\n", 1)[1])
    assert "<script" not in page
    assert 'javascript:b"' not in page
    assert page.count("<table>") == 4
    assert page.count("<code") == 1
