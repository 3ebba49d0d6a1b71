"""Inputs of any size to an output with a prediction for every row, in bounded memory."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from classify.data.handlabels import refuse_lost_labels
from classify.data.lines import Row
from classify.errors import MAX_FAULTS_SHOWN, DataError, Fault, OutputError, UsageError
from classify.predictor import Predictor
from classify.tagging.blocks import MOST_ROWS, SIZE, Block
from classify.tagging.layout import Layout
from classify.tagging.outputs import Output, parquet_file, standard_output, whole_file
from classify.tagging.reading import Read, read_blocks
from classify.tagging.resume import resumable
from classify.tagging.rows import Options
from classify.tagging.sources import Source, open_sources
from classify.tagging.surveying import lay_out, refuse_missing_columns
from classify.tagging.tagger import Tagged, Tagger
from classify.tagging.workers import Crew, crew

OnProgress = Callable[[int, int, int], object]
"""Is told of rows written, bytes read, and bytes in all, 0 where that isn't known."""


@dataclass
class Outcome:
    """What a run came to: files read, rows written, those without a prediction or an id; empty inputs, first faults."""

    n_files: int = 0
    n_rows: int = 0
    n_faults: int = 0
    n_without_id: int = 0
    empty: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def add(self, tagged: Tagged) -> None:
        """Count what became of a block."""
        self.n_rows += tagged.n_rows
        self.n_without_id += tagged.n_without_id
        self.empty += [f"{name}: no passage found" for name in tagged.without_passage]
        self.add_faults(tagged.faults, tagged.n_faults)

    def add_faults(self, faults: Iterable[Fault], n_faults: int) -> None:
        """Count faults, and keep the first of them."""
        self.n_faults += n_faults
        self.faults += islice(faults, MAX_FAULTS_SHOWN - len(self.faults))


def tag_files(
    inputs: Iterable[str | Path],
    predictor: Predictor,
    options: Options,
    out: Path | None = None,
    *,
    jobs: int = 1,
    resume: bool = False,
    on_progress: OnProgress = lambda n_rows, n_read, n_bytes: None,
) -> Outcome:
    """Write a row with its prediction for every row of the inputs, in order, to a file or to standard output.

    The bytes are the same whatever `jobs`, the number of processes, and with `resume` the same as if the run had never
    been interrupted. Raises DataError with every bad row where none is kept, and for what holds for a whole input;
    UsageError and OutputError for what can't be done at all.
    """
    is_read_twice = options.form != "jsonl" or (out is not None and out.is_file())
    with open_sources(inputs, is_read_twice=is_read_twice) as sources, crew(predictor, options, jobs) as workers:
        if out:
            _refuse_output(out, sources, workers.tagger)
        refuse_missing_columns(sources, options)
        layout = lay_out(sources, predictor, workers, str(out))
        with _open_output(out, sources, workers.tagger, layout, resume=resume) as output:
            return _tag(sources, workers, layout, output, on_progress)


def _refuse_output(out: Path, sources: list[Source], tagger: Tagger) -> None:
    """Raise where the output is one of the inputs, a folder, or holds hand labels that would be lost."""
    if any(source.is_same_file(out) for source in sources):
        raise UsageError(f"{out}: is an input too; name another file with --out")
    if out.is_dir():
        raise OutputError(f"{out}: can't be written: Is a directory")
    refuse_lost_labels(out, tagger.tasks, _own_rows(sources, tagger))


def _own_rows(sources: list[Source], tagger: Tagger) -> Iterator[Row]:
    for block, _ in read_blocks(sources):
        yield from (tagger.carrier.own(record.row) for record in block.records())


def _open_output(
    out: Path | None, sources: list[Source], tagger: Tagger, layout: Layout, *, resume: bool
) -> AbstractContextManager[Output]:
    can_resume = _can_resume(out, sources, asked=resume)
    start = tagger.start(layout)
    if out is None:
        return standard_output(start)
    if tagger.options.form == "parquet":
        return parquet_file(out, layout.schema)
    if not can_resume:
        return whole_file(out, start)
    head = {
        "version": version("classify-passages"),
        "bundle": tagger.model,
        "options": [asdict(tagger.options), layout.columns, SIZE, MOST_ROWS],
        "inputs": [(source.name, source.sha256()) for source in sources],
    }
    return resumable(out, json.loads(json.dumps(head)), start, resume=resume)


def _can_resume(out: Path | None, sources: list[Source], *, asked: bool) -> bool:
    """Whether a run could be gone on with; raises UsageError if that is `asked` and it can't."""
    why_not = None
    if out is None or not out.name.endswith((".jsonl", ".csv")):
        why_not = "--resume goes on with a .jsonl or .csv; name one with --out"
    elif any(source.stream for source in sources):
        why_not = "--resume can't read stdin a second time; save it to a file first"
    if asked and why_not:
        raise UsageError(why_not)
    return why_not is None


def _tag(sources: list[Source], workers: Crew, layout: Layout, output: Output, on_progress: OnProgress) -> Outcome:
    before, keeps = output.written, workers.tagger.options.keeps_faults
    outcome = Outcome(len(sources), before.n_rows, before.n_faults)
    broken: list[Fault] = []
    n_bytes = 0 if any(source.stream for source in sources) else sum(source.n_bytes for source in sources)

    def on_empty(fault: Fault) -> None:
        (outcome.empty.append(str(fault)) if keeps else outcome.add_faults([fault], 1))

    def work() -> Callable[[Tagger, Block], Tagged]:
        is_lost = outcome.n_faults and not keeps
        return partial(Tagger.check if is_lost else Tagger.tag, layout=layout)

    blocks = islice(_until_broken(read_blocks(sources, on_empty), broken), before.n_blocks, None)
    for n_read, tagged in workers.map(work, blocks):
        outcome.add(tagged)
        if keeps or not outcome.n_faults:
            output.write(tagged.content, tagged.n_rows, tagged.n_faults)
        on_progress(outcome.n_rows, n_read, n_bytes)
        if not keeps and any(fault.row is None and fault.field for fault in tagged.faults):
            break  # what holds for all of a file need not be said of each of its rows
    if keeps and broken:
        raise DataError(broken)
    if not keeps and outcome.n_faults + len(broken):
        outcome.add_faults(broken, len(broken))
        raise DataError(outcome.faults, outcome.n_faults)
    return outcome


def _until_broken(blocks: Iterable[Read], faults: list[Fault]) -> Iterator[Read]:
    """The blocks that can be read; why there are no more is put into `faults`."""
    try:
        yield from blocks
    except DataError as error:
        faults += error.faults
