"""How long the search for near copies takes, and that time grows much slower than the number of pairs.

python tests/benchmarks/near_copies.py
"""

from __future__ import annotations

import time

import numpy as np
from PIL import Image

from cnnpipe.diagnosis._near import near_pairs
from cnnpipe.examination.pictures import THUMBNAIL

COUNTS = (12_500, 25_000, 50_000)
COPIES = 100


def thumbnails(count: int) -> list[bytes]:
    """Return pictures of few slow waves, as photos are, and at the end copies of the first ones with some noise."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(count - COPIES):
        small = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        large = Image.fromarray(small).resize(THUMBNAIL[1::-1], Image.Resampling.BICUBIC)
        found.append(np.asarray(large).astype(float))
    copies = [picture + random.normal(0, 2, THUMBNAIL) for picture in found[:COPIES]]
    return [np.clip(picture, 0, 255).astype(np.uint8).tobytes() for picture in (*found, *copies)]


def main() -> None:
    """Print processor seconds for each number of pictures, and how many planted copies were found."""
    everything = thumbnails(max(COUNTS))
    for count in COUNTS:
        chosen = everything[: count - COPIES] + everything[-COPIES:]
        start = time.process_time()
        pairs, _ = near_pairs(chosen)
        seconds = time.process_time() - start
        planted = sum(second - first == count - COPIES for first, second in pairs.tolist())
        print(
            f"{count:>7,} pictures  {seconds:6.2f} s  {planted} of {COPIES} copies, {len(pairs) - planted} other pairs"
        )


if __name__ == "__main__":
    main()
