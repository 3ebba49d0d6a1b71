"""Bundles: the same bytes for the same data, and nothing but a whole bundle is ever read."""

import hashlib
import io
import itertools
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classify.bundle import FORMAT_VERSION, MANIFEST, MANIFEST_HASH, Bundle, load_bundle
from classify.codebook import Codebook
from classify.data.dataset import Dataset, load_labels
from classify.errors import BundleError, OutputError
from classify.learn.settings import FRAMING_DEFAULTS, THEME_DEFAULTS, TrainingSettings
from classify.learn.training import train
from classify.predictor import Predictor
from tests.conftest import toy_rows, write_jsonl

TEXTS = ["The navy said two ships left.", "A proud, historic network of hackers", "Nothing of this is known", "", "İ\0"]
STEMS = ("framing", "framing.0", "framing.1", "theme", "theme.0")
"""What the names of the toy bundle's data files begin with."""
ARRAYS = ("counted_weights", "usual", "intercept", "idf_0", "in_0", "weights_0")
N_STEPS = len(STEMS) + 3
"""Saving replaces every data file, then manifest.sha256, manifest.json and manifest.sha256 again."""


@pytest.fixture
def folder(toy_bundle: Bundle, tmp_path: Path) -> Path:
    """A saved toy bundle, to be harmed."""
    toy_bundle.save(tmp_path / "bundle")
    return tmp_path / "bundle"


@pytest.fixture(scope="module")
def later_bundle(toy_dataset: Dataset) -> Bundle:
    """What a later training wants to put in the place of the toy bundle."""
    multiclass = replace(FRAMING_DEFAULTS, char_ngrams=(2, 4))
    multilabel = replace(THEME_DEFAULTS, word_ngrams=(1, 2))
    return train(toy_dataset, settings=TrainingSettings(multilabel, multiclass))


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def data_file(folder: Path, stem: str) -> Path:
    (found,) = folder.glob(f"{stem}-*")
    return found


def assert_refused(folder: Path) -> None:
    with pytest.raises(BundleError):
        load_bundle(folder)


def manifest_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / MANIFEST).read_bytes()))


def seal(folder: Path, manifest: object) -> None:
    """Write a manifest with a hash that fits, as a forger would."""
    content = json.dumps(manifest).encode()
    (folder / MANIFEST).write_bytes(content)
    (folder / MANIFEST_HASH).write_text(f"{hashlib.sha256(content).hexdigest()}  {MANIFEST}\n")


def at(manifest: dict[str, Any], place: str) -> tuple[Any, Any]:
    """The container and the key of a place such as `tasks/theme/blocks/0`."""
    *parts, last = [int(part) if part.isdigit() else part for part in place.split("/")]
    found: Any = manifest
    for part in parts:
        found = found[part]
    return found, last


def forge(folder: Path, stem: str, content: bytes) -> None:
    """Put other bytes in the place of a data file, name, size and hashes rewritten to fit."""
    old = data_file(folder, stem)
    digest = hashlib.sha256(content).hexdigest()
    name = f"{stem}-{digest[:12]}{old.suffix}"
    manifest = json.loads((folder / MANIFEST).read_text().replace(old.name, name))
    manifest["files"][name] = {"size": len(content), "sha256": digest}
    old.unlink()
    (folder / name).write_bytes(content)
    seal(folder, manifest)


def forge_arrays(folder: Path, **changed: Any) -> None:
    """Change arrays of the task `theme` and make all hashes fit."""
    with np.load(data_file(folder, "theme")) as found:
        arrays = dict(found) | changed
    buffer = io.BytesIO()
    np.savez(buffer, **{name: array for name, array in arrays.items() if array is not None})
    forge(folder, "theme", buffer.getvalue())


# ---- what is saved is what is loaded


