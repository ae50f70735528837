"""Frozen layers run once, not in every epoch: what follows them is trained on their features, which are kept."""

from cnnpipe.frozen_features.cut import best_cut
from cnnpipe.frozen_features.phase import PhaseData, phase_data

__all__ = ["PhaseData", "best_cut", "phase_data"]
