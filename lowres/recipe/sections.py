"""The sections of a recipe. Their defaults live beside what they configure; this file composes and checks them."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    PrivateAttr,
    TypeAdapter,
    model_serializer,
    model_validator,
)

from lowres.corpora.settings import ReaderSettings
from lowres.decoding.settings import LanguageModelSettings
from lowres.errors import RecipeError
from lowres.manifest.settings import CheckSettings, SplitSettings
from lowres.manifest.typed_paths import expand_home
from lowres.model.config import DEFAULT_PRESET, PRESETS, Wav2Vec2Config, from_dict, preset, to_dict
from lowres.recipe.toml_writer import write_toml
from lowres.text.graphemes import check_graphemes
from lowres.text.marks import is_mark
from lowres.text.normalize import DEFAULT_RULES, TextRules, normalize, unicode_form
from lowres.text.rules import parse_rules, rules_to_data
from lowres.text.vocabulary import VocabularySettings
from lowres.training.pretrain_settings import PretrainSettings
from lowres.training.settings import FinetuneSettings

_config_adapter = TypeAdapter(Wav2Vec2Config)
_REGULARISES = re.compile(r"dropout$|_drop$|span_")
"""Fields of a network that any backbone can be trained with."""


class Section(BaseModel):
    """What all sections share: no key that is not listed, no value of another kind, no change after reading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class LanguageSection(Section):
    """`[language]`: which language this is. Any code, any script: there is no list of supported languages."""

    name: str = ""
    iso_639_3: str = Field(default="", pattern=r"^([a-z]{3})?$")
    glottocode: str = Field(default="", pattern=r"^([a-z0-9]{4}[0-9]{4})?$")
    script: str = Field(default="", pattern=r"^([A-Z][a-z]{3})?$")
    """ISO 15924, such as Latn."""


class CorpusSection(Section):
    """`[corpus]`: where the recordings are, and what may be done with them."""

    manifest: str = ""
    """Name of a public corpus in corpora_manifests/; "" for one's own recordings."""
    folder: str = ""
    """Folder of the recordings, relative to the recipe's own folder; for a public corpus, where it lies instead of
    LOWRES_CORPORA."""
    reader: ReaderSettings | None = None
    """How the folder is laid out; with a manifest, only to overrule what it says."""
    licence: str = ""
    consent: str = ""
    """What the speakers agreed to; carried into the corpus, the model and the reports."""
    citation: str = ""
    source: str = ""
    """Where the recordings come from: a web page, an archive's identifier, a fieldwork trip."""
    synthetic: bool = False
    """Whether a machine spoke; carried into the corpus, the model and the reports."""


class TextTest(Section):
    """`[[text.tests]]`: what the text rules must make of a piece of text."""

    source: str = Field(alias="from")
    expected: str = Field(alias="to")


def _as_symbols(value: object) -> object:
    """Take "a b c" as well as ["a", "b", "c"]."""
    return tuple(value.split()) if isinstance(value, str) else _as_tuple(value)


def _as_tuple(value: object) -> object:
    """Turn a list into a tuple: strict validation does so only straight from JSON, not after a validator of ours."""
    return tuple(value) if isinstance(value, list) else value


Symbols = Annotated[tuple[str, ...], BeforeValidator(_as_symbols)]
Rules = Annotated[TextRules, PlainSerializer(rules_to_data)]


def _read_rules(value: object) -> TextRules:
    if not isinstance(value, list):
        raise ValueError('rules must be a list, such as ["nfc", "lowercase", "strip_punctuation", "collapse_spaces"]')
    return parse_rules(value)


class TextSection(Section):
    """`[text]`: how transcripts become training text."""

    rules: Annotated[Rules, PlainValidator(_read_rules)] = DEFAULT_RULES
    alphabet: Symbols = ()
    """Letters of the orthography after the rules; () declares nothing, and then nothing counts as undeclared."""
    graphemes: Symbols = ()
    """Multigraphs that are one letter, such as "ts"; used where vocabulary.kind is graphemes."""
    tests: Annotated[tuple[TextTest, ...], BeforeValidator(_as_tuple)] = ()

    @model_validator(mode="before")
    @classmethod
    def _put_in_form(cls, data: Any) -> Any:
        """Bring the declared symbols into the Unicode form of the text, however the recipe's author typed them."""
        if not isinstance(data, Mapping):
            return data
        rules = _read_rules(data["rules"]) if "rules" in data else DEFAULT_RULES
        form = unicode_form(rules)
        if form is None:
            raise RecipeError(
                "The text rules name no Unicode form, so one letter could be spelled in two ways that look alike.",
                'Begin them with "nfc" (or "nfd", to make every combining mark a symbol of its own).',
            )
        to_form = parse_rules([form])
        declared = {
            key: tuple(normalize(s, to_form) if isinstance(s, str) else s for s in symbols)
            for key in ("alphabet", "graphemes")
            if isinstance(symbols := _as_symbols(data.get(key)), tuple)
        }
        return {**data, **declared}

    @model_validator(mode="after")
    def _check_symbols(self) -> "TextSection":
        check_graphemes(self.graphemes)
        for key, symbols in (("alphabet", self.alphabet), ("graphemes", self.graphemes)):
            for symbol in symbols:
                if not symbol or symbols.count(symbol) > 1:
                    raise ValueError(f"{key} lists {symbol!r} twice" if symbol else f"{key} lists an empty string")
                after = normalize(symbol, self.rules)
                if after != symbol and not is_mark(symbol[0]):
                    raise ValueError(f"{key} lists {symbol!r}, which can never occur: the rules turn it into {after!r}")
        return self


