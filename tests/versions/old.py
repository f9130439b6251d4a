"""Keras of before TensorFlow 2, for scripts on pages: its Pythons and companions."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.versions.environments import FOLDER, UV, old_python


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
        """Its interpreter, once `install` has made it."""
        return self.folder / "bin" / "python"


# Keras itself and its companions, of those years, for each of the two Pythons.
_2_7 = ("h5py==2.10.0", "numpy==1.12.1", "scipy==0.19.1", "theano==0.8.2", "pyyaml<6")
_3_6 = ("h5py==2.10.0", "numpy==1.16.6", "scipy==1.2.3", "protobuf==3.17.3", "pyyaml<6")
_ALL = (
    Old("1.0.5", "2.7", _2_7, backend="theano"),
    Old("1.1.2", "2.7", _2_7, backend="theano"),
    Old("1.2.2", "3.6", (*_3_6, "theano==0.9.0", "tensorflow==1.0.1")),
    Old("2.1.6", "3.6", (*_3_6, "tensorflow==1.13.2")),
    Old("2.2.4", "3.6", (*_3_6, "tensorflow==1.13.2")),
)
OLD = {old.title: old for old in _ALL}
"""The versions whose files pages rescue, by what the title of a block says."""


def install(old: Old) -> Path:
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
    python = old_python(old.series)
    commands = [
        # The last virtualenv that makes environments for these Pythons.
        [UV, "tool", "run", "--quiet", "--no-config", "--from", "virtualenv<20.22"]
        + ["virtualenv", "--quiet", "--python", python, old.folder],
        [old.folder / "bin" / "pip", "install", "--quiet", *wanted],
    ]
    for command in commands:
        if subprocess.run(command).returncode:
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