def test_a_loaded_bundle_scores_and_decides_as_the_saved_one(toy_bundle: Bundle, folder: Path) -> None:
    saved, loaded = Predictor(toy_bundle), Predictor.load(folder)
    expected = {task: scores.tolist() for task, scores in saved.score(TEXTS).items()}
    assert expected == {task: scores.tolist() for task, scores in loaded.score(TEXTS).items()}
    assert saved.predict(TEXTS) == loaded.predict(TEXTS)


@pytest.mark.parametrize("fact", ["id", "codebook", "data", "summary", "versions", "seed"])
def test_a_loaded_bundle_keeps_every_fact(fact: str, toy_bundle: Bundle, folder: Path) -> None:
    assert getattr(toy_bundle, fact) == getattr(load_bundle(folder), fact)


def test_the_id_is_the_beginning_of_the_manifests_hash(toy_bundle: Bundle, tmp_path: Path) -> None:
    saved_as = toy_bundle.save(tmp_path)
    digest = hashlib.sha256((tmp_path / MANIFEST).read_bytes()).hexdigest()
    assert digest[:12] == saved_as == toy_bundle.id
    assert f"{digest}  {MANIFEST}\n" == (tmp_path / MANIFEST_HASH).read_text()


def test_saving_twice_gives_equal_names_and_bytes(toy_bundle: Bundle, folder: Path, tmp_path: Path) -> None:
    toy_bundle.save(tmp_path / "again")
    assert files_in(folder) == files_in(tmp_path / "again") == toy_bundle.to_files()


def test_training_twice_gives_equal_names_and_bytes(toy_bundle: Bundle, toy_dataset: Dataset) -> None:
    assert toy_bundle.to_files() == train(toy_dataset).to_files()


def test_the_order_of_the_labelled_rows_changes_no_byte(
    toy_bundle: Bundle, toy_codebook: Codebook, tmp_path: Path
) -> None:
    path = write_jsonl(tmp_path / "labels.jsonl", toy_rows()[::-1])
    assert toy_bundle.to_files() == train(load_labels(path, toy_codebook)).to_files()


def test_saving_a_loaded_bundle_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    load_bundle(folder).save(tmp_path / "copy")
    assert files_in(folder) == files_in(tmp_path / "copy")


def test_saving_over_another_bundle_leaves_nothing_of_it(later_bundle: Bundle, folder: Path) -> None:
    later_bundle.save(folder)
    assert later_bundle.to_files() == files_in(folder)


def test_infinite_thresholds_survive(toy_bundle: Bundle, tmp_path: Path) -> None:
    theme = toy_bundle.tasks["theme"]
    decision = replace(theme.decision, thresholds=np.array([np.inf, -np.inf, np.inf]))
    replace(toy_bundle, tasks={"theme": replace(theme, decision=decision)}).save(tmp_path)
    loaded = Predictor.load(tmp_path)
    assert [np.inf, -np.inf, np.inf] == loaded.bundle.tasks["theme"].decision.thresholds.tolist()
    assert ("cyber",) == loaded.predict("The navy said two ships left.").labels["theme"]


def test_a_label_without_passages_is_never_given_after_loading(toy_codebook: Codebook, tmp_path: Path) -> None:
    rows = [row for row in toy_rows() if "trade" not in row["labels"]["theme"]]
    train(load_labels(write_jsonl(tmp_path / "labels.jsonl", rows), toy_codebook)).save(tmp_path / "bundle")
    loaded = Predictor.load(tmp_path / "bundle")
    assert np.inf == loaded.bundle.tasks["theme"].decision.thresholds[2]
    given = [prediction.labels["theme"] for prediction in loaded.predict([row["text"] for row in toy_rows()])]
    assert {"sea", "cyber"} == {label for labels in given for label in labels}


