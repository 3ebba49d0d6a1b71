"""A hundred thousand passages: bounded memory, and every number there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, re
from pathlib import Path
import numpy as np
from classify.codebook import Codebook, Label, Task, TaskKind
from classify.data.annotations import LabelledPassage
from classify.data.dataset import make_dataset
from classify.evaluation.evaluate import evaluate

rng = np.random.default_rng(0)
task = Task("topic", TaskKind.MULTILABEL, (Label("sea", terms=("ship",)),))
words = np.array(["ship", *(f"word{n}" for n in range(200))])
passages = []
for number, drawn in enumerate(rng.integers(0, 201, (100_000, 8))):
    labels = {"topic": frozenset(["sea"] if (drawn < 3).any() else [])}
    facts = {"part": "old" if number % 10 else "new"}
    document, event = f"d{number // 2}", f"e{number // 2 // 5}-{facts['part']}"
    passages.append(LabelledPassage(f"p{number}", " ".join(words[drawn]), f"p{number}", event, labels, {}, facts))
result = evaluate(make_dataset(passages, Codebook("large", (task,))), holdout=("part", "new"))["topic"]
f1 = result.headline["macro_f1"]
status = Path("/proc/self/status").read_text()  # ru_maxrss would start from the peak of the process it was split off
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) / 1024
print(json.dumps({"n": result.n_passages, "events": result.n_events, "f1": f1.to_dict(), "mib": peak}))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")
def test_a_hundred_thousand_passages_stay_within_a_gibibyte() -> None:
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    found = json.loads(run.stdout)
    assert found["n"] == 10_000
    assert found["events"] == 10_000
    assert found["f1"]["low"] > 0.95
    assert found["mib"] < 1024
