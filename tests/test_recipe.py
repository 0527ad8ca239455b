"""Recipes as files: what is read, what is refused and where, what is written back."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowres.errors import RecipeError
from lowres.recipe import list_shipped_recipes, load_recipe, parse_recipe, run_text_tests
from lowres.recipe.locate import find_line
from lowres.recipe.toml_writer import write_toml
from lowres.text.normalize import normalize

EVERYTHING = """
name = "trial"
[language]
name = "Mboshi"
iso_639_3 = "mdw"
[corpus]
folder = "recordings"
[corpus.reader]
reader = "table"
table = "words.csv"
[corpus.reader.columns]
text = "ipa"
[text]
rules = ["nfc", "lowercase", { map = { "’" = "'" } }, { strip_punctuation = { keep = "'" } }, "collapse_spaces"]
alphabet = "a á b ts '"
graphemes = ["ts"]
[[text.tests]]
from = "Á, B"
to = "á b"
[vocabulary]
kind = "graphemes"
[splits]
train = ["train", "dev"]
dev = []
[checks]
max_seconds = 30
[model]
preset = "xs"
num_layers = 4
[pretrain]
language_alpha = 0.3
[[pretrain.corpora]]
recipe = "yoruba"
set = ["splits.train=['train']", "splits.dev=['dev']"]
[[pretrain.corpora]]
folder = "../archive/corpus"
splits = ["train", "other"]
[finetune]
learning_rate = 1e-4
[evaluate]
split = "test"
"""


def test_a_recipe_needs_nothing_at_all() -> None:
    recipe = parse_recipe("")
    assert recipe.model.preset == "xs_mel"
    assert normalize("é  A", recipe.text.rules) == "é A"


def test_every_section_is_read() -> None:
    recipe = parse_recipe(EVERYTHING)
    assert recipe.corpus.reader is not None
    assert recipe.corpus.reader.columns == {"text": "ipa"}
    assert recipe.text.alphabet == ("a", "á", "b", "ts", "'")
    assert recipe.vocabulary.graphemes == ("ts",)
    assert recipe.splits.train == ("train", "dev")
    assert recipe.checks.max_seconds == 30
    assert recipe.network_config().num_layers == 4
    assert recipe.pretrain.language_alpha == 0.3
    assert [entry.called for entry in recipe.pretrain.corpora] == ["yoruba", "archive"]
    assert recipe.pretrain.corpora[1].splits == ("train", "other")
    assert recipe.finetune.learning_rate == 1e-4
    assert run_text_tests(recipe) == []


def test_a_resolved_recipe_is_the_same_recipe_when_read_again() -> None:
    recipe = parse_recipe(EVERYTHING)
    again = parse_recipe(recipe.to_toml())
    assert again.to_data() == recipe.to_data()
    assert again.recipe_hash == recipe.recipe_hash
    assert again.to_toml() == recipe.to_toml()


def test_what_is_left_to_lowres_stays_left_to_it_when_read_again() -> None:
    written = parse_recipe('name = "x"\n').to_toml()
    assert "# learning_rate: left to lowres\n" in written
    assert "# preset: left to lowres\n" in written
    assert not parse_recipe(written).model.names_a_network
    assert parse_recipe('[model]\npreset = "xs_mel"\n').recipe_hash != parse_recipe(written).recipe_hash


def test_the_hash_changes_with_any_value() -> None:
    hashes = {
        parse_recipe(EVERYTHING, [override]).recipe_hash
        for override in ["name=trial", "finetune.learning_rate=1e-5", "text.alphabet=a b", "model.num_layers=5"]
    }
    assert len(hashes) == 4


def test_what_model_says_is_kept_even_where_the_preset_says_the_same() -> None:
    recipe = parse_recipe("[model]\npreset = 'base'\ndropout = 0.0\n")
    assert recipe.model.overrides == {"dropout": 0.0}
    assert parse_recipe(recipe.to_toml()) == recipe
    assert parse_recipe("[model]\nlayer_drop = 0.0\n").model.overrides == {"layer_drop": 0.0}
    assert parse_recipe("[model]\npreset = 'base'\n").model.overrides == {}


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("finetune.learning_rate=1e-5", lambda r: r.finetune.learning_rate == 1e-5),
        ("finetune.learning_rate = 1", lambda r: r.finetune.learning_rate == 1.0),
        ("language.name=Kuche = Kuche", lambda r: r.language.name == "Kuche = Kuche"),
        ('language.name="no"', lambda r: r.language.name == "no"),
        ("language.name=no", lambda r: r.language.name == "no"),
        ("finetune.train_feature_encoder=true", lambda r: r.finetune.train_feature_encoder is True),
        ('splits.dev=["train"]', None),
        ("vocabulary.kind=sentencepiece", lambda r: r.vocabulary.kind == "sentencepiece"),
        ("corpus.reader.table=a.tsv", lambda r: r.corpus.reader.table == "a.tsv"),
        ("model.preset=base", lambda r: r.network_config().width == 768 and r.network_config().num_layers == 4),
    ],
)
def test_an_override_is_read_as_toml_else_as_text(override: str, read: Any) -> None:
    if read is None:
        with pytest.raises(RecipeError, match="in more than one"):
            parse_recipe(EVERYTHING, [override])
    else:
        assert read(parse_recipe(EVERYTHING, [override]))


@pytest.mark.parametrize(
    ("toml", "message", "hint"),
    [
        ("[finetune]\n\nlerning_rate = 1", "lowres.toml, line 3: there is no key 'finetune.lern", "learning_rate"),
        ("txt = 1", "line 1: there is no key 'txt'", "'text'"),
        ("[corpus.reader]\ncolums = {}", "line 2: there is no key 'corpus.reader.colums'", "columns"),
        ("[[text.tests]]\nform = ''\nto = ''", "line 2: there is no key 'text.tests.form'", "from"),
        ("[model]\nnum_layer = 2", "'model.num_layer'", "num_layers"),
        ("[model]\npreset = 'huge'", "no model size is called 'huge'", ""),
        ("[model]\nnum_layers = '4'", "num_layers", ""),
        ("[model]\nnum_heads = 7", "not a multiple", ""),
        ("[finetune]\nlearning_rate = '1e-4'", "line 2: finetune.learning_rate = '1e-4'", ""),
        ("[finetune]\nlearning_rate = -1", "learning_rate is -1", ""),
        ("[finetune]\nupdates = 1.5", "line 2: finetune.updates", ""),
        ("[finetune]\nprecision = 'fp16'", "line 2: finetune.precision", ""),
        ("[language]\niso_639_3 = 'MDW'", "line 2: language.iso_639_3", ""),
        ("name = mboshi", "line 1 is not TOML", "double quotes"),
        ("a = 1\n[text\n", "line 2 is not TOML", ""),
        ("[text]\nrules = 'nfc'", "rules must be a list", ""),
        ("[text]\nrules = ['lowercase']", "name no Unicode form", "nfc"),
        ("[text]\nrules = ['nfc', 'lower']", "no step called 'lower'", "lowercase"),
        ("[text]\nrules = ['nfc', 'lowercase']\nalphabet = 'a B'", "'B', which can never occur", ""),
        ("[text]\nrules = ['nfc', 'strip_punctuation']\nalphabet = ['-']", "can never occur", ""),
        ("[text]\nalphabet = 'a b a'", "twice", ""),
        ("[text]\ngraphemes = 'a\u0301 \u0301'", "mark", ""),
        ("[vocabulary]\ngraphemes = ['ts']", "declare the multigraphs there", ""),
        ("[vocabulary]\nkind = 'letters'", "line 2: vocabulary.kind", ""),
        ("[splits]\ntrain = ['trian']", "trian", ""),
        ("language = 'Mboshi'", "line 1: language", ""),
        ("[[pretrain.corpora]]\nrecip = 'a'", "line 2: there is no key 'pretrain.corpora.recip'", "recipe"),
        ("[[pretrain.corpora]]\nname = 'a'", "line 1: pretrain.corpora.0: an entry of pretrain.corpora needs", ""),
        ("[[pretrain.corpora]]\nrecipe = 'a'\nsplits = ['trian']", "splits is ['trian']", ""),
        ("[evaluate]\nseed = -1", "line 2: evaluate.seed = -1: Input should be greater than or equal to 0", ""),
        ("[pretrain]\nupdates = 0", "updates is 0: it must be at least 1", ""),
        ("[pretrain]\nlanguages_per_micro_batch = 'two'", "line 2: pretrain.languages_per_micro_batch", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_by_file_line_and_name(toml: str, message: str, hint: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(toml, place="lowres.toml")
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("override", ["finetune.lerning_rate=1", "finetune", "=1", "name.x=1", ".a=1"])
def test_an_override_that_cannot_be_used_is_named(override: str) -> None:
    with pytest.raises(RecipeError, match="--set"):
        parse_recipe(EVERYTHING, [override])


def test_declared_letters_are_brought_into_the_form_of_the_text() -> None:
    composed = parse_recipe("[text]\nalphabet = 'a\u0301'")
    assert composed.text.alphabet == ("á",)
    decomposed = parse_recipe("[text]\nrules = ['nfd']\nalphabet = 'á'")
    assert decomposed.text.alphabet == ("a\u0301",)


def test_failing_text_tests_are_listed() -> None:
    tests = "[[text.tests]]\nfrom = 'A'\nto = 'A'\n[[text.tests]]\nfrom = 'B'\nto = 'b'"
    toml = f"[text]\nrules = ['nfc', 'lowercase']\n{tests}"
    (failure,) = run_text_tests(parse_recipe(toml))
    assert (failure.source, failure.expected, failure.actual) == ("A", "A", "a")


def test_a_windows_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "lowres.toml"
    path.write_bytes(b"\xef\xbb\xbfname = 'x'\r\n")
    assert load_recipe(project=tmp_path).name == "x"


def test_a_recipe_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes("name = 'Kyéma'".encode("cp1252"))
    with pytest.raises(RecipeError, match="not UTF-8"):
        load_recipe(str(path))


def test_the_project_s_own_recipe_is_the_default(tmp_path: Path) -> None:
    (tmp_path / "lowres.toml").write_text("[corpus]\nfolder = 'speech'", encoding="utf-8")
    recipe = load_recipe(project=tmp_path)
    assert recipe.name == tmp_path.name
    assert recipe.source_path == tmp_path / "lowres.toml"
    assert recipe.corpus_folder() == tmp_path / "speech"
    assert load_recipe(str(tmp_path)).recipe_hash == recipe.recipe_hash


def test_without_a_recipe_the_error_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(project=tmp_path)
    assert "lowres init" in caught.value.hint


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe("mbosi")
    assert "Did you mean mboshi" in caught.value.hint


def test_a_name_finds_the_shipped_recipe() -> None:
    assert "mboshi" in list_shipped_recipes()
    assert load_recipe("mboshi").language.iso_639_3 == "mdw"


def test_the_line_of_a_key_is_found_through_tables_and_dotted_keys() -> None:
    toml = "a = 1\n[b]\nc.d = 2\n[b.e]\n'f g' = 3\n[[h]]\ni = 1 # [x]\n"
    assert find_line(toml, ("a",)) == 1
    assert find_line(toml, ("b", "c", "d")) == 3
    assert find_line(toml, ("b", "e", "f g")) == 5
    assert find_line(toml, ("h", 0, "i")) == 7
    assert find_line(toml, ("b", "z")) == 2
    assert find_line(toml, ("z",)) is None


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
SCALARS = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_written_toml_is_read_back_unchanged(data: dict[str, Any]) -> None:
    assert tomllib.loads(write_toml(data)) == data


def test_written_toml_leaves_nothing_out_of_sight() -> None:
    toml = write_toml({"x": "a\u200bb", "y": "\u0301", "z": None, "float": 1e-5, "int": 3})
    assert toml == 'x = "a\\u200Bb"\ny = "\\u0301"\nfloat = 1e-05\nint = 3\n'


def test_toml_cannot_hold_other_objects() -> None:
    with pytest.raises(TypeError):
        write_toml({"x": object()})


def test_a_home_folder_that_nobody_has_is_a_folder_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "lowres.toml").write_text('[corpus]\nfolder = "~nobody-of-this-name"\n', encoding="utf-8")
    assert load_recipe(project=tmp_path).corpus_folder() == tmp_path / "~nobody-of-this-name"
    with pytest.raises(RecipeError, match="No recipe is called '~nobody-of-this-name'"):
        load_recipe("~nobody-of-this-name", project=tmp_path)
