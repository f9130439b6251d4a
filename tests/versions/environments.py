"""The pairs of TensorFlow and Keras versions, each in an environment that is kept."""

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


class Pair(NamedTuple):
    """A version of TensorFlow, and the Keras beside it.

    Attributes:
        tensorflow: Version of the package tensorflow-cpu.
        keras: Version of the package that is Keras.
        package: Name of that package.
    """

    tensorflow: str
    keras: str
    package: str = "keras"

    @property
    def name(self) -> str:
        """The pair as records and commands write it: ``2.16.2+3.3.3``."""
        prefix = "tf_keras-" if self.package == "tf_keras" else ""
        return f"{self.tensorflow}+{prefix}{self.keras}"

    @property
    def title(self) -> str:
        """The Keras of the pair as pages write it: ``Keras 3.3.3``."""
        return f"{'tf_keras' if self.package == 'tf_keras' else 'Keras'} {self.keras}"

    @property
    def folder(self) -> Path:
        """Where its environment lies."""
        return FOLDER / self.name

    @property
    def python(self) -> Path:
        """Its interpreter, once `install` has made it."""
        return self.folder / "bin" / "python"


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
    "keras 2": (KERAS_2, TF_KERAS),
    "next": (NEXT,),
    "newest keras": NEWEST_KERAS,
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


class Old(NamedTuple):
    """A Keras of before TensorFlow 2. Only scripts on pages run on it.

    Attributes:
        keras: Version of the package keras.
        series: The Python that it runs on, such as ``3.6``.
        wanted: What is installed beside it.
        backend: The backend that it computes with.
    """

    keras: str
    series: str
    wanted: tuple[str, ...]
    backend: str = "tensorflow"

    @property
    def title(self) -> str:
        """What the title of a block says: ``Keras 1.2.2``."""
        return f"Keras {self.keras}"

    @property
    def folder(self) -> Path:
        """Where its environment lies."""
        return FOLDER / f"keras-{self.keras}"

    @property
    def python(self) -> Path:
        """Its interpreter, once `install_old` has made it."""
        return self.folder / "bin" / "python"


# Keras itself and its companions, of those years, for each of the two Pythons.
_2_7 = ("h5py==2.10.0", "numpy==1.12.1", "scipy==0.19.1", "theano==0.8.2", "pyyaml<6")
_3_6 = ("h5py==2.10.0", "numpy==1.16.6", "scipy==1.2.3", "protobuf==3.17.3", "pyyaml<6")
OLD = (
    Old("1.0.5", "2.7", _2_7, backend="theano"),
    Old("1.1.2", "2.7", _2_7, backend="theano"),
    Old("1.2.2", "3.6", (*_3_6, "theano==0.9.0", "tensorflow==1.0.1")),
    Old("2.1.6", "3.6", (*_3_6, "tensorflow==1.13.2")),
    Old("2.2.4", "3.6", (*_3_6, "tensorflow==1.13.2")),
)
"""The versions whose files pages rescue, oldest first."""


def named(version: str) -> Pair | Old:
    """Return the pair that the title of a block names: ``Keras 2.15.0``.

    Raises:
        KeyError: There is none; the message lists what there is.
    """
    known = {pair.title: pair for pair in (*WRITERS, TODAY, *OLD)}
    if version not in known:
        raise KeyError(f"no environment for {version!r}, there are {sorted(known)}")
    return known[version]


def _runs(python: Path) -> bool:
    """Return whether an interpreter starts; one that pyenv only announces does not."""
    return subprocess.run([python, "--version"], capture_output=True).returncode == 0


def install_old(old: Old) -> Path:
    """Return the interpreter of an old Keras, in an environment made at the first call.

    Raises:
        SystemExit: The environment could not be made; the message says what to try.
    """
    done = old.folder / "ready"
    wanted = [f"keras=={old.keras}", *old.wanted]
    if done.is_file() and done.read_text("utf-8") == "\n".join(wanted):
        return old.python
    print(f"Keras {old.keras}: installing", file=sys.stderr, flush=True)
    shutil.rmtree(old.folder, ignore_errors=True)
    name = f"python{old.series}"
    kept = Path.home().glob(f".pyenv/versions/{old.series}.*/bin/{name}")
    pythons = [*filter(None, [shutil.which(name)]), *sorted(kept)]
    python = next(filter(_runs, pythons), None)
    commands = [
        # The last virtualenv that makes environments for these Pythons.
        [UV, "tool", "run", "--quiet", "--no-config", "--from", "virtualenv<20.22"]
        + ["virtualenv", "--quiet", "--python", python, old.folder],
        [old.folder / "bin" / "pip", "install", "--quiet", *wanted],
    ]
    for command in commands:
        if python is None or subprocess.run(command).returncode:
            raise SystemExit(
                f"Keras {old.keras} cannot be installed (see above). It needs Python "
                f"{old.series} and a package registry; run the command again to go on."
            )
    # What its users had in their environment and in ~/.keras/keras.json.
    settings = {
        "KERAS_BACKEND": old.backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "THEANO_FLAGS": f"cxx=,floatX=float32,base_compiledir={old.folder / 'theano'}",
    }
    (packages,) = old.folder.glob("lib/python*/site-packages")
    line = f"import os; [os.environ.setdefault(*each) for each in {settings}.items()]\n"
    (packages / "settings.pth").write_text(line, "utf-8")
    done.write_text("\n".join(wanted), "utf-8")
    return old.python


def install(pair: Pair | Old) -> Path:
    """Return the interpreter of a pair, in an environment made at the first call.

    Raises:
        SystemExit: The environment could not be made; the message says what to try.
    """
    if isinstance(pair, Old):
        return install_old(pair)
    done = pair.folder / "ready"
    wanted = [f"tensorflow-cpu=={pair.tensorflow}", *LIBRARIES]
    if pair.package == "keras":
        wanted.append(f"keras=={pair.keras}")
    elif pair.package == "tf_keras":
        # It asks for `tensorflow`; the same version's `tensorflow-cpu` is installed.
        wanted.append(f"keras=={TODAY.keras}")
    if tuple(map(int, pair.tensorflow.split(".")[:2])) < (2, 18):
        wanted.append("numpy<2")
    if done.is_file() and done.read_text("utf-8") == "\n".join(wanted):
        return pair.python
    print(f"{pair.name}: installing", file=sys.stderr, flush=True)
    shutil.rmtree(pair.folder, ignore_errors=True)
    pip = [UV, "pip", "install", "--no-config", "--quiet", "--python", pair.python]
    commands = [
        # The one Python that all of these versions have wheels for.
        [UV, "venv", "--quiet", "--clear", "--python", "3.11", pair.folder],
        [*pip, *wanted],
    ]
    if pair.package != "keras":
        commands.append([*pip, "--no-deps", f"{pair.package}=={pair.keras}"])
    for command in commands:
        if subprocess.run(command).returncode:
            raise SystemExit(
                f"{pair.name} cannot be installed (see above). It needs Python 3.11, "
                "a package registry, and about 2 GB in .venv/versions; run the command "
                "again to go on."
            )
    done.write_text("\n".join(wanted), "utf-8")
    return pair.python
