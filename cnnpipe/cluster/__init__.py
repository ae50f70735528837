"""Processes that train one network together: who they are, what they tell each other, and when one is gone.

Gradients travel by TensorFlow's collective operations. All else (who takes part, the state to begin with, values and
wishes of every call) travels over one plain connection between the chief and each other worker. That also tells at
once when a process is gone: a collective operation would wait for it for ever.
"""

from cnnpipe.cluster.alone import ALONE, Cluster
from cnnpipe.cluster.gathering import LOCAL, Door, join
from cnnpipe.cluster.together import Together, WorkerLost

__all__ = ["ALONE", "LOCAL", "Cluster", "Door", "Together", "WorkerLost", "join"]
