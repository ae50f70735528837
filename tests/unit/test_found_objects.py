"""What tasks that find objects share: which of many candidates are given."""

from __future__ import annotations

import numpy as np

from cnnpipe.heads._detection import Candidates
from cnnpipe.objects import kept


def test_each_of_hundreds_of_objects_is_given_however_many_candidates_stand_for_it():
    count, times = 300, 8
    corners = np.stack(np.meshgrid(np.arange(20), np.arange(15)), -1).reshape(-1, 2) * 12.0
    boxes = np.concatenate([corners, corners + 10], 1).astype(np.float32)
    scores = np.linspace(0.9, 0.1, count)
    found = Candidates(np.repeat(boxes, times, 0), np.zeros(count * times, int), np.repeat(scores, times))
    rows = kept(found, "per_class", 0.6, count)
    np.testing.assert_array_equal(found.boxes[rows], boxes)
    assert len(kept(found, "per_class", 0.6, 20)) == 20
