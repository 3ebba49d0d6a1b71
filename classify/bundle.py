"""What training saves and prediction loads: a folder of data, never of objects, so that opening it can't run code.

`manifest.json` names every other file with its size and SHA-256; `manifest.sha256` holds the manifest's own. Hashes
detect damage, not forgery: whoever can write the folder can write its hashes.
"""

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from classify.codebook import Codebook, Task, is_term, parse_codebook
from classify.errors import BundleError, ClassifyError
from classify.files import make_folder, refuse_foreign, replacing, to_json
from classify.measure.arrays import BoolArray, FloatArray
from classify.scorer.blocks import Block
from classify.scorer.decisions import DecisionRule
from classify.scorer.linear import Counter, TaskScorer
from classify.scorer.style import LISTS, StyleWords
from classify.scorer.tokens import BlockSettings

FORMAT = "classify-bundle"
FORMAT_VERSION = 3
MANIFEST = "manifest.json"
MANIFEST_HASH = "manifest.sha256"
_DATA_FILE = re.compile(r"[a-z0-9][a-z0-9_.-]*-[0-9a-f]{12}\.(?:npz|txt)")
_LEFT_OVER = re.compile(rf"\.(?:{_DATA_FILE.pattern}|manifest\.json|manifest\.sha256)\.[0-9a-f]{{8}}\.part")
_AGAIN = "copy the bundle again or train it again"
_UNREADABLE = (
    ArithmeticError,
    AttributeError,
    ClassifyError,
    EOFError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What numpy, zipfile and our own reading raise on data that fit their hashes but are no bundle's."""


@dataclass(frozen=True)
class BundledTask:
    """One task ready to predict: its scorer, its decision rule, and the rule of its codebook terms alone.

    `in_passages` says for each block of the scorer which features stood in a labelled passage of training, shape
    (n_features,), and not in the codebook's or in unlabelled text alone. `rule_based` are labels with too few passages
    to learn from, given by their terms alone.
    """

    scorer: TaskScorer
    decision: DecisionRule
    term_rule: DecisionRule
    in_passages: tuple[BoolArray, ...] = field(repr=False)
    rule_based: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Bundle:
    """A trained model with all that is needed to use, judge and rebuild it.

    `id` is the first 12 hex digits of the manifest's SHA-256: same data, settings and versions, same id.
    """

    codebook: Codebook
    tasks: Mapping[str, BundledTask] = field(repr=False)
    settings: Mapping[str, Any] = field(repr=False)
    data: Mapping[str, Any]
    summary: Mapping[str, Any] = field(repr=False)
    versions: Mapping[str, str]
    seed: int
    read_as: str | None = None
    """The id of the files it was read from; None for a bundle that was just trained."""

    def __repr__(self) -> str:
        return f"<Bundle {self.codebook.name} {self.id}: {', '.join(self.tasks)}>"

    @cached_property
    def id(self) -> str:
        """The bundle's id."""
        return self.read_as or _sha256(self.to_files()[MANIFEST])[:12]

    def to_files(self) -> dict[str, bytes]:
        """Every file by name, `manifest.json` and `manifest.sha256` last."""
        files: dict[str, bytes] = {}
        tasks = {name: _task_files(self.codebook[name], task, files) for name, task in self.tasks.items()}
        manifest = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "codebook": self.codebook.to_dict(),
            "codebook_sha256": self.codebook.sha256,
            "data": dict(self.data),
            "seed": self.seed,
            "settings": dict(self.settings),
            "summary": dict(self.summary),
            "tasks": tasks,
            "versions": dict(self.versions),
            "files": {name: {"size": len(content), "sha256": _sha256(content)} for name, content in files.items()},
        }
        content = to_json(manifest, indent=1).encode()
        return {**files, MANIFEST: content, MANIFEST_HASH: _hash_line(_sha256(content))}

    def save(self, folder: str | Path) -> str:
        """Write the bundle to a folder and return its id.

        An earlier bundle there stays whole until the manifest is replaced in one step: the data files carry their hash
        in their names, and while the manifest changes `manifest.sha256` lists the old and the new hash. Raises
        OutputError where the folder holds anything a bundle has not written, or can't be written.
        """
        folder = Path(folder)
        refuse_foreign_bundle(folder)
        files = self.to_files()
        new = _sha256(files[MANIFEST])
        make_folder(folder)
        for name, content in files.items():
            if name not in (MANIFEST, MANIFEST_HASH):
                _write(folder / name, content)
        old = folder / MANIFEST
        before = _hash_line(sha256_of(old)) if old.exists() else b""
        _write(folder / MANIFEST_HASH, _hash_line(new) + before)
        _write(old, files[MANIFEST])
        _write(folder / MANIFEST_HASH, files[MANIFEST_HASH])
        for path in folder.iterdir():
            if path.name not in files:
                path.unlink()
        return new[:12]


