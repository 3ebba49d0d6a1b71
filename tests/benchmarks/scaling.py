"""Dask on two processes beside one process, and what small partitions cost.

    python tests/benchmarks/scaling.py BUNDLE [N_PASSAGES] [N_ROUNDS]

N_PASSAGES (1,000,000) are this project's own labelled passages over and over, made where they are predicted; of the
predictions only their number comes back. Each of N_ROUNDS (3) runs every side once; printed is each run's wall time,
the CPU time of all processes that predict, and at the end the medians.
"""

import statistics
import sys
import time
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import dask
import dask.dataframe as dd
import pandas as pd
from distributed import Client, LocalCluster

from classify.codebook import load_codebook
from classify.data.dataset import load_labels
from classify.distributed import predict_frame
from classify.predictor import Predictor

ROOT = Path(__file__).parent.parent.parent
PARTITIONS = (1_000, 10_000, 100_000)


@cache
def labelled() -> pd.Series:
    texts = load_labels(ROOT / "labels", load_codebook(ROOT / "labels" / "codebook.toml")).texts
    return pd.Series(texts, dtype="string[pyarrow]")


def passages(start: int, n: int) -> pd.DataFrame:
    """Passages number `start` to `start + n`, the labelled ones over and over."""
    numbers = pd.RangeIndex(start, start + n)
    return pd.DataFrame({"text": labelled().take(numbers % len(labelled())).array}, index=numbers)


def one_process(predictor: Predictor, n: int) -> tuple[float, float]:
    frame = passages(0, n)
    wall, cpu = time.perf_counter(), time.process_time()
    assert len(predictor.predict_frame(frame)) == n
    return time.perf_counter() - wall, time.process_time() - cpu


def two_processes(client: Client, predictor: Predictor, n: int, rows: int) -> tuple[float, float]:
    starts = range(0, n, rows)
    ddf = dd.from_map(passages, starts, [min(rows, n - start) for start in starts], meta=passages(0, 0))
    counts: Any = predict_frame(ddf, predictor).map_partitions(len, meta=(None, "int64"))
    wall, cpu = time.perf_counter(), sum(client.run(time.process_time).values())
    assert counts.sum().compute(scheduler=client) == n
    return time.perf_counter() - wall, sum(client.run(time.process_time).values()) - cpu


def main() -> None:
    predictor = Predictor.load(sys.argv[1])
    n, n_rounds = (int(given) for given in (sys.argv[2:] + ["1000000", "3"][len(sys.argv) - 2 :]))
    found = defaultdict(list)
    with (
        dask.config.set({"logging.distributed": "error"}),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        two_processes(client, predictor, 4_000, 1_000)  # every worker loads the model and meets the words
        predictor.predict_frame(passages(0, 4_000))
        for _ in range(n_rounds):
            found["one process"].append(one_process(predictor, n))
            for rows in PARTITIONS:
                found[f"two, {rows:,} rows a partition"].append(two_processes(client, predictor, n, rows))
            for side, runs in found.items():
                print(f"{side:34s} wall {runs[-1][0]:7.1f} s   CPU {runs[-1][1]:7.1f} s", flush=True)
    print(f"medians of {n_rounds}, {n:,} passages")
    first = statistics.median(wall for wall, _ in found["one process"])
    for side, runs in found.items():
        wall, cpu = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"{side:34s} wall {wall:7.1f} s   CPU {cpu:7.1f} s   x{first / wall:.2f}")


if __name__ == "__main__":
    main()
