"""The pairs of TensorFlow and Keras versions, each in an environment that is kept."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
UV = ROOT / ".venv" / "uv" / "bin" / "uv"
FOLDER = ROOT / ".venv" / "versions"

# What pages import beside TensorFlow. Orbax needs JAX, which the old versions of NumPy
# and ml_dtypes of most pairs rule out.
LIBRARIES = ("scikit-learn", "matplotlib", "pytest")

# What programs of TensorFlow 1 import beside it, of the months in which it was new.
LIBRARIES_1 = (
    "protobuf==3.20.3",
    "pyyaml==5.3.1",
    "cloudpickle==1.1.1",
    "decorator==4.4.2",
)
# These ask for packages of TensorFlow 2, or for more than pages need.
ALONE_1 = (
    "tensorflow-gan==2.0.0",
    "tensorflow-hub==0.12.0",
    "tensorflow-probability==0.8.0",
)

# What tensorflowjs imports, and what is installed alone as it asks for `tensorflow`.
# Newer versions of setuptools have no pkg_resources.
LIBRARIES_JS = (
    "jax==0.5.3",
    "jaxlib==0.5.3",
    "pandas==2.3.3",
    "wurlitzer==3.1.1",
    "ydf==0.9.0",
    "setuptools==80.9.0",
)
ALONE_JS = (
    "tensorflow-decision-forests==1.10.1",
    "tensorflow-hub==0.16.1",
    "tf_keras==2.17.0",
)


class Pair(NamedTuple):
    """A version of TensorFlow, and the Keras beside it.

    Attributes:
        tensorflow: Version of the package tensorflow-cpu.
        keras: Version of the package that is Keras.
        package: Name of that package; `tensorflow` if it is in there. `tensorflowjs`
            is a converter, beside today's Keras.
    """

    tensorflow: str
    keras: str
    package: str = "keras"

    @property
    def name(self) -> str:
        """The pair as records and commands write it: ``2.16.2+3.3.3``."""
        if self.package == "tensorflow":
            return self.tensorflow
        named = self.package in ("tf_keras", "tensorflowjs")
        prefix = f"{self.package}-" if named else ""
        return f"{self.tensorflow}+{prefix}{self.keras}"

    @property
    def title(self) -> str:
        """The Keras of the pair as pages write it: ``Keras 3.3.3``."""
        if self.package == "tensorflow":
            return f"TensorFlow {self.tensorflow}"
        named = self.package in ("tf_keras", "tensorflowjs")
        return f"{self.package if named else 'Keras'} {self.keras}"

    @property
    def folder(self) -> Path:
        """Where its environment lies."""
        return FOLDER / self.name

    @property
    def python(self) -> Path:
        """Its interpreter, once `install` has made it."""
        return self.folder / "bin" / "python"


TENSORFLOW_1 = Pair("1.15.5", "2.2.4-tf", "tensorflow")
"""The last TensorFlow 1, with its tf.contrib, in Python 3.7."""

TENSORFLOW_JS = Pair("2.17.1", "4.22.0", "tensorflowjs")
"""The converter for browsers, with the newest TensorFlow that it is imported with."""

KERAS_2 = Pair("2.15.1", "2.15.0")
TF_KERAS = Pair("2.21.0", "2.21.0", "tf_keras")
SHIPPED = (
    Pair("2.16.2", "3.3.3"),
    Pair("2.17.1", "3.4.1"),
    Pair("2.18.1", "3.6.0"),
    Pair("2.19.1", "3.9.2"),
    Pair("2.20.0", "3.11.3"),
    Pair("2.21.0", "3.13.2"),
)
"""Each TensorFlow with a Keras 3 of its months, oldest first."""

TODAY = Pair("2.21.0", "3.15.1")
"""What the everyday tests run on."""

NEWEST_KERAS = tuple(
    Pair(pair.tensorflow, TODAY.keras) for pair in reversed(SHIPPED[:-1])
)
"""Today's Keras on the older versions of TensorFlow, newest first."""

