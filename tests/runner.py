"""Run Python source as ``__main__`` in a process of its own, as a reader would.

A process is forked from a server that has imported TensorFlow and executed nothing,
so that a page costs a second or two instead of the ten of a fresh import. Where fork
is not available, or a page is to import Keras with another backend, it is a fresh
interpreter.
"""

import gc
import json
import linecache
import multiprocessing
import os
import sys
import tempfile
import traceback
import types
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 300
"""Seconds that one block may take."""

PRELOAD = ["tensorflow", "keras"]
"""What the server that scripts are forked from has imported."""

THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
"""How many threads the libraries use in a script."""

_STEM = "<page>"


def quiet() -> None:
    """Set what keeps the output of scripts free of the machine they run on."""
    # What a library says about its own start is not part of a page.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    # As many scripts run at a time as there are cores: with more threads they wait for
    # one another, which takes a quarter more of the processor.
    for name in THREADS:
        os.environ.setdefault(name, "1")
    # How figures are drawn is not part of a page either; the date would change them.
    os.environ["MATPLOTLIBRC"] = str(Path(__file__).with_name("matplotlibrc"))
    os.environ["SOURCE_DATE_EPOCH"] = "0"


@dataclass
class Result:
    """What running a block did.

    Attributes:
        output: What it wrote to standard output, subprocesses included.
        error: Type and message of the exception that ended it, with the calls that
            led to it; ``None`` if it ran to its end.
        error_lines: Line numbers in the source, from the outermost call to the
            innermost one.
    """

    output: str
    error: str | None = None
    error_lines: tuple[int, ...] = ()


class Script:
    """A running script that is fed piece by piece.

    Use it as a context manager; leaving it ends the process.

    Args:
        folder: Working directory of the script.
        fresh: Whether the script gets an interpreter that has imported nothing.
    """

    def __init__(self, folder: Path, fresh: bool = False):
        self._folder = folder
        self._fresh = fresh

    def __enter__(self) -> "Script":
        self._log = tempfile.NamedTemporaryFile(prefix="stderr-", delete=False)
        self._log.close()
        self._connection, other = multiprocessing.Pipe()
        self._process = _context(self._fresh).Process(
            target=_serve, args=(other, str(self._folder), self._log.name), daemon=True
        )
        self._process.start()
        other.close()
        return self

    def __exit__(self, *exception) -> None:
        self._connection.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        os.unlink(self._log.name)

    def run(
        self, code: str, first_line: int = 1, timeout: float | None = None
    ) -> Result:
        """Execute a piece of the script in the namespace of the pieces before it.

        Args:
            code: Python source.
            first_line: Number that its first line is reported as.
            timeout: Seconds that it may take; `TIMEOUT` if not given.

        Returns:
            What it printed and how it ended. A process that dies, or that takes
            longer, is a result with an error, too.
        """
        timeout = timeout or TIMEOUT
        try:
            self._connection.send((code, first_line))
            if self._connection.poll(timeout):
                return self._connection.recv()
            self._process.kill()
            end = f"still running after {timeout} s"
        except (EOFError, OSError):
            self._process.join(5)
            end = f"the process ended with exit code {self._process.exitcode}"
        log = Path(self._log.name).read_text("utf-8", "replace")
        return Result("", f"{end}\n{log[-2000:]}".rstrip(), (first_line,))


def call(function: str, folder: Path, *arguments, **environment: str):
    """Call a function of a test module in an interpreter that has imported nothing.

    Args:
        function: Its module and name, such as ``tests.ship.nodes.statistics``.
        folder: Working directory of the call.
        arguments: What it gets: numbers, texts, lists of them.
        environment: Variables that are set before anything is imported.

    Returns:
        What it returns, by way of JSON.
    """
    module, _, name = function.rpartition(".")
    code = f"""\
import json, os
os.environ.update({environment!r})
from {module} import {name}
print(json.dumps({name}(*{arguments!r})))
"""
    with Script(folder, fresh=True) as script:
        result = script.run(code)
    assert result.error is None, f"{result.error}\n{result.output[-2000:]}"
    return json.loads(result.output.splitlines()[-1])


def _context(fresh: bool):
    if fresh or "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*PRELOAD, __name__])
    return context


def _serve(connection, folder: str, log: str) -> None:
    """Execute what comes through the connection until it is closed."""
    # Otherwise the first full collection walks through all of TensorFlow, and copies
    # the memory that the processes share until then.
    gc.freeze()
    # What a page makes is small, and looking through it takes a tenth of its time.
    gc.set_threshold(50_000, 20, 100)
    os.chdir(folder)
    # As for a script that lies in the folder.
    sys.path.insert(0, folder)
    with (
        open(log, "wb", buffering=0) as errors,
        tempfile.TemporaryFile() as captured,
    ):
        # File descriptors, so that what subprocesses and C++ print counts as well.
        os.dup2(captured.fileno(), 1)
        os.dup2(errors.fileno(), 2)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)
        main = types.ModuleType("__main__")
        main.__file__ = _STEM
        sys.modules["__main__"] = main
        sys.argv = [_STEM]
        lines = []
        while True:
            try:
                code, first_line = connection.recv()
            except EOFError:
                break
            lines += [""] * (first_line - 1 - len(lines)) + code.splitlines()
            result = _execute(code, first_line, lines, main)
            sys.stdout.flush()
            captured.seek(0)
            result.output = captured.read().decode("utf-8", "replace")
            captured.seek(0)
            captured.truncate()
            connection.send(result)
    # Libraries' threads must not hold up the end.
    os._exit(0)


def _execute(code: str, first_line: int, lines: list[str], main) -> Result:
    # inspect.getsource, and with it AutoGraph, reads the source from here.
    source = [line + "\n" for line in lines]
    linecache.cache[_STEM] = (0, None, source, _STEM)
    try:
        compiled = compile(
            "\n" * (first_line - 1) + code, _STEM, "exec", dont_inherit=True
        )
        exec(compiled, main.__dict__)
    except BaseException as error:
        return Result("", *_describe(error))
    return Result("")


def _describe(error: BaseException) -> tuple[str, tuple[int, ...]]:
    frames = traceback.extract_tb(error.__traceback__)
    numbers = [frame.lineno for frame in frames if frame.filename == _STEM]
    if isinstance(error, SyntaxError) and error.filename == _STEM:
        numbers.append(error.lineno)
    text = traceback.format_exception_only(error)[-1].strip()
    if isinstance(error, SystemExit):
        text = f"the block ended the script: {text}"
    return text, tuple(numbers)
