"""Twenty kills at random moments, some inside the writing of a checkpoint: the weights are those of no kill at all.

python -m pytest tests/stress/test_many_kills.py -s
"""

import random
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "end_to_end"))
from test_killed_training import RECIPE, history, train

KILLS, STEPS, WRITES, EPOCHS = 20, 65, 5, 5


def test_twenty_kills(tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    (whole / "small.yaml").write_text(RECIPE)
    reference = train(whole, "start")
    assert reference.returncode == 0, reference.stderr
    chance, kills, attempt = random.Random(0), 0, 0
    counts = {"step": 0, "write": 0, "history": 0}
    while kills < KILLS:
        attempt += 1
        folder = tmp_path / f"killed{attempt}"
        folder.mkdir()
        (folder / "small.yaml").write_text(RECIPE)
        begin = "start"
        for _ in range(4):
            moment = chance.choice(sorted(counts))
            number = chance.randint(1, {"step": STEPS, "write": WRITES, "history": EPOCHS}[moment])
            code = train(folder, begin, moment, number).returncode
            begin = "resume" if (folder / "runs").exists() else "start"
            if code == 0:
                break
            assert code == -signal.SIGKILL
            kills, counts[moment] = kills + 1, counts[moment] + 1
        if code != 0:
            last = train(folder, "resume")
            assert last.returncode == 0, last.stderr
            assert last.stdout == reference.stdout
        assert history(folder) == history(whole)
        print(f"{kills} kills: {counts}", flush=True)
