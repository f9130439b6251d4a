"""Which lost shards are noticed, and the check that notices all of them."""

import json
import shutil
from pathlib import Path

import numpy as np

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {"trouble/shards/missing_shard.py": "compiled load_without"}


@proof("trouble/shards/missing_shard.py:missing_shards")
def missing_shards(recipe, member):
    model, _ = compare.trained(member, epochs=1)
    model = _without_optimizer(member, model)
    sizes = [compare._array(weight).nbytes for weight in model.weights]
    for factor in (1.001, 2.1):
        shutil.rmtree("saved", ignore_errors=True)
        Path("saved").mkdir()
        index = Path("saved/s.weights.json")
        model.save_weights(index, max_shard_size=factor * max(sizes) / 1024**3)
        assert recipe["missing_shards"](index) == []
        places = json.loads(index.read_text())["weight_map"].values()
        for path in sorted(Path("saved").glob("*.h5"))[:8]:
            path.rename("lost")
            assert recipe["missing_shards"](index) == [path.name]
            assert _raises(member, index) == _begins(places, path.name), path.name
            Path("lost").rename(path)
        assert not _raises(member, index)


def _without_optimizer(member, trained):
    model = member.build()
    for new, old in zip(model.weights, trained.weights, strict=True):
        new.assign(old)
    return model


def _begins(places, lost):
    """Return whether the first layer with arrays in a shard begins in it."""
    lists = [np.ravel(names).tolist() for names in places]
    return next(names[0] for names in lists if lost in names) == lost


def _raises(member, index):
    try:
        member.build().load_weights(index)
    except FileNotFoundError:
        return True
    return False
