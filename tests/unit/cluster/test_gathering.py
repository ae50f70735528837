"""Workers that find each other, tell each other things, and notice at once when one is gone. Without TensorFlow."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cnnpipe.cluster import LOCAL, Door, Together, WorkerLost, join
from cnnpipe.errors import ProblemError
from cnnpipe.training.sharing import check_weights, shared_values, wishes

SECONDS = 30
Work = Callable[[Together], Any]


class Variable:
    """What is used of a variable of Keras."""

    def __init__(self, value: Any) -> None:
        self.value, self.dtype = np.array(value, "float32"), "float32"

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.value.astype(dtype or "float32")

    def assign(self, value: Any) -> None:
        self.value = value


def together(size: int, work: Work, before: Callable[[str], None] = lambda address: None) -> list[Any]:
    """Return what each worker's work comes to, an exception where it raised one; each worker is a thread."""

    def member(address: str) -> tuple[int, Any]:
        cluster, greeting = join(address)
        assert (greeting["index"], greeting["size"], greeting["word"]) == (cluster.index, size, "hello")
        assert len(greeting["addresses"]) == size
        with closing(cluster):
            return cluster.index, outcome(work, cluster)

    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(size))
        door = stack.enter_context(Door.open(LOCAL))
        before(door.address)
        members: list[Future[tuple[int, Any]]] = [pool.submit(member, door.address) for _ in range(size - 1)]
        cluster, _ = door.gather(size, {"word": "hello"}, lambda: None, lambda worker: "")
        with closing(cluster):
            found = {0: outcome(work, cluster)}
        found |= dict(one.result(SECONDS) for one in members)
    return [found[index] for index in range(size)]


def outcome(work: Work, cluster: Together) -> Any:
    try:
        return work(cluster)
    except Exception as error:
        return error


def test_everyone_gets_what_everyone_gave() -> None:
    def work(cluster: Together) -> Any:
        arrays = [np.full((2, cluster.index), cluster.index, "float32"), np.array(7, "int64")]
        return [
            (value, [(a.tolist(), str(a.dtype)) for a in found])
            for value, found in cluster.gather("x", {"i": cluster.index}, arrays)
        ]

    first, *others = together(3, work)
    assert [value for value, _ in first] == [{"i": 0}, {"i": 1}, {"i": 2}]
    assert first[2][1] == [([[2.0, 2.0], [2.0, 2.0]], "float32"), (7, "int64")]
    assert others == [first, first]


def test_a_wish_of_one_is_a_wish_of_all() -> None:
    found = together(3, lambda cluster: wishes(cluster, cluster.index == 2, False, cluster.chief))
    assert found == [(True, False, True)] * 3


def test_metrics_are_those_of_all_examples() -> None:
    def work(cluster: Together) -> Any:
        total, count = Variable([3.0, 1.0][cluster.index]), Variable([4.0, 2.0][cluster.index])
        part: Any = SimpleNamespace(
            metrics_variables=[total, count], get_metrics_result=lambda: {"share": total.value / count.value}
        )
        return shared_values(cluster, part, {"share": total.value / count.value, "own": 1.0 + cluster.index})

    assert together(2, work) == [{"share": pytest.approx(4 / 6), "own": 1.5}] * 2


def test_weights_that_differ_are_refused_by_all() -> None:
    def work(cluster: Together) -> Any:
        network: Any = SimpleNamespace(variables=[Variable([1.0, 1.01 if cluster.index == 1 else 1.0])])
        return check_weights(cluster, network, 4)

    for error in together(2, work):
        assert "after epoch 4 worker 1 has other weights than the chief" in str(error)


def test_a_worker_that_leaves_is_noticed_and_named() -> None:
    def work(cluster: Together) -> Any:
        if cluster.index == 2:
            return None
        return [cluster.gather("again") for _ in range(2)]

    found = together(3, work)
    assert isinstance(found[0], WorkerLost)
    assert found[0].exit_code == 1
    assert str(found[0]) == "worker 2 at 127.0.0.1 is gone (its connection ended)."
    assert str(found[1]) == "the chief at 127.0.0.1 is gone (its connection ended)."


def test_a_host_that_falls_silent_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has no power sends no end: no sign of life for a while is one."""
    monkeypatch.setattr("cnnpipe.cluster.link.SILENCE", 0.5)
    monkeypatch.setattr("cnnpipe.cluster.link.SIGN_OF_LIFE", 10.0)
    done = threading.Event()

    def work(cluster: Together) -> Any:
        if cluster.chief:
            try:
                return cluster.gather("x")
            finally:
                done.set()
        return done.wait(SECONDS)

    assert str(together(2, work)[0]) == "worker 1 at 127.0.0.1 is gone (silent for 0.5 s)."


def test_a_long_wait_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnnpipe.cluster.link.SILENCE", 2.0)
    monkeypatch.setattr("cnnpipe.cluster.link.SIGN_OF_LIFE", 0.1)

    def work(cluster: Together) -> Any:
        if not cluster.chief:
            threading.Event().wait(3.0)
        return len(cluster.gather("x"))

    assert together(2, work) == [2, 2]


def test_a_worker_that_cannot_go_on_says_why() -> None:
    def work(cluster: Together) -> Any:
        if cluster.index == 1:
            return cluster.fail("there is no folder /data")
        return cluster.gather("data")

    error = together(2, work)[0]
    assert type(error) is ProblemError
    assert str(error) == "worker 1 at 127.0.0.1 cannot take part: there is no folder /data."


def test_workers_at_different_points_are_a_mistake() -> None:
    error = together(2, lambda cluster: cluster.gather(f"point {cluster.index}"))[0]
    assert "worker 1 is at 'point 1', and the chief at 'point 0'" in str(error)


def test_what_is_no_worker_is_sent_away() -> None:
    def knock(address: str) -> None:
        host, port = address.split(":")

        def talk() -> None:
            with socket.create_connection((host, int(port))) as stranger:
                stranger.sendall(b"GET / HTTP/1.0\r\n\r\n" * 10)
                stranger.settimeout(SECONDS)
                with suppress(ConnectionError):
                    assert stranger.recv(1) == b""

        threading.Thread(target=talk, daemon=True).start()

    assert together(2, lambda cluster: len(cluster.gather("x")), knock) == [2, 2]


def test_a_chief_that_is_not_there_is_told() -> None:
    with Door.open(LOCAL) as door:
        address = door.address
    with pytest.raises(ProblemError, match="no chief listens at 127"):
        join(address)
    with pytest.raises(ProblemError, match="expected HOST:PORT"):
        join("here")
    with Door.open(LOCAL) as door, pytest.raises(ProblemError, match="cannot listen at"), Door.open(door.address):
        pass