def test_lone_surrogates_in_the_vocabulary_survive(toy_codebook: Codebook, tmp_path: Path) -> None:
    rows = [row | {"text": f"{row['text']} \ud800x\udfff"} for row in toy_rows()]
    bundle = train(load_labels(write_jsonl(tmp_path / "labels.jsonl", rows), toy_codebook))
    bundle.save(tmp_path / "bundle")
    features = bundle.tasks["framing"].scorer.blocks[1].features
    assert " \ud800x" in features
    assert features == load_bundle(tmp_path / "bundle").tasks["framing"].scorer.blocks[1].features


def test_lone_surrogates_in_an_origin_can_be_saved(toy_codebook: Codebook, tmp_path: Path) -> None:
    rows = [row | {"origin": "\ud800"} for row in toy_rows()]
    bundle = train(load_labels(write_jsonl(tmp_path / "labels.jsonl", rows), toy_codebook))
    assert bundle.save(tmp_path / "bundle") == load_bundle(tmp_path / "bundle").id


# ---- damage


def assert_every_flipped_byte_is_refused(path: Path, mask: int, *, step: int = 1) -> None:
    content = path.read_bytes()
    for place in range(0, len(content), step):
        path.write_bytes(content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :])
        assert_refused(path.parent)
    path.write_bytes(content)
    assert load_bundle(path.parent).codebook.name == "toy"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stem", "step"), [("framing", 7), ("framing.0", 1), ("framing.1", 7), ("theme", 1), ("theme.0", 1)]
)
def test_every_flipped_byte_of_a_data_file_is_refused(stem: str, step: int, folder: Path) -> None:
    assert_every_flipped_byte_is_refused(data_file(folder, stem), 0xFF, step=step)


@pytest.mark.slow
def test_every_flipped_byte_of_the_manifest_is_refused(folder: Path) -> None:
    assert_every_flipped_byte_is_refused(folder / MANIFEST, 0x01)


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80, 0xFF])
def test_every_flipped_byte_of_the_manifests_hash_is_refused(mask: int, folder: Path) -> None:
    assert_every_flipped_byte_is_refused(folder / MANIFEST_HASH, mask)


@pytest.mark.parametrize("stem", [*STEMS, MANIFEST, MANIFEST_HASH])
@pytest.mark.parametrize("kept", [slice(0, 0), slice(0, -1), slice(1, None)], ids=["empty", "cut", "beheaded"])
def test_a_file_cut_is_refused(stem: str, kept: slice, folder: Path) -> None:
    path = next(folder.glob(f"{stem}-*"), folder / stem)
    path.write_bytes(path.read_bytes()[kept])
    assert_refused(folder)


@pytest.mark.parametrize("stem", [*STEMS, MANIFEST, MANIFEST_HASH])
def test_a_longer_file_is_refused(stem: str, folder: Path) -> None:
    path = next(folder.glob(f"{stem}-*"), folder / stem)
    path.write_bytes(path.read_bytes() + b"\n")
    assert_refused(folder)


@pytest.mark.parametrize("stem", [*STEMS, MANIFEST, MANIFEST_HASH])
def test_a_missing_file_is_refused_by_name(stem: str, folder: Path) -> None:
    path = next(folder.glob(f"{stem}-*"), folder / stem)
    path.unlink()
    with pytest.raises(BundleError, match=path.name):
        load_bundle(folder)


def test_where_no_bundle_is_the_message_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no bundle here .* make one with: classify train"):
        load_bundle(tmp_path / "nowhere")


def test_a_file_in_place_of_a_bundle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bundle").write_text("not a folder")
    assert_refused(tmp_path / "bundle")


# ---- forgery: every hash fits, only the content is wrong


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.marker),)


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    """A trap that is known to work."""
    sprung = tmp_path / "tried"
    pickle.loads(pickle.dumps(Trap(sprung)))
    assert sprung.is_dir()
    return Trap(tmp_path / "sprung")


