"""A child process that runs functions of this package, and may die or hang without harm to its parent.

Native code (the converter, an interpreter fed with a hostile file) can end its process by a signal. So it runs in a
process of its own, started by `sys.executable` and this module, not by `multiprocessing`: a user's script needs no
`__main__` guard. Messages travel as pickles over a private pair of pipes; whatever native code prints goes to a
temporary file, and only its last lines are shown, and only when something went wrong.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, cast

from cnnpipe.errors import GateError, Problem, ProblemError

_START = "import sys; sys.path[:] = sys.argv[1:]; from cnnpipe.child import main; main()"
_TAIL_LINES = 12


class ChildError(ProblemError):
    """A call in a child process came to no answer: the process died, hung, or the function failed.

    Args:
        reason: What happened, such as `died of SIGSEGV`.
        tail: The last lines that the process wrote; may be empty.
    """

    def __init__(self, reason: str, tail: str = "") -> None:
        super().__init__(Problem(reason, hint=f"Its last words:\n{tail}" if tail else ""))

    def about(self, what: str, path: str = "") -> ProblemError:
        """Return the problem as one of `what`, such as `the export generic-int8`, at a recipe path."""
        (problem,) = self.problems
        return ProblemError(Problem(f"{what}: {problem.message}", path=path, hint=problem.hint))


class Child:
    """A child process, started at its first call and started again after it died or hung.

    One call at a time; calls from several threads wait for each other.

    Args:
        name: What messages call it, such as `the conversion process`.
        plugins: Plugin folders that it shall know.
        memory: Bytes of address space that it may have, where the system can hold it to that; None for no limit.
    """

    def __init__(self, name: str, plugins: Sequence[Path] = (), memory: int | None = None) -> None:
        self.name, self._plugins, self._memory = name, tuple(plugins), memory
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._answers: queue.Queue[Any] = queue.Queue()
        self._ended = False

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process's number while it is there, else None."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def call(self, function: str, *arguments: Any, timeout: float) -> Any:
        """Run `cnnpipe.module.function` in the child and return its result.

        Args:
            function: Dotted name below `cnnpipe`.
            arguments: Anything that can be pickled.
            timeout: Seconds to wait before the child is killed.

        Raises:
            ProblemError: What the function itself raised as one.
            ChildError: The process died or hung, or the function failed in another way.
        """
        with self._lock:
            answer = self._ask((function, arguments), timeout)
        if answer[0] == "result":
            return answer[1]
        if answer[0] == "problems":
            raise (GateError if answer[1] else ProblemError)(answer[2])
        raise ChildError(f"{self.name} failed in {function} ({answer[1]})")

    def close(self) -> None:
        """End the process, if it is there. A later call starts another."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            with contextlib.suppress(OSError):
                stream.close() if stream else None
        self._process = self._log = None

    def end(self) -> None:
        """End the process for good: what another thread still asks for starts no other."""
        self._ended = True
        self.close()

    def _ask(self, message: tuple[str, tuple[Any, ...]], timeout: float) -> Any:
        try:
            if self.pid is None:
                self._start()
            return self._exchange(message, timeout)
        except BaseException:  # also Ctrl-C: a half-done call must not answer the next one
            self.close()
            raise

    def _start(self) -> None:
        self.close()
        if self._ended:
            raise ChildError(f"{self.name} was ended")
        self._log = tempfile.TemporaryFile()
        command = [sys.executable, "-c", _START, *sys.path]
        pipe = subprocess.PIPE
        # The arguments are this interpreter and this package's own import path; a session of its own keeps Ctrl-C away.
        self._process = subprocess.Popen(  # noqa: S603
            command, stdin=pipe, stdout=pipe, stderr=self._log, start_new_session=True
        )
        self._answers = queue.Queue()
        threading.Thread(target=_forward, args=(self._process.stdout, self._answers.put), daemon=True).start()
        self._send(([str(folder) for folder in self._plugins], self._memory))

    def _send(self, message: Any) -> None:
        process = cast("subprocess.Popen[bytes]", self._process)
        with contextlib.suppress(BrokenPipeError):  # it died: its exit code tells more
            _write(cast(IO[bytes], process.stdin), _packed(message))

    def _exchange(self, message: tuple[str, tuple[Any, ...]], timeout: float) -> Any:
        process = cast("subprocess.Popen[bytes]", self._process)  # `close` in another thread may forget it meanwhile
        self._send(message)
        try:
            answer = self._answers.get(timeout=timeout)
        except queue.Empty:
            tail = self._tail()
            raise ChildError(f"{self.name} gave no answer to {message[0]} within {timeout:g} s", tail) from None
        if answer is None:
            raise ChildError(f"{self.name} {_how_it_ended(process.wait())} in {message[0]}", self._tail())
        return answer

    def _tail(self) -> str:
        log = self._log
        if log is None:
            return ""
        try:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - 8192))
            lines = log.read().decode("utf-8", "replace").splitlines()
        except (OSError, ValueError):  # another thread is just closing the child, and the log with it
            return ""
        return "\n".join([line for line in lines if line.strip()][-_TAIL_LINES:])


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"died of {signal.Signals(-code).name}"
    except ValueError:
        return f"died of signal {-code}"


def _packed(value: Any) -> bytes:
    return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)


def _write(stream: IO[bytes], data: bytes) -> None:
    stream.write(len(data).to_bytes(8, "little") + data)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes:
    """Return the next message, or nothing at the end."""
    try:
        size = stream.read(8)
        return stream.read(int.from_bytes(size, "little")) if len(size) == 8 else b""
    except (OSError, ValueError):  # closed by another thread
        return b""


def _forward(stream: IO[bytes], put: Callable[[Any], None]) -> None:
    """Hand on all messages, then None. Only this package writes into these pipes, so unpickling is safe."""
    while data := _read(stream):
        try:
            put(pickle.loads(data))  # noqa: S301
        except Exception as error:
            put(("error", f"a message that cannot be read: {type(error).__name__}: {error}"))
    put(None)


def main() -> None:
    """Answer calls until the parent closes the pipe. Standard input and output are private; prints go to the log."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    waiting: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_forward, args=(requests, lambda m: _take(waiting, m)), daemon=True).start()
    folders, memory = waiting.get()
    _limit(memory)
    _add_plugins(folders)
    while True:
        function, arguments = waiting.get()
        _write(answers, _run(function, arguments))


def _take(waiting: queue.Queue[Any], message: Any) -> None:
    if message is None:  # the parent is gone: end even in the middle of a call
        os._exit(0)
    waiting.put(message)


def _limit(memory: int | None) -> None:
    if memory is not None:
        with contextlib.suppress(ImportError, ValueError, OSError):  # not on Windows
            import resource

            resource.setrlimit(resource.RLIMIT_AS, (memory, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _add_plugins(folders: Sequence[str]) -> None:
    from cnnpipe.registry import add_plugins

    for folder in folders:
        add_plugins(Path(folder))


def _run(function: str, arguments: tuple[Any, ...]) -> bytes:
    """Return the packed answer to a call."""
    try:
        module, _, name = function.rpartition(".")
        if module.partition(".")[0] != "cnnpipe":
            raise ValueError(f"{function} is not a function of cnnpipe")
        return _packed(("result", getattr(importlib.import_module(module), name)(*arguments)))
    except ProblemError as error:
        return _packed(("problems", isinstance(error, GateError), error.problems))
    except Exception as error:
        traceback.print_exc()  # into the log
        return _packed(("error", f"{type(error).__name__}: {str(error).strip()[:2000]}"))
