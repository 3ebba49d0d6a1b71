"""Jobs: results in order, progress up to the total, and the same results in processes."""

import os
from functools import partial

import numpy as np
import pytest
from joblib import parallel_config

from classify.data.dataset import Dataset
from classify.evaluation import work
from classify.evaluation.evaluate import evaluate
from classify.evaluation.results import Evaluation
from classify.evaluation.work import Job, run_jobs

Steps = list[tuple[float, float]]


def squares(n_jobs: int) -> list[Job[int]]:
    return [Job(partial(pow, n, 2), float(n)) for n in range(n_jobs)]


def process_id(_: int) -> int:
    return os.getpid()


def broken(_: int) -> int:
    raise KeyError("broken")


def test_results_stand_in_the_order_of_jobs() -> None:
    assert [0, 1, 4, 9, 16] == run_jobs(squares(5), lambda done, total: None)


def test_progress_sums_to_the_total_one_step_a_job() -> None:
    steps: Steps = []
    run_jobs(squares(5), lambda done, total: steps.append((done, total)))
    assert [(0, 10), (1, 10), (3, 10), (6, 10), (10, 10)] == steps


def test_no_jobs_give_no_results_and_no_step() -> None:
    steps: Steps = []
    assert [] == run_jobs([], lambda done, total: steps.append((done, total)))
    assert [] == steps


def test_a_job_that_costs_nothing_is_done_as_well() -> None:
    steps: Steps = []
    assert [7] == run_jobs([Job(partial(int, "7"), 0.0)], lambda done, total: steps.append((done, total)))
    assert [(0, 0)] == steps


@pytest.mark.parametrize("pays_from", [0.0, 1e9])
def test_results_and_steps_are_the_same_serially_and_in_processes(
    pays_from: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "PAYS_FROM", pays_from)
    steps: Steps = []
    assert [n * n for n in range(20)] == run_jobs(squares(20), lambda done, total: steps.append((done, total)))
    assert [sum(range(n + 1)) for n in range(20)] == [done for done, _ in steps]


@pytest.mark.parametrize("pays_from", [0.0, 1e9])
def test_an_error_in_a_job_is_the_error_of_the_run(pays_from: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "PAYS_FROM", pays_from)
    with pytest.raises(KeyError, match="broken"):
        run_jobs([*squares(2), Job(partial(broken, 0), 1.0)], lambda done, total: None)


def test_small_work_stays_in_this_process() -> None:
    assert [os.getpid()] * 3 == run_jobs([Job(partial(process_id, 0), 1.0)] * 3, lambda done, total: None)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_joblib_says_how_many_processes_there_are(n_jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "PAYS_FROM", 0.0)
    with parallel_config(n_jobs=n_jobs):
        found = run_jobs([Job(partial(process_id, 0), 1.0)] * 4, lambda done, total: None)
    assert n_jobs >= len(set(found))
    assert (n_jobs == 1) == (os.getpid() in found)


def test_an_evaluation_is_the_same_serially_and_in_processes(
    toy_dataset: Dataset, toy_evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "PAYS_FROM", 0.0)
    shared = evaluate(toy_dataset)
    assert toy_evaluation.to_dict() == shared.to_dict()
    assert toy_evaluation["theme"].mistakes == shared["theme"].mistakes
    for name, result in toy_evaluation.tasks.items():
        for system, held in result.held_out.items():
            np.testing.assert_array_equal(held.scores, shared[name].held_out[system].scores)


@pytest.mark.usefixtures("no_curves")
def test_an_evaluation_tells_of_its_steps_up_to_the_end(toy_dataset: Dataset) -> None:
    steps: Steps = []
    evaluate(toy_dataset, on_step=lambda done, total: steps.append((done, total)))
    done, totals = zip(*steps, strict=True)
    assert list(done) == sorted(done)
    assert 1 == len(set(totals))
    assert pytest.approx(totals[0]) == done[-1]