@pytest.mark.parametrize("stem", STEMS)
def test_a_pickle_in_place_of_a_data_file_is_refused_unopened(stem: str, folder: Path, trap: Trap) -> None:
    forge(folder, stem, pickle.dumps(trap))
    assert_refused(folder)
    assert not trap.marker.exists()


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_of_objects_is_refused_unopened(name: str, folder: Path, trap: Trap) -> None:
    forge_arrays(folder, **{name: np.array([trap], dtype=object)})
    assert_refused(folder)
    assert not trap.marker.exists()


@pytest.mark.parametrize("name", ARRAYS)
def test_a_pickle_inside_the_archive_is_refused_unopened(name: str, folder: Path, trap: Trap) -> None:
    forge_arrays(folder, **{name: None})
    buffer = io.BytesIO(data_file(folder, "theme").read_bytes())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(f"{name}.npy", pickle.dumps(trap))
    forge(folder, "theme", buffer.getvalue())
    assert_refused(folder)
    assert not trap.marker.exists()


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("intercept", np.zeros(2)),
        ("intercept", np.zeros((3, 1))),
        ("intercept", np.float64(0)),
        ("intercept", np.array([0, 0, np.nan])),
        ("intercept", np.array([0, 0, np.inf])),
        ("intercept", np.zeros(3, dtype=np.float32)),
        ("intercept", np.zeros(3, dtype=np.complex128)),
        ("intercept", np.array(["0", "0", "0"])),
        ("counted_weights", np.zeros((3, 2))),
        ("counted_weights", np.full((3, 3), np.nan)),
        ("idf_0", np.zeros(1)),
        ("in_0", np.ones(1, dtype=np.bool_)),
        ("weights_0", np.zeros((1, 3))),
        ("intercept", None),
        ("counted_weights", None),
        ("idf_0", None),
        ("in_0", None),
        ("weights_0", None),
    ],
    ids=str,
)
def test_arrays_of_wrong_shape_kind_or_value_are_refused(name: str, array: object, folder: Path) -> None:
    forge_arrays(folder, **{name: array})
    assert_refused(folder)


def without_checksum(content: bytes) -> bytes:
    """An archive whose last member fails its checksum."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        offset = archive.infolist()[-1].header_offset
    place = content.index(b"NUMPY", offset)
    return content[:place] + b"MUNPY" + content[place + 5 :]


def of_unknown_compression(content: bytes) -> bytes:
    """An archive whose directory says of its first member that it is packed by method 99."""
    place = content.index(b"PK\x01\x02") + 10
    return content[:place] + b"\x63\x00" + content[place + 2 :]


def as_if_encrypted(content: bytes) -> bytes:
    """An archive that says of its first member, before it and in the directory, that it is encrypted."""
    changed = bytearray(content)
    for flags in (content.index(b"PK\x03\x04") + 6, content.index(b"PK\x01\x02") + 8):
        changed[flags] |= 0x1
    return bytes(changed)


def with_a_broken_stream(content: bytes) -> bytes:
    """An archive whose first member says that it is deflated, and isn't."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("idf_0.npy", bytes(1000))
    changed = bytearray(buffer.getvalue())
    changed[30 + len("idf_0.npy")] = 0xFF
    return bytes(changed)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"", id="empty"),
        pytest.param(lambda content: content[:-30], id="cut"),
        pytest.param(lambda content: b"PK\x03\x04", id="magic"),
        pytest.param(without_checksum, id="checksum"),
        pytest.param(of_unknown_compression, id="method"),
        pytest.param(as_if_encrypted, id="encrypted"),
        pytest.param(with_a_broken_stream, id="stream"),
        pytest.param(lambda content: b"junk", id="junk"),
        pytest.param(lambda content: b"\x93NUMPY\x01\x00", id="half an array"),
    ],
)
def test_a_broken_archive_is_refused(damage: Callable[[bytes], bytes], folder: Path) -> None:
    forge_arrays(folder)
    forge(folder, "theme", damage(data_file(folder, "theme").read_bytes()))
    assert_refused(folder)