class ModelSection(Section):
    """`[model]`: the size of the network, and any field of `Wav2Vec2Config` to change in it."""

    preset: str = DEFAULT_PRESET
    overrides: Mapping[str, Any] = Field(default_factory=dict)
    """The fields that the recipe sets, those too that it sets as the preset has them: what is written wins over the
    defaults of a stage."""

    @model_validator(mode="before")
    @classmethod
    def _gather_overrides(cls, data: Any) -> Any:
        """Read the fields of the network, which stand beside `preset`."""
        if not isinstance(data, Mapping):
            return data
        name = data.get("preset", DEFAULT_PRESET)
        if name not in PRESETS:
            raise ValueError(f"no model size is called {name!r}; there are {', '.join(PRESETS)}")
        usual = to_dict(preset(name))
        given = {**data, **data.get("overrides", {})}
        overrides = {key: value for key, value in given.items() if key not in ("preset", "overrides")}
        config = _config_adapter.validate_json(json.dumps({**usual, **overrides}), strict=True)
        chosen = to_dict(config)
        kept: dict[str, Any] = {"overrides": {key: chosen[key] for key in usual if key in overrides}}
        return {"preset": name, **kept} if "preset" in data else kept

    @property
    def names_a_network(self) -> bool:
        """Whether the recipe asks for a network of some size or shape, and not only for other dropout or masking."""
        return "preset" in self.model_fields_set or any(not _REGULARISES.search(name) for name in self.overrides)

    @model_serializer
    def _flatten(self) -> dict[str, Any]:
        # A preset that nobody asked for stays open when this is read again: training then starts from a backbone.
        return {"preset": self.preset if "preset" in self.model_fields_set else None, **self.overrides}

    def network_config(self) -> Wav2Vec2Config:
        """Give the configuration of the network: the preset with the recipe's changes."""
        return from_dict({**to_dict(preset(self.preset)), **self.overrides})


class EvaluateSection(Section):
    """`[evaluate]`: what is scored."""

    split: Literal["", "train", "dev", "test"] = ""
    """"" scores test, or dev where the corpus has no test."""
    seed: int = Field(default=1, ge=0)
    """Seed of the bootstrap intervals."""


class Recipe(Section):
    """All that is special about one language; read it with `load_recipe`."""

    name: str = ""
    description: str = ""
    language: LanguageSection = LanguageSection()
    corpus: CorpusSection = CorpusSection()
    text: TextSection = TextSection()
    vocabulary: VocabularySettings = VocabularySettings()
    splits: SplitSettings = SplitSettings()
    checks: CheckSettings = CheckSettings()
    model: ModelSection = ModelSection()
    pretrain: PretrainSettings = PretrainSettings()
    finetune: FinetuneSettings = FinetuneSettings()
    language_model: LanguageModelSettings = LanguageModelSettings()
    evaluate: EvaluateSection = EvaluateSection()

    _source_path: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _share_graphemes(self) -> "Recipe":
        """Hand the multigraphs, a fact of the orthography, to the vocabulary that uses them."""
        if self.vocabulary.graphemes not in ((), self.text.graphemes):
            raise ValueError("vocabulary.graphemes follows text.graphemes: declare the multigraphs there")
        # The model is frozen for its users; this is still its construction.
        self.__dict__["vocabulary"] = replace(self.vocabulary, graphemes=self.text.graphemes)
        return self

    @property
    def source_path(self) -> Path | None:
        """Return the file it was read from, or None."""
        return self._source_path

    @property
    def recipe_hash(self) -> str:
        """Return the sha256 (hex) of the resolved recipe: equal recipes train alike, wherever they lie.

        `[language_model]` is left out: it says what is done with a recogniser afterwards.
        """
        data = self.to_data()
        del data["language_model"]
        return hashlib.sha256(write_toml(data).encode()).hexdigest()

    def corpus_folder(self) -> Path | None:
        """Give `corpus.folder`, taken from the recipe's own folder where it is relative; None where there is none."""
        if not self.corpus.folder:
            return None
        return self.beside(self.corpus.folder)

    def beside(self, name: str) -> Path:
        """Give the path of a file or folder that the recipe names, taken from its own folder where it is relative."""
        path = expand_home(name)
        return path if self._source_path is None else self._source_path.parent / path

    def network_config(self) -> Wav2Vec2Config:
        """Give the network's configuration: the preset with the recipe's changes."""
        return self.model.network_config()

    def to_data(self) -> dict[str, Any]:
        """Give the resolved recipe, defaults and all, as the data that `parse_recipe` reads."""
        data = self.model_dump(mode="json", by_alias=True, exclude={"vocabulary": {"graphemes"}})
        if self.corpus.reader is not None:
            data["corpus"]["reader"] = asdict(self.corpus.reader)
        return data

    def to_toml(self) -> str:
        """Write the resolved recipe as TOML; read again, it is the same recipe with the same hash.

        What is left to lowres (a learning rate that follows the hours of speech, for one) is named in comments.
        """
        return write_toml(self.to_data(), unset="left to lowres")


@dataclass(frozen=True)
class TextTestFailure:
    """A test of the recipe that its text rules do not pass."""

    source: str
    expected: str
    actual: str


def run_text_tests(recipe: Recipe) -> list[TextTestFailure]:
    """Apply the text rules to the recipe's own tests and list those that come out otherwise than it says."""
    return [
        TextTestFailure(test.source, test.expected, actual)
        for test in recipe.text.tests
        if (actual := normalize(test.source, recipe.text.rules)) != test.expected
    ]
