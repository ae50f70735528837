"""A chief in another process or on another host, asked by KerasTuner's service (gRPC)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from cnnpipe.errors import Problem, ProblemError
from cnnpipe.tuning.server import NOT_WANTED, TOTAL

CONNECT_SECONDS = 60.0
"""So long a worker waits for a chief that is not there yet."""
GONE_SECONDS = 15.0
"""So long it waits for one that was there."""
ANSWER_SECONDS = 600.0
"""Longest time for an answer: an algorithm may have to reject thousands of candidates before one fits."""


class Client:
    """Asks the chief at an address.

    Args:
        address: HOST:PORT.

    Raises:
        ProblemError: No chief answers there.
    """

    def __init__(self, address: str) -> None:
        import grpc
        from keras_tuner.src import protos

        channel = grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])
        self._address, self._channel, self._errors = address, channel, grpc.RpcError
        self._unavailable = grpc.StatusCode.UNAVAILABLE
        try:
            grpc.channel_ready_future(channel).result(timeout=CONNECT_SECONDS)
        except grpc.FutureTimeoutError:
            channel.close()
            hint = "Start it first: cnnpipe tune RECIPE --listen HOST:PORT"
            raise ProblemError(Problem(f"no chief answers at {address}", hint=hint)) from None
        self._stub = protos.get_service_grpc().OracleStub(channel)
        self._messages: Any = protos.get_service()

    def close(self) -> None:
        """End the connection."""
        self._channel.close()

    def create_trial(self, worker: str) -> Any:
        """Return a trial of KerasTuner; its status says whether there is one. Raises `ProblemError`: chief gone."""
        from keras_tuner.engine.trial import Trial

        answer = self._ask(self._stub.CreateTrial, self._messages.CreateTrialRequest(tuner_id=worker))
        return Trial.from_proto(answer.trial)

    def update_trial(self, number: str, done: int, total: int, values: Mapping[str, float]) -> bool:
        """Tell how far a trial is, and return whether it is still wanted: not by a chief that is gone."""
        from keras_tuner.engine.trial import Trial

        metrics = {**values, TOTAL: total}
        request = self._messages.UpdateTrialRequest(trial_id=number, metrics=metrics, step=done)
        try:
            answer = self._ask(self._stub.UpdateTrial, request)
        except ProblemError:
            return False
        return bool(Trial.from_proto(answer.trial).status != NOT_WANTED)

    def end_trial(self, trial: Any) -> None:
        """Tell what came out of a trial. Raises `ProblemError`: the chief is gone."""
        self._ask(self._stub.EndTrial, self._messages.EndTrialRequest(trial=trial.to_proto()))

    def _ask(self, question: Callable[..., Any], request: Any) -> Any:
        """Return the answer; ask again for a while where the connection broke, as each question may come twice."""
        until = time.monotonic() + GONE_SECONDS
        while True:
            try:
                return question(request, timeout=ANSWER_SECONDS)
            except self._errors as error:
                if error.code() is not self._unavailable or time.monotonic() > until:
                    hint = "Its own messages say why it ended. Start it again, then this command."
                    raise ProblemError(Problem(f"the chief at {self._address} is gone", hint=hint)) from None
            time.sleep(1)