_NEXT = dict(
    line.split("==") for line in (ROOT / ".lock/next.txt").read_text("utf-8").split()
)
NEXT = Pair(_NEXT["tensorflow-cpu"], _NEXT["keras-nightly"], "keras-nightly")
"""The newest that the registry has before a release (`make next`); it may differ."""

PAGES_RUN_ON = {
    "shipped": tuple(reversed(SHIPPED)),
    "newest keras": NEWEST_KERAS,
    "next": (NEXT,),
    "keras 2": (KERAS_2, TF_KERAS),
}
"""The pairs that all pages run on, beside today's, in the order of interest."""

OTHERS = {pair.name: pair for series in PAGES_RUN_ON.values() for pair in series}
"""The same pairs by name."""


WRITERS = (
    Pair("2.12.1", "2.12.0"),
    KERAS_2,
    TF_KERAS,
    Pair("2.16.2", "3.0.5"),
    *SHIPPED,
)
"""The pairs that write and read files for one another, oldest first; and today's."""


def named(version: str) -> Pair:
    """Return the pair that the title of a block names, such as ``Keras 2.15.0``.

    Raises:
        KeyError: There is none; the message lists what there is.
    """
    known = {
        pair.title: pair for pair in (TENSORFLOW_1, TENSORFLOW_JS, *WRITERS, TODAY)
    }
    if version not in known:
        raise KeyError(f"no environment for {version!r}, there are {sorted(known)}")
    return known[version]


def old_python(version: str) -> str:
    """Return a Python that pyenv keeps, as its shims hide what is not chosen.

    Returns:
        Its path; the version itself, which uv looks for, if pyenv has none.
    """
    folder = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    found = sorted(folder.glob(f"{version}.*/bin/python"))
    return str(found[-1]) if found else version


def install(pair: Pair) -> Path:
    """Return the interpreter of a pair, in an environment made at the first call.

    Raises:
        SystemExit: The environment could not be made; the message says what to try.
    """
    done = pair.folder / "ready"
    wanted = [f"tensorflow-cpu=={pair.tensorflow}", *LIBRARIES]
    python = "3.11"  # the one that all of the pairs but the oldest have wheels for
    if pair == TENSORFLOW_1:
        wanted = [f"tensorflow=={pair.tensorflow}", *LIBRARIES_1]
        python = old_python("3.7")
    if pair.package == "keras":
        wanted.append(f"keras=={pair.keras}")
    elif pair.package == "tf_keras":
        # It asks for `tensorflow`; the same version's `tensorflow-cpu` is installed.
        wanted.append(f"keras=={TODAY.keras}")
    elif pair == TENSORFLOW_JS:
        wanted += [f"keras=={TODAY.keras}", *LIBRARIES_JS]
    if tuple(map(int, pair.tensorflow.split(".")[:2])) < (2, 18):
        wanted.append("numpy<2")
    if done.is_file() and done.read_text("utf-8") == "\n".join(wanted):
        return pair.python
    print(f"{pair.name}: installing", file=sys.stderr, flush=True)
    shutil.rmtree(pair.folder, ignore_errors=True)
    pip = [UV, "pip", "install", "--no-config", "--quiet", "--python", pair.python]
    commands = [
        [UV, "venv", "--quiet", "--clear", "--python", python, pair.folder],
        [*pip, *wanted],
    ]
    if pair == TENSORFLOW_1:
        commands.append([*pip, "--no-deps", *ALONE_1])
    elif pair == TENSORFLOW_JS:
        alone = [*ALONE_JS, f"{pair.package}=={pair.keras}"]
        commands.append([*pip, "--no-deps", *alone])
    elif pair.package != "keras":
        commands.append([*pip, "--no-deps", f"{pair.package}=={pair.keras}"])
    for command in commands:
        if subprocess.run(command).returncode:
            raise SystemExit(
                f"{pair.name} cannot be installed (see above). It needs Python "
                f"{python}, a package registry, and about 2 GB in .venv/versions; run "
                "the command again to go on."
            )
    done.write_text("\n".join(wanted), "utf-8")
    return pair.python
