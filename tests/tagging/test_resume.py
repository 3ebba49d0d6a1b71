"""A run that was broken off at any moment ends with the bytes of one that wasn't, or is refused."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classify.errors import OutputError, UsageError
from classify.predictor import Predictor
from classify.tagging.resume import ledger_of, part_of
from classify.tagging.rows import Options
from classify.tagging.run import Outcome, tag_files

OUT = Path("out.jsonl")
CSV = Options("csv", keeps_faults=True)


def interrupt_after(n_rows: int) -> Callable[[int, int, int], None]:
    def on_progress(n_done: int, n_read: int, n_bytes: int) -> None:
        if n_done >= n_rows:
            raise KeyboardInterrupt

    return on_progress


def interrupted(many: Path, predictor: Predictor, out: Path = OUT, options: Options = Options("jsonl")) -> None:  # noqa: B008
    """Leave a part of some blocks."""
    with pytest.raises(KeyboardInterrupt):
        tag_files([many.name], predictor, options, out, on_progress=interrupt_after(200))


def resumed(many: Path, predictor: Predictor, out: Path = OUT, options: Options = Options("jsonl")) -> Outcome:  # noqa: B008
    return tag_files([many.name], predictor, options, out, resume=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(cut_part=st.floats(0, 1), cut_ledger=st.floats(0, 1))
def test_a_part_cut_anywhere_is_gone_on_with(
    many: Path, toy_predictor: Predictor, cut_part: float, cut_ledger: float
) -> None:
    out = Path("out.csv")
    tag_files([many.name], toy_predictor, CSV, out)
    whole = out.read_bytes()
    out.unlink()
    interrupted(many, toy_predictor, out, CSV)
    for path, share in ((part_of(out), cut_part), (ledger_of(out), cut_ledger)):
        os.truncate(path, round(share * path.stat().st_size))
    assert 480 == resumed(many, toy_predictor, out, CSV).n_rows
    assert whole == out.read_bytes()
    assert not part_of(out).exists()
    assert not ledger_of(out).exists()


def test_only_the_rest_is_tagged(many: Path, toy_predictor: Predictor) -> None:
    interrupted(many, toy_predictor)
    n_before = part_of(OUT).read_bytes().count(b"\n")
    seen: list[int] = []
    tag_files([many.name], toy_predictor, Options("jsonl"), OUT, resume=True, on_progress=lambda n, *_: seen.append(n))
    assert 200 <= n_before < seen[0] <= seen[-1] == 480


def test_faults_of_the_earlier_part_are_counted(many: Path, toy_predictor: Predictor) -> None:
    many.write_text('{"text": 1}\n' + '{"text": "The navy said."}\n' * 300)
    options = Options("jsonl", keeps_faults=True)
    interrupted(many, toy_predictor, OUT, options)
    found = resumed(many, toy_predictor, OUT, options)
    assert (301, 1) == (found.n_rows, found.n_faults)


def change_input(many: Path) -> Options:
    many.write_bytes(many.read_bytes() + b'{"text": "one more"}\n')
    return Options("jsonl")


def ask_otherwise(many: Path) -> Options:
    return Options("jsonl", keeps_faults=True)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (change_input, "out.jsonl.part: many.jsonl has changed since it was begun; put that back, or start anew"),
        (ask_otherwise, "out.jsonl.part: begun with other options; put that back, or start anew without --resume"),
    ],
)
def test_whatever_differs_is_refused(
    change: Callable[[Path], Options], expected: str, many: Path, toy_predictor: Predictor
) -> None:
    interrupted(many, toy_predictor)
    before = part_of(OUT).read_bytes()
    with pytest.raises(UsageError) as caught:
        resumed(many, toy_predictor, OUT, change(many))
    assert str(caught.value).startswith(expected)
    assert before == part_of(OUT).read_bytes()


def test_other_inputs_and_another_bundle_are_refused(many: Path, toy_predictor: Predictor) -> None:
    interrupted(many, toy_predictor)
    with pytest.raises(UsageError, match="begun with other inputs"):
        tag_files([many.name, many.name], toy_predictor, Options("jsonl"), OUT, resume=True)
    ledger = ledger_of(OUT)
    ledger.write_bytes(ledger.read_bytes().replace(toy_predictor.model.encode(), b"abc", 1))
    with pytest.raises(UsageError, match="begun with bundle abc, this is"):
        resumed(many, toy_predictor)


def test_without_resume_an_old_part_is_begun_anew(many: Path, toy_predictor: Predictor) -> None:
    interrupted(many, toy_predictor)
    many.write_text('{"text": "The navy said."}\n')
    tag_files([many.name], toy_predictor, Options("jsonl"), OUT)
    assert 1 == OUT.read_bytes().count(b"\n")
    assert not part_of(OUT).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
@pytest.mark.parametrize("resume", [True, False])
def test_two_runs_do_not_write_one_file(resume: bool, many: Path, toy_predictor: Predictor) -> None:
    said = []

    def start_another(n_done: int, n_read: int, n_bytes: int) -> None:
        with pytest.raises(OutputError) as caught:
            tag_files([many.name], toy_predictor, Options("jsonl"), OUT, resume=resume)
        said.append(str(caught.value))

    tag_files([many.name], toy_predictor, Options("jsonl"), OUT, on_progress=start_another)
    assert {"out.jsonl: another run is writing it; wait for that, or name another file with --out"} == set(said)
    assert 480 == OUT.read_bytes().count(b"\n")
    assert ["many.jsonl", "out.jsonl"] == sorted(os.listdir())


def test_where_there_is_nothing_to_resume_a_run_begins(many: Path, toy_predictor: Predictor) -> None:
    assert 480 == resumed(many, toy_predictor).n_rows


@pytest.mark.parametrize("out", [None, Path("out.jsonl.gz")])
def test_outputs_that_cannot_be_resumed_are_refused(out: Path | None, many: Path, toy_predictor: Predictor) -> None:
    with pytest.raises(UsageError, match=r"--resume goes on with a \.jsonl or \.csv; name one"):
        tag_files([many.name], toy_predictor, Options("jsonl"), out, resume=True)


def processes_of(pid: int) -> list[int]:
    """Those that a process has begun, and those that they have."""
    children = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return [one for child in children for one in (child, *processes_of(child))]


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until, "nothing came of it in a minute"
        time.sleep(0.002)


def is_alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and ") Z " not in state.read_text()


def broken_off(sent: signal.Signals, model: Path, n_blocks: int, *options: str) -> tuple[int, str]:
    """Send a signal to a process as soon as it has written some blocks; its exit code, and what it said."""
    command = [sys.executable, "-m", "classify", "predict", "many.jsonl", "--jobs", "2", "--out", str(OUT)]
    process = subprocess.Popen([*command, "--model", str(model), *options], stderr=subprocess.PIPE, text=True)
    wait_until(lambda: ledger_of(OUT).exists() and ledger_of(OUT).read_bytes().count(b"\n[") >= n_blocks)
    others = processes_of(process.pid)
    assert len(others) > 2
    process.send_signal(sent)
    _, said = process.communicate()
    wait_until(lambda: not any(map(is_alive, others)))
    return process.returncode, said


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are found in /proc")
def test_a_process_that_is_killed_or_interrupted_leaves_no_worker_and_can_be_resumed(
    here: Path, toy_predictor: Predictor
) -> None:
    many, model = here / "many.jsonl", toy_predictor.folder
    assert model is not None
    many.write_text('{"text": "The navy said two ships left the harbour."}\n' * 80_000)
    code, said = broken_off(signal.SIGKILL, model, 5)
    assert -signal.SIGKILL == code
    assert "Traceback" not in said
    code, said = broken_off(signal.SIGINT, model, 15, "--resume")
    assert 130 == code
    assert "warning: out.jsonl.part holds what was tagged so far; go on with --resume\ninterrupted\n" == said
    assert 15 * 2000 <= part_of(OUT).read_bytes().count(b"\n") < 80_000
    assert 80_000 == resumed(many, toy_predictor).n_rows
    lines = OUT.read_bytes().splitlines()
    assert (80_000, 1) == (len(lines), len(set(lines)))
