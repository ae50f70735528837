"""A child process that dies, hangs, prints or fails: its caller is told, and the next call works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cnnpipe.child import Child, ChildError
from cnnpipe.errors import GateError, ProblemError

PLUGIN = '''
"""An exporter that does what the content of a file says, instead of looking into it."""
import os, sys, time
from typing import ClassVar, Literal
from cnnpipe.errors import GateError, Problem, ProblemError
from cnnpipe.exporters import Exporter

class Obedient(Exporter):
    type: Literal["obedient"] = "obedient"
    file_name: ClassVar[str] = "model.txt"
    types: ClassVar = {}
    def convert(self, conversion): raise NotImplementedError
    def predict(self, file, batches): raise NotImplementedError
    def inspect(self, file):
        return eval(file.read_text(), {"os": os, "sys": sys, "time": time, "raised": raised, "file": file,
            "ProblemError": ProblemError, "GateError": GateError, "Problem": Problem})

def raised(error): raise error
'''
ALIVE = "os.getpid()"


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    """A child that knows the plugin above."""
    (tmp_path / "plugins" / "exporters").mkdir(parents=True)
    (tmp_path / "plugins" / "exporters" / "obedient.py").write_text(PLUGIN)
    with Child("the test process", [tmp_path / "plugins"]) as made:
        yield made


@pytest.fixture
def do(child: Child, tmp_path: Path) -> Callable[..., Any]:
    """Return a function that lets the child evaluate an expression."""

    def call(expression: str, timeout: float = 60.0) -> Any:
        file = tmp_path / "expression.txt"
        file.write_text(expression)
        return child.call("cnnpipe.bundle.workers.inspect", {"type": "obedient"}, file, timeout=timeout)

    return call


def test_calls_are_answered_by_one_process_that_is_not_this_one(do: Callable[..., Any], child: Child) -> None:
    assert do(ALIVE) == do(ALIVE) == child.pid != os.getpid()


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGABRT"])
def test_a_process_that_dies_is_named_with_its_last_words_and_started_again(
    do: Callable[..., Any], child: Child, name: str
) -> None:
    first = do(ALIVE)
    with pytest.raises(ChildError) as caught:
        do(f"(os.write(2, b'the last words\\n'), os.kill(os.getpid(), {int(signal.Signals[name])}))")
    assert f"the test process died of {name} in cnnpipe.bundle.workers.inspect" in str(caught.value)
    assert "the last words" in str(caught.value)
    assert do(ALIVE) not in (first, None)


def test_a_process_that_leaves_is_told_with_its_exit_code(do: Callable[..., Any]) -> None:
    with pytest.raises(ChildError, match="ended with exit code 7"):
        do("os._exit(7)")


def test_a_process_that_hangs_is_killed_at_the_timeout_and_started_again(
    do: Callable[..., Any], tmp_path: Path
) -> None:
    first = do(ALIVE)
    with pytest.raises(ChildError, match=r"gave no answer to .*inspect within 0\.5 s"):
        do("time.sleep(600)", timeout=0.5)
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    assert do(ALIVE) != first


def test_killing_the_process_from_outside_during_a_call_is_told(do: Callable[..., Any], child: Child) -> None:
    pid = do(ALIVE)
    killer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
    killer.start()
    with pytest.raises(ChildError, match="died of SIGKILL"):
        do("time.sleep(600)")
    killer.join()


def test_what_native_code_prints_reaches_neither_the_terminal_nor_the_answers(
    do: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    assert do("(os.write(1, b'native'), os.write(2, b'native'), print('python'), 'answer')[-1]") == "answer"
    assert do("sys.stdin.read()") == ""
    assert capfd.readouterr() == ("", "")


def test_bad_input_and_broken_promises_keep_their_problems(do: Callable[..., Any]) -> None:
    with pytest.raises(ProblemError) as caught:
        do("raised(ProblemError([Problem('one', path='export.0'), Problem('two', hint='Do this.')]))")
    assert [(p.message, p.path, p.hint) for p in caught.value.problems] == [
        ("one", "export.0", ""),
        ("two", "", "Do this."),
    ]
    assert caught.value.exit_code == 2
    with pytest.raises(GateError, match="lost too much"):
        do("raised(GateError(Problem('lost too much')))")


def test_any_other_failure_is_a_problem_that_names_it(do: Callable[..., Any], child: Child) -> None:
    pid = do(ALIVE)
    with pytest.raises(
        ChildError, match=r"the test process failed in cnnpipe\.bundle\.workers\.inspect \(KeyError: 'in'\)"
    ):
        do("raised(KeyError('in'))")
    assert do(ALIVE) == pid  # a failed function is no reason to start again


def test_an_answer_that_cannot_be_sent_is_a_problem(do: Callable[..., Any]) -> None:
    with pytest.raises(ChildError, match="failed in"):
        do("lambda: 0")
    assert do(ALIVE)


def test_only_functions_of_this_package_can_be_called(child: Child) -> None:
    with pytest.raises(ChildError, match=r"os\.getpid is not a function of cnnpipe"):
        child.call("os.getpid", timeout=60)


def test_calls_of_several_threads_wait_for_each_other(child: Child, tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.txt" for number in range(8)]
    answers: dict[int, Any] = {}

    def ask(number: int) -> None:
        files[number].write_text(f"(time.sleep(0.01), {number} ** 2)[1]")
        answers[number] = child.call("cnnpipe.bundle.workers.inspect", {"type": "obedient"}, files[number], timeout=60)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: number**2 for number in range(8)}


def test_closing_while_another_thread_waits_ends_its_call(child: Child, do: Callable[..., Any]) -> None:
    do(ALIVE)
    caught: list[BaseException] = []

    def wait() -> None:
        try:
            do("time.sleep(600)")
        except ChildError as error:
            caught.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    closer = threading.Timer(0.3, child.close)
    closer.start()
    thread.join(timeout=30)
    closer.join()
    assert "died of SIGKILL" in str(caught[0])


def test_a_script_without_a_main_guard_works_and_foreign_modules_are_not_taken(tmp_path: Path) -> None:
    (tmp_path / "random.py").write_text("raise SystemExit('the wrong random')")
    (tmp_path / "script.txt").write_text("")
    script = tmp_path / "elsewhere" / "script.py"
    script.parent.mkdir()
    script.write_text(
        "from cnnpipe.child import Child\n"
        "with Child('it') as child: print(child.call('cnnpipe.errors.dotted', ('a', 0), timeout=60))\n"
    )
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("a.0\n", "", 0)


def test_a_child_ends_with_its_parent_even_in_the_middle_of_a_call(tmp_path: Path) -> None:
    (tmp_path / "plugins" / "exporters").mkdir(parents=True)
    (tmp_path / "plugins" / "exporters" / "obedient.py").write_text(PLUGIN)
    (tmp_path / "do.txt").write_text("(file.with_suffix('.pid').write_text(str(os.getpid())), time.sleep(600))")
    code = (
        "import sys; from pathlib import Path; from cnnpipe.child import Child\n"
        "child = Child('it', [Path(sys.argv[1]) / 'plugins'])\n"
        "child.call('cnnpipe.bundle.workers.inspect', {'type': 'obedient'}, Path(sys.argv[1]) / 'do.txt', timeout=600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    pid = _eventually(lambda: (tmp_path / "do.pid").read_text() if (tmp_path / "do.pid").exists() else "")
    parent.kill()
    parent.wait()
    assert _eventually(lambda: not _runs(int(pid)))


def _eventually(question: Callable[[], Any]) -> Any:
    """Ask again and again until the answer is true, for a minute at most."""
    pause = threading.Event()
    for _ in range(1200):
        if answer := question():
            return answer
        pause.wait(0.05)
    return question()


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().split()[2] != "Z"


def test_after_the_end_no_other_process_is_started(child: Child, do: Callable[..., Any]) -> None:
    do(ALIVE)
    child.end()
    with pytest.raises(ChildError, match="the test process was ended"):
        do(ALIVE)
    assert child.pid is None
