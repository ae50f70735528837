"""A chief that workers ask over the network, by KerasTuner's service (gRPC)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.tuning.chief import Chief

LOCAL = "127.0.0.1:0"
"""This host only, at a port that is free."""
THREADS = 8
POLL_SECONDS = 0.2
TOTAL = "tuner/total"
"""Name among the values of an update that is the number of all epochs."""
STILL_WANTED, NOT_WANTED = "RUNNING", "STOPPED"


class Server:
    """Answers workers.

    Args:
        chief: Knows the answers.
    """

    def __init__(self, chief: Chief) -> None:
        self._chief = chief
        self._failure: BaseException | None = None

    @contextmanager
    def listening(self, address: str) -> Iterator[str]:
        """Answer at HOST:PORT for the time of the block, and give the address with the true port.

        Raises:
            ProblemError: The address cannot be used.
        """
        import grpc
        from keras_tuner.src import protos

        server = grpc.server(futures.ThreadPoolExecutor(THREADS), options=[("grpc.so_reuseport", 0)])
        protos.get_service_grpc().add_OracleServicer_to_server(_servicer(self), server)
        try:
            port = server.add_insecure_port(address)
        except RuntimeError:
            port = 0
        if not port:
            hint = "Another process may listen there; choose another port, or 0 for any."
            raise ProblemError(Problem(f"cannot listen at {address}", hint=hint))
        server.start()
        try:
            yield f"{address.rpartition(':')[0]}:{port}"
        finally:
            server.stop(grace=1).wait()

    def wait(self, busy: Callable[[], bool]) -> None:
        """Wait until the search is over and `busy` says no; raise what went wrong meanwhile."""
        while busy() or not self._chief.over:
            if self._failure is not None:
                raise self._failure
            self._chief.give_up_silent()
            time.sleep(POLL_SECONDS)
        if self._failure is not None:
            raise self._failure

    def fail(self, error: BaseException) -> None:
        """End the search with an error."""
        self._failure = self._failure or error

    def create(self, request: Any, context: Any) -> Any:
        """Answer `CreateTrial`."""
        from keras_tuner.src import protos

        trial = self._answer(lambda: self._chief.create_trial(request.tuner_id))
        return protos.get_service().CreateTrialResponse(trial=trial.to_proto())

    def update(self, request: Any, context: Any) -> Any:
        """Answer `UpdateTrial`: the status of the trial says whether it is still wanted."""
        from keras_tuner.engine.hyperparameters import HyperParameters
        from keras_tuner.engine.trial import Trial
        from keras_tuner.src import protos

        values = dict(request.metrics)
        total = int(values.pop(TOTAL, 0))
        wanted = self._answer(lambda: self._chief.update_trial(request.trial_id, request.step, total, values))
        trial = Trial(HyperParameters(), request.trial_id, STILL_WANTED if wanted else NOT_WANTED)
        return protos.get_service().UpdateTrialResponse(trial=trial.to_proto())

    def end(self, request: Any, context: Any) -> Any:
        """Answer `EndTrial`."""
        from keras_tuner.engine.trial import Trial
        from keras_tuner.src import protos

        self._answer(lambda: self._chief.end_trial(Trial.from_proto(request.trial)))
        return protos.get_service().EndTrialResponse()

    def _answer(self, answer: Callable[[], Any]) -> Any:
        """Return an answer. What goes wrong ends the search, as KerasTuner's oracle then answers nothing any more."""
        if self._failure is not None:
            raise RuntimeError("the search ended with an error")
        try:
            return answer()
        except BaseException as error:
            self.fail(error)
            raise


def _servicer(server: Server) -> Any:
    """Return what gRPC calls for each question. Questions that workers do not ask stay unanswered."""
    from keras_tuner.src import protos

    base: Any = protos.get_service_grpc().OracleServicer
    answers = {"CreateTrial": server.create, "UpdateTrial": server.update, "EndTrial": server.end}
    return type("Servicer", (base,), {name: staticmethod(answer) for name, answer in answers.items()})()
