"""Dask and Spark: what a worker predicts is what one process predicts, whatever happens to workers and bundles."""

import os
import pickle
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cloudpickle
import dask
import dask.dataframe as dd
import pandas as pd
import pytest
from distributed import Client, LocalCluster

from classify.bundle import Bundle
from classify.distributed import predict_frame, predict_frames, spark_schema
from classify.errors import BundleError
from classify.predictor import Predictor, flat_columns, load_once
from tests.conftest import needs_tool, toy_rows

N_PARTITIONS = 8


def saved(bundle: Bundle, folder: Path) -> Path:
    bundle.save(folder)
    return folder


@pytest.fixture(scope="module")
def folder(toy_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(toy_bundle, tmp_path_factory.mktemp("toy") / "bundle")


@pytest.fixture(scope="module")
def predictor(folder: Path) -> Predictor:
    return Predictor.load(folder)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Client]:
    """Two worker processes of one thread each, whose logs stay silent."""
    with (
        dask.config.set({"logging.distributed": "critical"}),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as workers,
        Client(workers, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def frame() -> pd.DataFrame:
    """The toy passages under an index of their own, as Dask holds text."""
    texts = pd.array([str(row["text"]) for row in toy_rows()], dtype="string[pyarrow]")
    index = pd.Index([f"id{n:02d}" for n in range(len(texts))], dtype="string[pyarrow]", name="id")
    return pd.DataFrame({"text": texts, "n": range(len(texts))}, index=index)


@pytest.fixture
def ddf(frame: pd.DataFrame) -> Any:
    return dd.from_pandas(frame, npartitions=N_PARTITIONS)


# ---- Dask: what comes back


def test_two_processes_give_the_frame_that_one_gives_and_load_the_model_once_each(
    cluster: Client, predictor: Predictor, frame: pd.DataFrame, ddf: Any
) -> None:
    found = predict_frame(ddf, predictor).compute(scheduler=cluster)
    pd.testing.assert_frame_equal(predictor.predict_frame(frame), found)
    of_workers = list(cluster.run(load_once.cache_info).values())
    assert [1, 1] == [worker.misses for worker in of_workers]
    assert N_PARTITIONS == sum(worker.hits + worker.misses for worker in of_workers)


def test_types_index_divisions_and_partitions_are_known_beforehand(ddf: Any, folder: Path) -> None:
    tagged = predict_frame(ddf, str(folder))
    parts = dask.compute(*tagged.partitions, scheduler="sync")
    assert N_PARTITIONS == tagged.npartitions == len(parts)
    assert ddf.divisions == tagged.divisions
    assert ddf.index.name == tagged.index.name
    assert all(tagged.dtypes.equals(part.dtypes) for part in parts)


def fail_to_read(part: int) -> pd.DataFrame:
    raise AssertionError(f"partition {part} was read")


def test_nothing_is_read_before_dask_is_asked(folder: Path) -> None:
    unread = dd.from_map(fail_to_read, range(3), meta=pd.DataFrame({"text": pd.Series(dtype="string[pyarrow]")}))
    tagged = predict_frame(unread, folder)
    with pytest.raises(AssertionError, match="partition 0 was read"):
        tagged.partitions[0].compute(scheduler="sync")


def test_the_folder_s_name_travels_and_not_the_model(toy_bundle: Bundle, predictor: Predictor) -> None:
    unread = dd.from_map(fail_to_read, range(3), meta=pd.DataFrame({"text": pd.Series(dtype="string[pyarrow]")}))
    sent = cloudpickle.dumps(dict(predict_frame(unread, predictor).optimize().dask))
    assert str(predictor.folder).encode() in sent
    assert len(sent) < 10_000 < len(pickle.dumps(toy_bundle))


def test_a_column_of_another_name_is_named(ddf: Any, predictor: Predictor, frame: pd.DataFrame) -> None:
    expected = predictor.predict_frame(frame)["predicted:theme"]
    tagged = predict_frame(ddf.rename(columns={"text": "passage"}), predictor, text="passage")
    assert expected.tolist() == tagged["predicted:theme"].compute(scheduler="sync").tolist()


def test_partitions_without_rows_get_the_same_columns_and_types(ddf: Any, predictor: Predictor) -> None:
    tagged = predict_frame(ddf[ddf["n"] >= 20], predictor)
    parts = dask.compute(*tagged.partitions, scheduler="sync")
    assert 0 == len(parts[0]) < len(parts[-1])
    assert parts[-1].dtypes.equals(parts[0].dtypes)
    assert 4 == sum(map(len, parts))


def test_threads_that_start_together_load_the_model_once(ddf: Any, folder: Path) -> None:
    load_once.cache_clear()
    predict_frame(ddf, folder).compute(scheduler="threads", num_workers=4)
    assert 1 == load_once.cache_info().misses


# ---- Dask: when something is wrong


def kill_worker_once(frame: pd.DataFrame, marker: Path, partition_info: dict[str, Any] | None = None) -> pd.DataFrame:
    """The partition, but the first time that number 5 is asked for, its worker dies with all it has done so far."""
    if partition_info is not None and partition_info["number"] == 5 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return frame


def test_a_worker_killed_in_mid_run_costs_no_row(
    cluster: Client, predictor: Predictor, frame: pd.DataFrame, ddf: Any, tmp_path: Path
) -> None:
    before = set(cluster.run(os.getpid).values())
    marker = tmp_path / "killed"
    tagged = predict_frame(ddf.map_partitions(kill_worker_once, marker, meta=ddf._meta), predictor)
    found = tagged.compute(scheduler=cluster)
    assert marker.exists()
    assert 1 == len(before & set(cluster.run(os.getpid).values()))
    pd.testing.assert_frame_equal(predictor.predict_frame(frame), found)


def test_a_bundle_that_changed_since_is_refused_by_the_worker(
    cluster: Client, toy_bundle: Bundle, ddf: Any, tmp_path: Path
) -> None:
    tagged = predict_frame(ddf, saved(toy_bundle, tmp_path / "bundle"))
    later = replace(toy_bundle, seed=1, read_as=None)
    later.save(tmp_path / "bundle")
    message = f"worker on .+: .+bundle: now holds bundle {later.id}, no longer {toy_bundle.id}; load the predictor"
    with pytest.raises(BundleError, match=message):
        tagged.compute(scheduler=cluster)


def test_a_worker_without_the_bundle_says_which_and_where(
    cluster: Client, toy_bundle: Bundle, ddf: Any, tmp_path: Path
) -> None:
    tagged = predict_frame(ddf, saved(toy_bundle, tmp_path / "bundle"))
    shutil.rmtree(tmp_path / "bundle")
    with pytest.raises(BundleError, match=r"worker on .+: .+bundle: no bundle here"):
        tagged.compute(scheduler=cluster)


def test_a_missing_text_is_an_error_that_names_partition_and_column(frame: pd.DataFrame, predictor: Predictor) -> None:
    frame.iloc[4, 0] = None
    tagged = predict_frame(dd.from_pandas(frame, npartitions=N_PARTITIONS), predictor)
    with pytest.raises(ValueError, match=r"partitions\[1\]: column 'text' holds no text in 1 row, first row 1"):
        tagged.compute(scheduler="sync")


def test_a_missing_column_is_an_error_at_once(ddf: Any, predictor: Predictor) -> None:
    with pytest.raises(ValueError, match="no column 'passage'; the table has text, n"):
        predict_frame(ddf, predictor, text="passage")


def test_a_folder_without_a_bundle_is_an_error_at_once(ddf: Any, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no bundle here"):
        predict_frame(ddf, tmp_path)


def test_a_predictor_made_in_memory_is_refused(ddf: Any, toy_bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="found a Predictor made in memory; expected a bundle's folder"):
        predict_frame(ddf, Predictor(toy_bundle))


@pytest.mark.parametrize(("wrong", "found"), [(pd.DataFrame({"text": ["a"]}), "DataFrame"), (["a"], "builtins.list")])
def test_anything_but_a_dask_table_is_a_type_error(wrong: Any, found: str, predictor: Predictor) -> None:
    with pytest.raises(
        TypeError, match=rf"ddf: found .*{found}; expected a Dask DataFrame.+use Predictor.predict_frame"
    ):
        predict_frame(wrong, predictor)


# ---- streams of frames, and Spark


def test_a_stream_of_frames_is_predicted_while_it_comes(frame: pd.DataFrame, predictor: Predictor) -> None:
    taken: list[int] = []
    parts = (frame[start : start + 6] for start in range(0, len(frame), 6) if not taken.append(start))  # type: ignore[func-returns-value]
    stream = predict_frames(parts, predictor)
    first = next(stream)
    assert [0] == taken
    pd.testing.assert_frame_equal(predictor.predict_frame(frame), pd.concat([first, *stream]))


def test_a_folder_does_for_a_stream_too(frame: pd.DataFrame, predictor: Predictor, folder: Path) -> None:
    (found,) = predict_frames([frame], folder)
    pd.testing.assert_frame_equal(predictor.predict_frame(frame), found)


@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")  # what we use, it does
def test_spark_gives_the_rows_that_one_process_gives(
    predictor: Predictor, toy_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_tool("PySpark with Java", find_spec("pyspark") and shutil.which("java"), promise="CLASSIFY_SPARK_PROMISED")
    from pyspark.errors import PythonException
    from pyspark.sql import SparkSession

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    with builder.config("spark.log.level", "FATAL").getOrCreate() as spark:
        rows = [{"n": n, "text": row["text"], "odd name": None if n % 3 else n} for n, row in enumerate(toy_rows())]
        passages = spark.createDataFrame(rows, "n int not null, text string, `odd name` bigint")
        tag = partial(predict_frames, model=predictor)
        tagged = passages.mapInPandas(tag, spark_schema(passages.schema, predictor))
        assert [*passages.dtypes, *((name, of_column(name)) for name in predictor.columns)] == tagged.dtypes
        expected = [row | flat_columns(predictor.predict(str(row["text"]))) for row in rows]
        assert expected == [row.asDict() for row in tagged.sort("n").collect()]
        assert tagged.schema == spark_schema(tagged.schema, predictor)  # a second prediction replaces the first
        gone = partial(predict_frames, model=Predictor.load(saved(toy_bundle, tmp_path / "bundle")))
        shutil.rmtree(tmp_path / "bundle")
        with pytest.raises(PythonException, match="bundle: no bundle here"):
            passages.mapInPandas(gone, spark_schema(passages.schema, predictor)).collect()
        with pytest.raises(ValueError, match="model: predictions would be written under this name"):
            spark_schema(passages.withColumnRenamed("odd name", "model").schema, predictor)


def of_column(name: str) -> str:
    return "double" if name.startswith("p:") else "string"
