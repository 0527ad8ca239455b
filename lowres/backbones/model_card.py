"""The README.md of an exported recogniser: what it is, how good, from what, and under which licence."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from lowres.backbones.checkpoint_folder import CheckpointMetadata
from lowres.backbones.licences import forbids_commercial_use

# Licences that model hubs know by a name of their own, by ours in lower case.
_HUB_LICENCES: Final = frozenset(
    {"apache-2.0", "mit", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0"}
)


@dataclass(frozen=True)
class Language:
    """Whose language a recogniser writes, as far as it is known."""

    name: str = ""
    iso_639_3: str = ""


def model_card(
    metadata: CheckpointMetadata,
    language: Language,
    limits: tuple[str, ...],
    library: Literal["transformers", "lowres"] = "transformers",
) -> str:
    """Write a model card in Markdown, with the header that model hubs read.

    Args:
        metadata: of the checkpoint.
        language: as the recipe has it.
        limits: sentences that whoever uses the recogniser must know.
        library: what loads it.
    """
    title = f"A speech recogniser for {language.name or language.iso_639_3 or 'one language'}"
    facts = [f"| {name} | {_cell(value)} |" for name, value in _facts(metadata, language)]
    return "\n".join(
        [
            *_header(metadata, language, library),
            "",
            f"# {title}",
            "",
            "wav2vec 2.0 with a CTC head, trained and exported with lowres.",
            "",
            "| | |",
            "|---|---|",
            *facts,
            "",
            "## Use",
            "",
            _USE[library],
            *(f"* {limit}" for limit in limits),
            "",
        ]
    )


def against_commercial_use(metadata: CheckpointMetadata) -> list[str]:
    """List what forbids commercial use of a recogniser: "the backbone's licence (CC-BY-NC-4.0)" and the like."""
    licences = {"backbone": metadata.backbone_licence, "corpus": str(metadata.training.get("corpus_licence") or "")}
    return [f"the {of}'s licence ({licence})" for of, licence in licences.items() if forbids_commercial_use(licence)]


def _hub_licence(metadata: CheckpointMetadata) -> str:
    """Return the one licence, as hubs spell it, of all that a recogniser was made from; else "other"."""
    licences = {str(metadata.training.get("corpus_licence") or "").lower()}
    if metadata.training.get("backbone") or metadata.backbone_licence:
        licences.add(metadata.backbone_licence.lower())
    return licences.pop() if len(licences) == 1 and licences <= _HUB_LICENCES else "other"


def _header(metadata: CheckpointMetadata, language: Language, library: str) -> list[str]:
    lines = ["---", f"library_name: {library}", "pipeline_tag: automatic-speech-recognition"]
    if language.iso_639_3:
        lines.append(f"language: [{json.dumps(language.iso_639_3)}]")
    lines.append(f"license: {_hub_licence(metadata)}")
    return [*lines, "tags: [wav2vec2, ctc, lowres]", "---"]


def _facts(metadata: CheckpointMetadata, language: Language) -> list[tuple[str, str]]:
    training = metadata.training
    obstacles = against_commercial_use(metadata)
    facts = [
        ("Language", " ".join(part for part in (language.name, f"({language.iso_639_3})") if part.strip("()"))),
        ("Backbone", str(training.get("backbone") or "none: trained from random weights")),
        ("Licence of the backbone", metadata.backbone_licence or ("not known" if training.get("backbone") else "")),
        ("Trained on", _trained_on(training)),
        ("Corpus", str(training.get("corpus") or "")),
        ("Licence of the corpus", _stated(training, "corpus_licence")),
        ("Consent of its speakers", _stated(training, "corpus_consent")),
        ("Commercial use", f"not allowed by {' and '.join(obstacles)}" if obstacles else ""),
        ("Words wrong (WER), dev", _percent(training.get("dev_word_error_rate"))),
        ("Letters wrong (CER), dev", _percent(training.get("dev_character_error_rate"))),
        ("Update", f"{metadata.step:,}"),
        ("lowres", metadata.lowres_version),
    ]
    return [(name, value) for name, value in facts if value]


def _stated(training: Mapping[str, Any], name: str) -> str:
    return str(training.get(name) or "not stated") if training.get("corpus") else ""


def _trained_on(training: Mapping[str, Any]) -> str:
    if not training.get("hours"):
        return ""
    synthetic = ", spoken by a machine" if training.get("is_synthetic") else ""
    labelled = training.get("pseudo_labelled_hours") or 0.0
    heard = f", {labelled:.2f} h of it as an earlier recogniser heard it" if labelled else ""
    return f"{training['hours']:.2f} h{synthetic}{heard}"


def _percent(rate: Any) -> str:
    return f"{100 * rate:.1f} %" if isinstance(rate, float) else ""


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")


_USE: Final = {
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
    "lowres": """```bash
lowres finetune --set finetune.backbone=FOLDER    # FOLDER is where this file lies
```
""",
}