def test_an_array_that_claims_to_fill_all_memory_is_refused(folder: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**15,)})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("idf_0.npy", header.getvalue())
    forge(folder, "theme", buffer.getvalue())
    assert_refused(folder)


@pytest.mark.parametrize("content", [b"one word\n", b"", b"\xff\xfe\n"], ids=["shorter", "empty", "not UTF-8"])
def test_a_vocabulary_that_does_not_fit_is_refused(content: bytes, folder: Path) -> None:
    forge(folder, "theme.0", content)
    assert_refused(folder)


def test_a_later_format_names_the_remedy(folder: Path) -> None:
    seal(folder, manifest_of(folder) | {"format_version": FORMAT_VERSION + 1})
    with pytest.raises(BundleError, match=r"later release .* upgrade classify-passages, or train the bundle again"):
        load_bundle(folder)


def test_the_first_format_is_refused_with_the_remedy(folder: Path) -> None:
    """It had no style words, no rates to subtract and no rules."""
    manifest = manifest_of(folder) | {"format_version": 1}
    for task in manifest["tasks"].values():
        del task["style_words"], task["rule_based"]
    seal(folder, manifest)
    with pytest.raises(BundleError, match=r"earlier release .* train the bundle again"):
        load_bundle(folder)


@pytest.mark.parametrize(
    "words",
    [
        None,
        [],
        {"modals": []},
        {"modals": {"terms": ["will"]}},
        {"modals": {"terms": ["wi*ll"], "not_terms": []}},
        {"modals": {"terms": [""], "not_terms": []}},
        {"modals": {"terms": ["will"], "not_terms": ["!"]}},
        {"modals": {"terms": 5, "not_terms": []}},
        {"one": {"terms": ["more"], "not_terms": []}},  # other rates than there are weights for
        {},
    ],
    ids=str,
)
def test_style_words_that_are_none_or_do_not_fit_are_refused(words: object, folder: Path) -> None:
    manifest = manifest_of(folder)
    assert manifest["tasks"]["framing"]["style_words"]
    manifest["tasks"]["framing"]["style_words"] = words
    seal(folder, manifest)
    assert_refused(folder)


@pytest.mark.parametrize("rules", [None, 5], ids=str)
def test_a_list_of_rules_that_is_none_is_refused(rules: object, folder: Path) -> None:
    manifest = manifest_of(folder)
    manifest["tasks"]["theme"]["rule_based"] = rules
    seal(folder, manifest)
    assert_refused(folder)


def test_style_words_travel_with_the_bundle(toy_bundle: Bundle, folder: Path) -> None:
    """A release with other word lists reads a bundle as it was trained."""
    manifest = manifest_of(folder)
    words = manifest["tasks"]["framing"]["style_words"]
    words["modals"]["terms"] = ["zzz"]
    seal(folder, manifest)
    text = "Ships will, must and shall not leave."
    before, after = (bundle.tasks["framing"].scorer.counter.style for bundle in (toy_bundle, load_bundle(folder)))
    modals = before.names.index("modals")
    assert before.rates(text)[modals] > 0
    assert after.rates(text)[modals] == 0
    assert after.rates("A zzz of ships")[modals] == 25


@pytest.mark.parametrize("content", [None, [], 0, "classify-bundle", {}, {"format": "classify-bundle"}], ids=str)
def test_a_manifest_that_is_none_is_refused(content: object, folder: Path) -> None:
    seal(folder, content)
    with pytest.raises(BundleError, match="not the manifest of a bundle"):
        load_bundle(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b'"\xff"'], ids=["empty", "cut", "deep", "not UTF-8"])
def test_a_manifest_that_is_no_json_is_refused(content: bytes, folder: Path) -> None:
    (folder / MANIFEST).write_bytes(content)
    (folder / MANIFEST_HASH).write_text(f"{hashlib.sha256(content).hexdigest()}  {MANIFEST}\n")
    assert_refused(folder)


