"""The model card of a recogniser: what it is and is not for, how good, from whose speech, and under which licence.

Everything on it was measured or stated by somebody; what is missing is said to be missing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from lowres.backbones.card_results import Result, results_section
from lowres.backbones.checkpoint_folder import WEIGHTS_FILE, CheckpointMetadata
from lowres.backbones.licences import HUB_LICENCES, forbids_commercial_use, hub_names, is_usual, licence_of_speech
from lowres.backbones.markdown import as_text, facts_table

_HUB_LIBRARIES: Final[Mapping[str, str]] = {"transformers": "transformers", "onnx": "onnx"}
FEW_SPEAKERS: Final = 10
"""Speakers up to which those who know a community can tell who they are."""

Library = Literal["transformers", "onnx", "lowres", "run"]
"""What loads it: transformers, onnxruntime, lowres as a backbone to start from, or lowres as a run of a project."""

_MISSING: Final = "not stated"


@dataclass(frozen=True)
class Language:
    """Whose language a recogniser writes, as far as it is known."""

    name: str = ""
    iso_639_3: str = ""


def model_card(
    metadata: CheckpointMetadata,
    language: Language,
    limits: Sequence[str],
    library: Library = "transformers",
    *,
    results: Sequence[Result] = (),
) -> str:
    """Write a model card in Markdown, with the header that model hubs read.

    Args:
        metadata: of the checkpoint.
        language: as the recipe has it.
        limits: sentences that whoever uses the recogniser must know.
        library: what loads it.
        results: evaluations of these very weights.
    """
    writes = metadata.kind == "recognizer"
    named = as_text(language.name or language.iso_639_3 or "one language")
    title = f"A speech recogniser for {named}" if writes else "A pretrained network of wav2vec 2.0"
    lines = [
        *_header(metadata, language, library),
        "",
        f"# {title}",
        "",
        f"wav2vec 2.0{' with a CTC head' if writes else ''}, trained{'' if library == 'run' else ' and exported'} "
        "with lowres.",
        "",
    ]
    if writes:
        lines += [*_purpose(named), *results_section(metadata, results)]
    lines += ["## From whose speech", "", *facts_table(_facts_of_speech(metadata.training, language))]
    lines += ["## How it was trained", "", *facts_table(_facts_of_training(metadata))]
    lines += ["## Known limits", "", *(f"* {as_text(limit)}" for limit in (*limits, *_limits(metadata, results))), ""]
    lines += ["## How to cite", "", _citation(metadata), "", "## How it was made", "", *facts_table(_hashes(metadata))]
    return "\n".join([*lines, "## Use", "", _USE[library]])


def against_commercial_use(metadata: CheckpointMetadata) -> list[str]:
    """List what forbids commercial use of a recogniser: "the backbone's licence (CC-BY-NC-4.0)" and the like."""
    licences = {"backbone": metadata.backbone_licence, "corpus": licence_of_speech(metadata.training)}
    return [f"the {of}'s licence ({licence})" for of, licence in licences.items() if forbids_commercial_use(licence)]


def _hub_licence(metadata: CheckpointMetadata) -> str:
    """Return the one licence, as hubs spell it, of all that a recogniser was made from; else "other"."""
    licences = hub_names(licence_of_speech(metadata.training))
    if metadata.training.get("backbone") or metadata.backbone_licence:
        licences |= hub_names(metadata.backbone_licence)
    return licences.pop() if len(licences) == 1 and licences <= HUB_LICENCES else "other"


def _header(metadata: CheckpointMetadata, language: Language, library: Library) -> list[str]:
    name = _HUB_LIBRARIES.get(library, "lowres")
    lines = ["---", f"library_name: {name}", "pipeline_tag: automatic-speech-recognition"]
    if language.iso_639_3:
        lines.append(f"language: [{json.dumps(language.iso_639_3)}]")
    lines.append(f"license: {_hub_licence(metadata)}")
    return [*lines, "tags: [wav2vec2, ctc, lowres]", "---"]


def _purpose(language: str) -> list[str]:
    return [
        "## What it is for, and what not",
        "",
        f"* For first drafts of transcripts of {language}, which a person who knows the language corrects, and for "
        "finding words in recordings.",
        "* Not for transcripts that nobody checks, for other languages, or for deciding anything about a person.",
        "* Voices, places and ways of speaking unlike those it learnt from are understood worse than the figures say.",
        "",
    ]


def _facts_of_speech(training: Mapping[str, Any], language: Language) -> list[tuple[str, str]]:
    named = " ".join(part for part in (language.name, f"({language.iso_639_3})") if part.strip("()"))
    facts = [("Language", named or _MISSING)]
    mixture = training.get("languages")
    if isinstance(mixture, list):
        rows = [row for row in mixture if isinstance(row, dict)]
        return [
            *facts,
            ("Pretrained on", _mixture_text(rows)),
            ("Hours", _hours(training)),
            ("Consent of its speakers", _consents_text(rows)),
        ]
    return [
        *facts,
        ("Trained on", _hours(training)),
        ("Utterances", _count(training.get("num_utterances"))),
        ("Speakers", _speakers(training)),
        ("Corpus", str(training.get("corpus") or _MISSING)),
        ("Source of the corpus", str(training.get("corpus_source") or _MISSING)),
        ("Licence of the corpus", str(training.get("corpus_licence") or _MISSING)),
        ("Consent of its speakers", str(training.get("corpus_consent") or _MISSING)),
    ]


def _mixture_text(rows: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(
        f"{row.get('language') or 'unnamed'}: {row.get('corpus') or 'unnamed'} "
        f"({row.get('licence') or 'licence not stated'})"
        for row in rows
    )


def _consents_text(rows: Sequence[Mapping[str, Any]]) -> str:
    stated = dict.fromkeys(f"{row.get('corpus') or 'unnamed'}: {row.get('consent') or _MISSING}" for row in rows)
    return "; ".join(stated)


def _facts_of_training(metadata: CheckpointMetadata) -> list[tuple[str, str]]:
    training, machine = metadata.training, metadata.training.get("machine")
    machine = machine if isinstance(machine, dict) else {}
    device = ", ".join(str(machine[name]) for name in ("device", "precision", "platform") if machine.get(name))
    backbone = str(training.get("backbone") or "")
    return [
        ("Backbone", backbone or "none: trained from random weights"),
        ("Licence of the backbone", metadata.backbone_licence or ("not known" if backbone else "")),
        ("Commercial use", _commercial_use(metadata)),
        ("What was trained", str(training.get("adaptation") or "")),
        ("Learning rate", _number("{:.2g}", training.get("learning_rate"))),
        ("Seed", str(training.get("seed", _MISSING))),
        ("Updates", f"{metadata.step:,}"),
        ("Audio processed", _number("{:.2f} h", training.get("hours_processed"))),
        ("Time", _number("{:,.0f} s", training.get("wall_seconds"))),
        ("Machine", device or _MISSING),
        ("Energy", "not measured"),
    ]


def _commercial_use(metadata: CheckpointMetadata) -> str:
    obstacles = against_commercial_use(metadata)
    if obstacles:
        return f"not allowed by {' and '.join(obstacles)}"
    training = metadata.training
    unknown = [] if is_usual(licence_of_speech(training)) else ["the corpus"]
    if (training.get("backbone") or metadata.backbone_licence) and not is_usual(metadata.backbone_licence):
        unknown.append("the backbone")
    if unknown:
        return f"not known: the licence of {' and of '.join(unknown)} is not stated, or is not one of the usual ones"
    return "not forbidden by the licences above; read them, and ask the speakers"


def _limits(metadata: CheckpointMetadata, results: Sequence[Result]) -> list[str]:
    training = metadata.training
    found = []
    if training.get("is_synthetic"):
        found.append("A machine spoke the recordings it learnt from, or some of them: it does not know real speakers.")
    num_speakers = training.get("num_speakers")
    if isinstance(num_speakers, int) and 0 < num_speakers <= FEW_SPEAKERS:
        found.append(
            f"It learnt from {num_speakers} speaker{'' if num_speakers == 1 else 's'}: whoever knows their community "
            "can tell who they are. Ask them before you pass it on."
        )
    if all(result.split in ("train", "dev") for result in results):
        found.append("Nobody has measured it on speech that had no part in making it.")
    return [*found, "It writes only the letters of its training transcripts, and no punctuation that these lacked."]


def _citation(metadata: CheckpointMetadata) -> str:
    training = metadata.training
    cited = str(training.get("corpus_citation") or "")
    corpus = as_text(str(training.get("corpus") or "the corpus"))
    about = f"Cite the speech: {as_text(cited)}" if cited else f"How to cite {corpus} is not stated: ask its makers."
    return f"{about}\n\nAnd the program: lowres {as_text(metadata.lowres_version)}, and the backbone by its own card."


def _hashes(metadata: CheckpointMetadata) -> list[tuple[str, str]]:
    training = metadata.training
    return [
        ("Run", str(training.get("run") or _MISSING)),
        ("Weights (sha256)", metadata.files.get(WEIGHTS_FILE) or _MISSING),
        ("Vocabulary (sha256)", metadata.vocabulary_sha256),
        ("Recipe (sha256)", metadata.recipe_sha256 or _MISSING),
        ("Corpus manifest (sha256)", str(training.get("corpus_sha256") or "")),
        ("Training list", f"{training.get('subset_label') or _MISSING}, sha256 {training.get('subset_sha256') or '–'}"),
        ("Backbone (sha256)", metadata.backbone_sha256),
        ("lowres", metadata.lowres_version),
    ]


def _hours(training: Mapping[str, Any]) -> str:
    synthetic = ", spoken by a machine" if training.get("is_synthetic") else ""
    labelled = training.get("pseudo_labelled_hours") or 0.0
    heard = f", and {labelled:.2f} h as an earlier recogniser heard it" if labelled else ""
    return f"{_number('{:.2f} h', training.get('hours'))}{synthetic}{heard}"


def _speakers(training: Mapping[str, Any]) -> str:
    number, unnamed = training.get("num_speakers"), training.get("num_utterances_without_speaker") or 0
    if not isinstance(number, int):
        return "not known"
    if not number:
        return "nobody said who speaks"
    rest = f", and {unnamed:,} utterances of whom nobody said who speaks" if unnamed else ""
    few = "; so few can be identified by those who know them" if number <= FEW_SPEAKERS else ""
    return f"{number:,}{rest}{few}"


def _count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else _MISSING


def _number(pattern: str, value: Any) -> str:
    return pattern.format(value) if isinstance(value, int | float) else _MISSING


_USE: Final[Mapping[Library, str]] = {
    "transformers": """```python
import torch
from transformers import AutoModelForCTC, Wav2Vec2Processor

processor = Wav2Vec2Processor.from_pretrained(folder)
model = AutoModelForCTC.from_pretrained(folder)
inputs = processor(waveform, sampling_rate=16000, return_tensors="pt")  # one utterance, mono, 16 kHz
with torch.no_grad():
    logits = model(**inputs).logits
text = processor.batch_decode(logits.argmax(-1))[0]
```
""",
    "onnx": """```python
import json
from itertools import groupby

import onnxruntime

session = onnxruntime.InferenceSession(path)
labels = json.loads(session.get_modelmeta().custom_metadata_map["vocabulary"])
(log_probs,) = session.run(None, {"waveform": waveform[None]})  # one utterance, float32, mono, 16 kHz
text = "".join(labels[best] for best, _ in groupby(log_probs[0].argmax(-1))).strip()
```
""",
    "lowres": """```bash
lowres finetune --set finetune.backbone=FOLDER    # FOLDER is where this file lies
```
""",
    "run": """```bash
lowres transcribe RECORDINGS --run NAME    # NAME is the folder that this file lies in
lowres evaluate --run NAME                 # measures it and renews this card
```
""",
}
