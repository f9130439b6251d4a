"""Checksums of whatever a model is saved as."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {
    "verify/damaged_files.py": "sums_of build flip",
    "understand/what_formats_notice.py": "build load_weights load_model load_export "
    "load_checkpoint load_npz cut flip edit_hdf5 edit_archive edit_npz damaged "
    "outcome line",
    "trouble/damaged/bit_in_graph.py": "checksum flip off",
    "trouble/damaged/bit_in_weights.py": "flip load checksum",
    "trouble/damaged/bucket.py": "report",
    "trouble/damaged/cut_vocabulary.py": "columns checksum",
    "trouble/damaged/not_found.py": "describe",
    "trouble/damaged/says_damaged.py": "build load load_damaged cut flip drop_array",
    "trouble/damaged/swapped.py": "rewrite checksum",
    "trouble/damaged/too_late.py": "build checksum flip equal",
}


@proof("verify/damaged_files.py:write_sums")
def write_sums(recipe, member):
    model, _ = compare.trained(member)
    folder = Path("saved", "deep")
    folder.mkdir(parents=True)
    model.save_weights(folder / "model.weights.h5")
    tf.train.Checkpoint(model=model).write(str(folder / "checkpoint"))
    recipe["write_sums"]("saved")
    assert recipe["damaged_files"]("saved") == []
    # What is behind a link to a folder would not be read.
    Path("link").mkdir()
    Path("link", "latest").symlink_to(Path("saved").resolve())
    with pytest.raises(ValueError, match="links to a folder"):
        recipe["write_sums"]("link")
    Path("empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no files"):
        recipe["write_sums"]("empty")


@write_sums.in_a_new_process
def write_sums_elsewhere(recipe, member):
    assert recipe["damaged_files"]("saved") == []


@proof("verify/damaged_files.py:damaged_files")
def damaged_files(recipe, member):
    model, _ = compare.trained(member, epochs=1)
    sound = Path("sound")
    sound.mkdir()
    model.save_weights(sound / "model.weights.h5")
    tf.train.Checkpoint(model=model).write(str(sound / "checkpoint"))
    recipe["write_sums"](sound)
    names = [path.name for path in sound.iterdir() if path.name != "SHA256SUMS"]
    for name in names:
        size = (sound / name).stat().st_size
        for place in (0, size // 2, size - 1):
            shutil.copytree(sound, "damaged")
            data = bytearray((sound / name).read_bytes())
            data[place] ^= 1
            Path("damaged", name).write_bytes(data)
            assert recipe["damaged_files"]("damaged") == [f"{name} has changed"]
            shutil.rmtree("damaged")
        shutil.copytree(sound, "damaged")
        Path("damaged", name).rename("damaged/other")
        assert recipe["damaged_files"]("damaged") == sorted(
            [f"{name} is missing", "other was not there"]
        )
        shutil.rmtree("damaged")
    # The list of checksums itself is cut, or gone.
    shutil.copytree(sound, "damaged")
    sums = Path("damaged", "SHA256SUMS")
    sums.write_bytes(sums.read_bytes()[:-100])
    assert recipe["damaged_files"]("damaged")
    sums.unlink()
    with pytest.raises(FileNotFoundError):
        recipe["damaged_files"]("damaged")


@proof("trouble/damaged/bucket.py:copy_to")
def copy_to(recipe, member):
    model, _ = compare.trained(member, epochs=1)
    model.save_weights("model.weights.h5")
    saved = Path("model.weights.h5").read_bytes()
    there = "ram://bucket/deep/model.weights.h5"
    recipe["copy_to"]("model.weights.h5", there)
    with tf.io.gfile.GFile(there, "rb") as file:
        assert file.read() == saved

    # What is there stays, and what lost a slash is refused.
    Path("other").write_bytes(b"other")
    with pytest.raises(tf.errors.AlreadyExistsError):
        recipe["copy_to"]("other", there)
    with tf.io.gfile.GFile(there, "rb") as file:
        assert file.read() == saved
    with pytest.raises(ValueError, match="as a string"):
        recipe["copy_to"]("other", Path("ram://bucket/other"))
    assert not Path("ram:").exists()

    other = member.build()
    other.load_weights(there)
    for array, same in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(array, same)