@pytest.mark.parametrize(
    "place",
    [
        "format",
        "format_version",
        "codebook",
        "codebook/name",
        "codebook/tasks",
        "codebook/tasks/theme",
        "codebook/tasks/theme/kind",
        "codebook/tasks/theme/labels",
        "codebook/tasks/theme/labels/sea",
        "data",
        "files",
        "seed",
        "settings",
        pytest.param("settings/review"),
        pytest.param("settings/review/margin"),
        pytest.param("settings/review/max_unknown"),
        pytest.param("settings/review/min_words"),
        "summary",
        "tasks",
        "tasks/theme/arrays",
        "tasks/theme/blocks",
        "tasks/theme/blocks/0/settings",
        "tasks/theme/blocks/0/settings/ngram_range",
        "tasks/theme/blocks/0/settings/stop_words",
        pytest.param("tasks/framing/blocks/1/settings/analyzer"),
        "tasks/theme/blocks/0/vocabulary",
        "tasks/theme/decision",
        "tasks/theme/decision/calibration",
        "tasks/theme/decision/calibration/sea",
        "tasks/theme/decision/calibration/sea/slope",
        "tasks/theme/decision/calibration/sea/intercept",
        "tasks/theme/decision/prior",
        pytest.param("tasks/theme/decision/prior/sea"),
        "tasks/theme/decision/shift",
        "tasks/theme/decision/thresholds",
        pytest.param("tasks/theme/decision/thresholds/sea"),
        "tasks/theme/term_rule",
        "versions",
    ],
)
def test_a_manifest_without_a_key_is_refused(place: str, folder: Path) -> None:
    manifest = manifest_of(folder)
    container, key = at(manifest, place)
    del container[key]
    seal(folder, manifest)
    assert_refused(folder)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("format", "another-bundle"),
        ("format_version", "two"),
        ("format_version", None),
        pytest.param("format_version", float("inf")),
        ("files", []),
        ("files/manifest.json", {"size": 0, "sha256": ""}),
        ("codebook", []),
        ("codebook/name", "Not A Name"),
        ("codebook/tasks", {}),
        ("codebook/tasks/theme/kind", "multi"),
        ("codebook/tasks/theme/labels/sea", 5),
        ("codebook/tasks/theme/labels/none", {}),
        ("codebook/tasks/theme/labels/a fourth", {}),
        ("codebook/tasks/theme/labels/sea/terms", ["*"]),
        ("codebook/tasks/theme/labels/sea/terms", "ship"),
        ("codebook/tasks/framing/labels", {"report": {}}),
        ("tasks", None),
        pytest.param("tasks", {}),
        ("tasks/weather", {}),
        ("tasks/theme/arrays", "manifest.json"),
        ("tasks/theme/blocks", 0),
        pytest.param("tasks/theme/blocks", []),
        ("tasks/theme/blocks/0/vocabulary", "manifest.json"),
        ("tasks/theme/blocks/0/settings", {}),
        ("tasks/theme/blocks/0/settings/ngram_range", [1]),
        ("tasks/theme/blocks/0/settings/ngram_range", ["a", "b"]),
        ("tasks/theme/blocks/0/settings/ngram_range", [0, 1]),
        pytest.param("tasks/theme/blocks/0/settings/analyzer", "sentence"),
        ("tasks/theme/blocks/0/settings/code", "print(1)"),
        ("tasks/theme/decision/thresholds", [0, 0, 0]),
        pytest.param("tasks/theme/decision/thresholds", None),
        ("tasks/theme/decision/thresholds/sea", "high"),
        pytest.param("tasks/theme/decision/thresholds/sea", float("nan")),
        pytest.param("tasks/framing/decision/thresholds", {"report": 9.0, "praise": 9.0}),
        pytest.param("tasks/theme/decision/calibration/sea/slope", float("nan")),
        pytest.param("tasks/theme/decision/calibration/sea/slope", "steep"),
        pytest.param("tasks/theme/decision/calibration/sea/intercept", None),
        pytest.param("tasks/theme/decision/prior/sea", None),
        pytest.param("tasks/theme/decision/shift", {"sea": 1.0}),
        pytest.param("settings", None),
        pytest.param("settings/review/margin", "narrow"),
        pytest.param("settings/review/min_words", None),
    ],
)
def test_a_manifest_with_a_wrong_value_is_refused(place: str, value: object, folder: Path) -> None:
    manifest = manifest_of(folder)
    container, key = at(manifest, place)
    container[key] = value
    seal(folder, manifest)
    assert_refused(folder)


