"""The editor of Keras for files, and what stands on its page in its place."""

import contextlib
import io

import h5py
import keras

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {"trouble/weights_file/file_editor.py": "build arrays_in same"}


def arrays(path):
    """Return the arrays of a file by their places."""
    found = {}

    def note(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    with h5py.File(path) as file:
        file.visititems(note)
    return found


def within_another(place):
    """Return whether the owner of an array stands in a layer, not in the model."""
    *groups, owner = place.partition("/vars/")[0].split("/")
    with h5py.File("model.weights.h5") as file:
        return any(
            "vars" in file["/".join(groups[:n])] for n in range(1, len(groups) + 1)
        )


def refused(rename_layer, *arguments):
    try:
        rename_layer(*arguments)
    except (ValueError, FileExistsError) as error:
        return str(error)
    raise AssertionError(f"not refused: {arguments}")


@proof("trouble/weights_file/file_editor.py:rename_layer")
def rename_layer(recipe, member):
    rename = recipe["rename_layer"]
    model, _ = compare.trained(member, epochs=1)
    model.save_weights("model.weights.h5")
    saved = arrays("model.weights.h5")
    place = next(name for name in saved if not name.startswith("optimizer"))
    old = "/".join(place.split("/")[:2])

    rename("model.weights.h5", "renamed.weights.h5", old, old + "_of_mine")
    renamed = arrays("renamed.weights.h5")
    assert not any(name.startswith(old + "/") for name in renamed)
    rename("renamed.weights.h5", "back.weights.h5", old + "_of_mine", old)
    back = arrays("back.weights.h5")
    assert not compare.changed(saved, back)
    assert not compare.changed(saved, arrays("model.weights.h5"))

    assert "exists" in refused(rename, "model.weights.h5", "back.weights.h5", old, "x")
    assert "has no" in refused(rename, "model.weights.h5", "x.weights.h5", "none", "x")
    assert "already" in refused(rename, "model.weights.h5", "x.weights.h5", old, old)
    assert not compare.changed(saved, arrays("back.weights.h5"))

    # What the page says of Keras' own editor.
    with contextlib.redirect_stdout(io.StringIO()):
        editor = keras.saving.KerasFileEditor("model.weights.h5")
        editor.save("edited.weights.h5")
    lost = saved.keys() - arrays("edited.weights.h5").keys()
    assert lost == {place for place in saved if within_another(place)}