def load_bundle(folder: str | Path) -> Bundle:
    """Read a bundle; raises BundleError where it is missing, damaged, incomplete or of a later format.

    Sizes and hashes are checked before anything is used; arrays are read with `allow_pickle=False`.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    files = {name: _read_checked(folder, name, facts) for name, facts in manifest["files"].items()}
    try:
        codebook = parse_codebook(manifest["codebook"], source=str(folder / MANIFEST))
        tasks = {name: _read_task(codebook[name], plain, files) for name, plain in manifest["tasks"].items()}
        _check_settings(tasks, manifest["settings"]["review"])
        return Bundle(
            codebook=codebook,
            tasks=tasks,
            settings=manifest["settings"],
            data=manifest["data"],
            summary=manifest["summary"],
            versions=manifest["versions"],
            seed=manifest["seed"],
            read_as=sha256_of(folder / MANIFEST)[:12],
        )
    except _UNREADABLE as error:
        raise BundleError(f"{folder}: not a bundle this release can read ({error!r}); train it again") from None


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """The manifest alone, its own hash, format and version checked; raises BundleError."""
    folder = Path(folder)
    try:
        content, listed = (folder / MANIFEST).read_bytes(), (folder / MANIFEST_HASH).read_bytes()
    except FileNotFoundError as error:
        name = Path(error.filename).name
        raise BundleError(f"{folder}: no bundle here ({name} is missing); make one with: classify train") from None
    except OSError as error:
        raise BundleError(f"{folder}: can't be read: {error.strerror}") from None
    if not _is_listed(_sha256(content), listed):
        raise BundleError(f"{folder}/{MANIFEST}: damaged: its SHA-256 is not the one in {MANIFEST_HASH}; {_AGAIN}")
    try:
        manifest = json.loads(content)
        is_ours = manifest["format"] == FORMAT and isinstance(manifest["files"], dict)
        found = int(manifest["format_version"])
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
        is_ours = False
    if not is_ours:
        raise BundleError(f"{folder}/{MANIFEST}: not the manifest of a bundle; {_AGAIN}")
    if found > FORMAT_VERSION:
        made = f"made by a later release (format {found}; this one reads up to {FORMAT_VERSION})"
        raise BundleError(f"{folder}: {made}; upgrade classify-passages, or train the bundle again with this release")
    if found < FORMAT_VERSION:
        raise BundleError(f"{folder}: made by an earlier release (format {found}); train the bundle again")
    return dict(manifest)


def file_faults(folder: str | Path, manifest: Mapping[str, Any]) -> list[str]:
    """What is wrong with the files a manifest names, one line each; empty when all are whole."""
    faults = []
    for name, facts in manifest["files"].items():
        try:
            _read_checked(Path(folder), name, facts)
        except BundleError as error:
            faults.append(str(error))
    return faults


def refuse_foreign_bundle(folder: Path) -> None:
    """Raise OutputError if the folder is a file or holds anything that no bundle wrote."""
    refuse_foreign(folder, _foreign_files, what="bundle")


def _foreign_files(folder: Path) -> list[Path]:
    """Files that are not named like a bundle's, or whose name doesn't fit their content."""
    return [path for path in folder.iterdir() if not (path.is_file() and _is_ours(path))]


def _is_ours(path: Path) -> bool:
    if path.name in (MANIFEST, MANIFEST_HASH) or _LEFT_OVER.fullmatch(path.name):
        return True
    return bool(_DATA_FILE.fullmatch(path.name)) and sha256_of(path).startswith(path.stem[-12:])


def _task_files(task: Task, bundled: BundledTask, files: dict[str, bytes]) -> dict[str, Any]:
    """Add the task's data files to `files`; what the manifest says of the task."""
    scorer = bundled.scorer
    arrays: dict[str, Any] = {
        "counted_weights": scorer.counted_weights,
        "usual": scorer.usual,
        "intercept": scorer.intercept,
    }
    blocks = []
    for number, block in enumerate(scorer.blocks):
        in_passages = bundled.in_passages[number]
        arrays |= {f"idf_{number}": block.idf, f"in_{number}": in_passages, f"weights_{number}": block.weights}
        text = "".join(f"{feature}\n" for feature in block.features).encode("utf-8", "surrogatepass")
        blocks.append(
            {"settings": block.settings.to_dict(), "vocabulary": _add(files, f"{task.name}.{number}", "txt", text)}
        )
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return {
        "arrays": _add(files, task.name, "npz", buffer.getvalue()),
        "blocks": blocks,
        "style_words": scorer.counter.style.words,
        "rule_based": list(bundled.rule_based),
        "decision": bundled.decision.to_dict(task.label_names),
        "term_rule": bundled.term_rule.to_dict(task.label_names),
    }


