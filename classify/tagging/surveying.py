"""Inputs to the layout of the table they become: what their headers say, and a first pass over those without one."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

from classify.data.lines import Row
from classify.errors import DataError
from classify.predictor import Predictor
from classify.tagging.blocks import Block
from classify.tagging.layout import Layout, unfit, unfit_errors
from classify.tagging.reading import header_of, parquet_schema, read_blocks
from classify.tagging.rows import ERROR, PASSAGE_KEYS, Carrier, Options, no_such_column
from classify.tagging.sources import TEXT, Source
from classify.tagging.tagger import Tagger
from classify.tagging.workers import Crew

T = TypeVar("T")


def lay_out(sources: Iterable[Source], predictor: Predictor, workers: Crew, out: str) -> Layout:
    """The columns of all inputs, in the order of first appearance; those of passages where there is none.

    JSONL rows need no columns. Raises OutputError for values or types that can't stand together in a Parquet column.
    """
    carrier, options = workers.tagger.carrier, workers.tagger.options
    if options.form == "jsonl":
        return Layout()
    if options.form == "csv":
        parts = _parts(sources, workers, partial(known_columns, carrier=carrier), columns_in)
        return Layout(tuple(dict.fromkeys(name for part in parts for name in part)) or PASSAGE_KEYS)
    of_file = partial(known_schema, carrier=carrier, options=options)
    own = _unified(_parts(sources, workers, of_file, partial(schema_in, out=out)), out)
    return Layout(tuple(own.names), _with_predictions(own, predictor, options), out)


def _parts(
    sources: Iterable[Source], workers: Crew, known: Callable[[Source], T], found: Callable[[Tagger, Block], T]
) -> Iterator[T]:
    for source in sources:
        if source.form == "jsonl":
            yield from (part for _, part in workers.map(lambda: found, read_blocks([source])))
        else:
            yield known(source)


def _unified(schemas: Iterable[Any], out: str) -> Any:
    """One Arrow schema for all."""
    import pyarrow as pa

    own = pa.schema([])
    for schema in schemas:
        if own != schema:
            try:
                own = pa.unify_schemas([own, schema], promote_options="permissive")
            except pa.lib.ArrowException as error:
                raise unfit(out, error) from None
    return own if len(own) else text_schema()


def _with_predictions(own: Any, predictor: Predictor, options: Options) -> Any:
    import pyarrow as pa

    names = [*predictor.columns, *([ERROR] if options.keeps_faults else [])]
    types = [pa.float64() if name.startswith("p:") else pa.string() for name in names]
    return pa.schema([*own, *map(pa.field, names, types)])


def refuse_missing_columns(sources: Iterable[Source], options: Options) -> None:
    """Raise DataError with every table whose header lacks the column of the text or of the id."""
    faults = []
    for source in sources:
        if source.form in (TEXT, "jsonl") or (columns := header_of(source)) is None:
            continue
        if options.text_field not in columns:
            faults.append(no_such_column(source.name, columns, options.text_field))
        if options.id_field is not None and options.id_field not in columns:
            faults.append(no_such_column(source.name, columns, options.id_field, option="--id-field"))
    if faults:
        raise DataError(faults)


def columns_in(tagger: Tagger, block: Block) -> tuple[str, ...]:
    """The names that stand in any row of a block."""
    return tuple(dict.fromkeys(name for row in _own_rows(tagger, block) for name in row))


def schema_in(tagger: Tagger, block: Block, *, out: str) -> Any:
    """The Arrow schema of a block's rows."""
    import pyarrow as pa

    rows = _own_rows(tagger, block)
    names = dict.fromkeys(name for row in rows for name in row)
    try:
        return pa.table({name: [row.get(name) for row in rows] for name in names}).schema
    except unfit_errors() as error:
        raise unfit(out, error) from None


def known_columns(source: Source, carrier: Carrier) -> list[str]:
    """The columns of an input that says them beforehand, which JSONL doesn't."""
    return list(PASSAGE_KEYS) if source.form == TEXT else carrier.own_columns(header_of(source) or ())


def known_schema(source: Source, carrier: Carrier, options: Options) -> Any:
    """The Arrow schema of an input that says its columns beforehand: text for all of a CSV's."""
    import pyarrow as pa

    if source.form == TEXT:
        return text_schema()
    if source.form == "csv":
        return pa.schema([(name, pa.string()) for name in known_columns(source, carrier)])
    given = parquet_schema(source)
    names = carrier.own_columns(given.names)
    return pa.schema([(name, given.field(name if name in given.names else options.id_field).type) for name in names])


def text_schema() -> Any:
    """That of passages."""
    import pyarrow as pa

    return pa.schema([(key, pa.int64() if key in ("start", "end") else pa.string()) for key in PASSAGE_KEYS])


def _own_rows(tagger: Tagger, block: Block) -> list[Row]:
    return [tagger.carrier.own(record.row) for record in block.records() if not record.fault]
