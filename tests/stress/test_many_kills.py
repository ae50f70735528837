"""Twenty kills at random moments, half of them inside the writing of a checkpoint: the weights are those of no kill.

python -m pytest tests/stress/test_many_kills.py -s
"""

import signal
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "end_to_end"))
from test_killed_training import chance_of_kills, kill_point, trainer

KINDS = {"step": 4, "history": 2, "part": 5, "replace": 5, "delay": 4}
KILLS_OF_A_RUN = 4


def test_twenty_kills(tmp_path):
    chance = chance_of_kills()
    kinds = [kind for kind, count in KINDS.items() for _ in range(count)]
    chance.shuffle(kinds)
    counts, runs = Counter(), 0
    with trainer(tmp_path) as at:
        reference = at.train("whole")
        assert reference["code"] == 0, reference["printed"]
        seconds = at.record("whole")["training_seconds"]
        while kinds:
            runs += 1
            name = f"killed{runs}"
            epochs = 0
            for left in range(min(KILLS_OF_A_RUN, len(kinds)), 0, -1):
                kind = kinds.pop()
                if kind == "delay":
                    job = {"delay": chance.uniform(0, seconds * min(1, 2 / left))}
                else:
                    job = kill_point(chance, kind, epochs, left)
                answer = at.train(name, **job)
                if kind == "delay" and answer["code"] == 0:  # it was faster: another time
                    kinds.insert(0, kind)
                    break
                assert answer["code"] == -signal.SIGKILL, answer["printed"]
                counts[kind] += 1
                epochs = at.progress(name).epochs
                print(f"{job}: goes on after epoch {epochs}", flush=True)
            last = at.train(name)
            assert last["code"] == 0, last["printed"]
            assert last["weights"] == reference["weights"]
            assert at.history(name) == at.history("whole")
            print(f"{counts.total()} kills of {runs} runs: {dict(counts)}", flush=True)
    assert counts == KINDS
