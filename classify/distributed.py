"""Tables too large for one process, Dask's or Spark's, to the same tables with predictions.

Neither engine is imported: a Dask DataFrame brings its own methods, and Spark hands out pandas frames.
"""

import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any

from classify.errors import BundleError
from classify.predictor import Predictor, load_once, without_prediction

_one_at_a_time = Lock()
"""Threads of a worker that start together would each load the model."""


def predict_frame(ddf: Any, model: Predictor | str | Path, *, text: str = "text") -> Any:
    """Predict the `text` column of a Dask DataFrame; nothing is computed before Dask is asked to.

    `model` is a bundle's folder, or a Predictor loaded from one. Only the folder's name travels: every worker must be
    able to read it, loads it once, and refuses any other bundle than the one found there now. Columns are added as by
    `Predictor.predict_frame`; rows, index and partitions stay as they are. Threads share one core, so run it on worker
    processes (`distributed.Client()`).

    Partitions of 10,000 to 100,000 passages are best: a million took 7 to 2% more processor time than in one process
    at a stroke. With 1,000 a partition, 200,000 took half as much again (tests/benchmarks/scaling.py).

    Raises TypeError for anything but a Dask DataFrame, BundleError for a bundle that can't be read, ValueError for a
    Predictor that has no folder, a missing column or columns of one's own called as a prediction's. While computing, a
    row without text raises ValueError, and a bundle that a worker doesn't find or that has changed BundleError.
    """
    from narwhals.dependencies import is_dask_dataframe

    if not is_dask_dataframe(ddf):
        raise TypeError(
            f"ddf: found {type(ddf).__module__}.{type(ddf).__name__}; expected a Dask DataFrame, as dask.dataframe "
            "reads it (pip install 'dask[dataframe]' distributed); for a table in memory use Predictor.predict_frame"
        )
    predictor = _predictor(model)
    if predictor.folder is None:
        raise ValueError(
            "model: found a Predictor made in memory; expected a bundle's folder that every worker can read; "
            "save the bundle, and name its folder"
        )
    empty = predictor.predict_frame(ddf._meta, text=text)
    return ddf.map_partitions(_predict_partition, str(predictor.folder), predictor.model, text, meta=empty)


def predict_frames(frames: Iterable[Any], model: Predictor | str | Path, *, text: str = "text") -> Iterator[Any]:
    """Predict the `text` column of one pandas frame after another, as Spark's `mapInPandas` hands them out.

        predictor = Predictor.load("/shared/models/defence-diplomacy")
        tag = partial(predict_frames, model=predictor)
        tagged = passages.mapInPandas(tag, spark_schema(passages.schema, predictor))

    A Predictor loaded from a folder travels as the folder's name, and every worker process loads it once; one made in
    memory travels whole, with every task. A folder is loaded anew for each stream of frames. Raises what
    `Predictor.load` and `Predictor.predict_frame` raise.
    """
    predictor = _predictor(model)
    for frame in frames:
        yield predictor.predict_frame(frame, text=text)


def spark_schema(schema: Any, model: Predictor | str | Path) -> Any:
    """The Spark schema of a table that `predict_frames` has gone through, from the schema it had before.

    Raises ValueError where columns of one's own are called as a prediction's.
    """
    predictor = _predictor(model)
    own = without_prediction(schema.names, predictor.columns)
    predicted = type(schema)([schema[name] for name in own])
    for name in predictor.columns:
        predicted.add(name, "double" if name.startswith("p:") else "string")
    return predicted


def _predictor(model: Predictor | str | Path) -> Predictor:
    return model if isinstance(model, Predictor) else Predictor.load(model)


def _predict_partition(
    frame: Any, folder: str, model: str, text: str, partition_info: dict[str, Any] | None = None
) -> Any:
    """What a worker does with a partition, whose number Dask passes as `partition_info`."""
    try:
        with _one_at_a_time:
            predictor = load_once(Path(folder), model)
    except BundleError as error:
        raise BundleError(f"worker on {socket.gethostname()}: {error}") from None
    try:
        return predictor.predict_frame(frame, text=text)
    except ValueError as error:
        number = "?" if partition_info is None else partition_info["number"]
        raise ValueError(f"partitions[{number}]: {error}") from None