def _add(files: dict[str, bytes], stem: str, suffix: str, content: bytes) -> str:
    name = f"{stem}-{_sha256(content)[:12]}.{suffix}"
    files[name] = content
    return name


def _read_task(task: Task, plain: Mapping[str, Any], files: Mapping[str, bytes]) -> BundledTask:
    n_labels, counter = len(task.labels), Counter(task, _read_style_words(plain["style_words"]))
    with np.load(io.BytesIO(files[plain["arrays"]]), allow_pickle=False) as arrays:
        blocks = tuple(
            _read_block(n, described, files, arrays, n_labels) for n, described in enumerate(plain["blocks"])
        )
        in_passages = tuple(
            _array(arrays, f"in_{n}", (len(block.features),), np.bool_) for n, block in enumerate(blocks)
        )
        counted_weights = _array(arrays, "counted_weights", (counter.n_counted, n_labels))
        usual = _array(arrays, "usual", (counter.n_counted,))
        intercept = _array(arrays, "intercept", (n_labels,))
    shape = {"is_multilabel": task.is_multilabel, "at_least_one": task.is_multilabel and task.at_least_one}
    rules = [DecisionRule.from_dict(plain[key], task.label_names, **shape) for key in ("decision", "term_rule")]
    rule_based = tuple(name for name in task.label_names if name in list(plain["rule_based"]))
    scorer = TaskScorer(blocks, counter, counted_weights, usual, intercept)
    return BundledTask(scorer, rules[0], rules[1], in_passages, rule_based)


def _read_style_words(plain: Mapping[str, Mapping[str, Sequence[str]]]) -> StyleWords:
    words = {name: {key: tuple(map(str, lists[key])) for key in LISTS} for name, lists in plain.items()}
    if any(not is_term(term) for lists in words.values() for terms in lists.values() for term in terms):
        raise ValueError("a style word is no term")
    return words


def _check_settings(tasks: Mapping[str, BundledTask], review: Mapping[str, Any]) -> None:
    if not tasks or not all(task.scorer.blocks for task in tasks.values()):
        raise ValueError("no task, or a task without features")
    if not all(isinstance(review[name], int | float) for name in ("min_words", "max_unknown", "margin")):
        raise ValueError("the review settings are no numbers")


def _read_block(
    number: int,
    described: Mapping[str, Any],
    files: Mapping[str, bytes],
    arrays: Mapping[str, FloatArray],
    n_labels: int,
) -> Block:
    features = tuple(files[described["vocabulary"]].decode("utf-8", "surrogatepass").split("\n")[:-1])
    idf = _array(arrays, f"idf_{number}", (len(features),))
    weights = _array(arrays, f"weights_{number}", (len(features), n_labels))
    return Block(BlockSettings.from_dict(described["settings"]), features, idf, weights)


def _array(arrays: Mapping[str, Any], name: str, shape: tuple[int, ...], kind: type = np.float64) -> Any:
    array = arrays[name]
    if array.shape != shape or array.dtype != kind or not np.isfinite(array).all():
        expected = f"{shape} and finite {np.dtype(kind)}"
        raise ValueError(f"array {name} has shape {array.shape} and type {array.dtype}, not {expected}")
    return array


def _read_checked(folder: Path, name: str, facts: Mapping[str, Any]) -> bytes:
    if not _DATA_FILE.fullmatch(name):
        raise BundleError(f"{folder}/{MANIFEST}: names a file {name!r} that no bundle writes; {_AGAIN}")
    try:
        content = (folder / name).read_bytes()
    except OSError:
        raise BundleError(f"{folder}/{name}: missing or unreadable; {_AGAIN}") from None
    whole = {"size": len(content), "sha256": _sha256(content)}
    if not isinstance(facts, Mapping) or whole != {key: facts.get(key) for key in whole}:
        raise BundleError(f"{folder}/{name}: damaged: size or SHA-256 differ from the manifest; {_AGAIN}")
    return content


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as part:
        part.write_bytes(content)


def _hash_line(digest: str) -> bytes:
    """As sha256sum writes it."""
    return f"{digest}  {MANIFEST}\n".encode()


def _is_listed(digest: str, listed: bytes) -> bool:
    lines = listed.splitlines(keepends=True)
    well_formed = all(re.fullmatch(rb"[0-9a-f]{64}  manifest\.json\n", line) for line in lines)
    return well_formed and 1 <= len(lines) <= 2 and _hash_line(digest) in lines


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as hex digits."""
    return _sha256(path.read_bytes())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