@pytest.mark.parametrize("facts", [None, 5, "whole", []], ids=str)
def test_a_file_without_size_and_hash_is_refused(facts: object, folder: Path) -> None:
    manifest = manifest_of(folder)
    manifest["files"][data_file(folder, "theme").name] = facts
    seal(folder, manifest)
    assert_refused(folder)


@pytest.mark.parametrize("key", ["size", "sha256"])
def test_a_file_of_unknown_size_or_hash_is_refused(key: str, folder: Path) -> None:
    manifest = manifest_of(folder)
    del manifest["files"][data_file(folder, "theme").name][key]
    seal(folder, manifest)
    assert_refused(folder)


@pytest.mark.parametrize("name", ["../evil-000000000000.npz", "/evil-000000000000.npz", "x/evil-000000000000.npz", ""])
def test_a_manifest_that_names_a_file_elsewhere_is_refused(name: str, folder: Path) -> None:
    content = b"evil"
    (folder.parent / "evil-000000000000.npz").write_bytes(content)
    manifest = manifest_of(folder)
    manifest["files"][name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    seal(folder, manifest)
    with pytest.raises(BundleError, match=r"names a file .* that no bundle writes"):
        load_bundle(folder)


def test_calibration_is_found_by_label_whatever_its_order(folder: Path) -> None:
    expected = Predictor.load(folder).predict(TEXTS[0]).probabilities
    manifest = manifest_of(folder)
    calibration = manifest["tasks"]["theme"]["decision"]["calibration"]
    manifest["tasks"]["theme"]["decision"]["calibration"] = dict(reversed(calibration.items()))
    seal(folder, manifest)
    assert expected == Predictor.load(folder).predict(TEXTS[0]).probabilities


# ---- where nothing may be written


@pytest.mark.parametrize(
    "name", ["notes.txt", "model.pkl", "data.npz", "theme-0123.npz", ".hidden", "Theme-" + "0" * 12]
)
def test_a_folder_with_foreign_files_is_refused_and_left_alone(name: str, toy_bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(OutputError, match="no part of a bundle; name another folder with --out"):
        toy_bundle.save(tmp_path)
    assert {name: b"mine"} == files_in(tmp_path)


@pytest.mark.parametrize("name", ["sub", MANIFEST])
def test_a_folder_with_folders_is_refused(name: str, toy_bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(OutputError, match=name):
        toy_bundle.save(tmp_path)
    assert [tmp_path / name] == list(tmp_path.iterdir())


def test_a_file_in_place_of_the_folder_is_refused_and_left_alone(toy_bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "bundle").write_text("mine")
    with pytest.raises(OutputError, match="a file stands here"):
        toy_bundle.save(tmp_path / "bundle")
    assert "mine" == (tmp_path / "bundle").read_text()


def test_a_folder_that_cannot_be_made_is_an_output_error(toy_bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="file: a file stands here"):
        toy_bundle.save(tmp_path / "file" / "bundle")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_an_output_error(toy_bundle: Bundle, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="can't be written"):
        toy_bundle.save(tmp_path)


# ---- interruption


def fail_at(patch: pytest.MonkeyPatch, method: str, step: int, error: BaseException) -> None:
    """Let the step-th call of a method of Path fail, counting from 0; a write then stops half-way."""
    steps, original = itertools.count(), getattr(Path, method)

    def failing(path: Path, *args: Any, **options: Any) -> object:
        if next(steps) != step:
            return original(path, *args, **options)
        if method == "write_bytes":
            original(path, args[0][: len(args[0]) // 2])
        raise error

    patch.setattr(Path, method, failing)


@pytest.mark.parametrize(
    ("error", "seen"), [(KeyboardInterrupt(), KeyboardInterrupt), (OSError(28, "No space left"), OutputError)]
)
@pytest.mark.parametrize("method", ["write_bytes", "replace"])
@pytest.mark.parametrize("step", range(N_STEPS))
def test_a_crash_while_saving_leaves_one_bundle_whole(
    step: int,
    method: str,
    error: BaseException,
    seen: type[BaseException],
    toy_bundle: Bundle,
    later_bundle: Bundle,
    folder: Path,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fail_at(patch, method, step, error)
        with pytest.raises(seen):
            later_bundle.save(folder)
    expected = toy_bundle if step < N_STEPS - 1 else later_bundle
    assert expected.to_files() == load_bundle(folder).to_files()
    later_bundle.save(folder)
    assert later_bundle.to_files() == files_in(folder)


def test_saving_has_no_step_that_was_not_made_to_crash(later_bundle: Bundle, folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fail_at(patch, "replace", N_STEPS, KeyboardInterrupt())
        later_bundle.save(folder)
    assert later_bundle.to_files() == files_in(folder)


def test_a_crash_while_cleaning_up_leaves_one_bundle_whole(
    toy_bundle: Bundle, later_bundle: Bundle, tmp_path: Path
) -> None:
    n_old = len(toy_bundle.to_files().keys() - later_bundle.to_files().keys())
    for step in range(N_STEPS + n_old):
        toy_bundle.save(tmp_path / str(step))
        with pytest.MonkeyPatch.context() as patch:
            fail_at(patch, "unlink", step, KeyboardInterrupt())
            with pytest.raises(KeyboardInterrupt):
                later_bundle.save(tmp_path / str(step))
        assert load_bundle(tmp_path / str(step)).id in (toy_bundle.id, later_bundle.id)
        later_bundle.save(tmp_path / str(step))
        assert later_bundle.to_files() == files_in(tmp_path / str(step))


def test_two_crashes_in_a_row_leave_one_bundle_whole(toy_bundle: Bundle, later_bundle: Bundle, tmp_path: Path) -> None:
    for number, (first, second) in enumerate(itertools.product(range(N_STEPS), repeat=2)):
        folder = tmp_path / str(number)
        toy_bundle.save(folder)
        for step, bundle in ((first, later_bundle), (second, toy_bundle)):
            with pytest.MonkeyPatch.context() as patch:
                fail_at(patch, "replace", step, KeyboardInterrupt())
                with pytest.raises(KeyboardInterrupt):
                    bundle.save(folder)
            assert load_bundle(folder).id in (toy_bundle.id, later_bundle.id)


def test_what_a_killed_process_left_is_passed_over_and_then_removed(
    toy_bundle: Bundle, later_bundle: Bundle, folder: Path
) -> None:
    for name in (f".{MANIFEST}.0a1b2c3d.part", ".theme-000000000000.npz.0a1b2c3d.part"):
        (folder / name).write_bytes(b"half")
    assert toy_bundle.to_files() == load_bundle(folder).to_files()
    later_bundle.save(folder)
    assert later_bundle.to_files() == files_in(folder)


def test_a_first_save_that_crashes_is_no_bundle(toy_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fail_at(patch, "replace", N_STEPS - 2, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            toy_bundle.save(tmp_path)
    with pytest.raises(BundleError, match="no bundle here"):
        load_bundle(tmp_path)
    toy_bundle.save(tmp_path)
    assert toy_bundle.to_files() == files_in(tmp_path)
