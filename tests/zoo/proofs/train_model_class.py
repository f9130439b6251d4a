"""The callback that watches the statistics of a model class."""

import keras
import numpy as np

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {"train/model_class.py": "Net statistics fit WithoutTraining WithHead outcome"}


@proof("train/model_class.py:StatisticsMove")
def statistics_move(recipe, member):
    def train(model, callbacks):
        x, y = member.data()
        keras.utils.set_random_seed(1)
        model.fit(x, y, member.batch_size, 2, 0, callbacks=callbacks, shuffle=False)

    # It changes nothing, and lets sound models pass, frozen layers included.
    plain, watched = compare.compiled(member), compare.compiled(member)
    train(plain, [])
    train(watched, [recipe["StatisticsMove"]()])
    one, other = compare.state(plain).values(), compare.state(watched).values()
    for value, same in zip(one, other, strict=True):
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(value, same, 1e-4, 1e-4)

    # One layer stands still, with statistics that are far from 0 and 1 by now.
    still = [layer for layer in compare.norms_of(watched) if layer.trainable][-1]
    call = still.call

    def in_inference(inputs, training=None, mask=None):
        return call(inputs, training=False, mask=mask)

    still.call = in_inference
    watched.compile(member.optimizer(), member.loss)
    path = still.moving_mean.path.rpartition("/")[0]
    try:
        train(watched, [recipe["StatisticsMove"]()])
    except RuntimeError as error:
        assert str(error) == f"statistics did not move: [{path!r}]", error
    else:
        raise AssertionError("it did not notice")
    train(watched, [recipe["StatisticsMove"](fixed=[still])])
    still.trainable = False
    watched.compile(member.optimizer(), member.loss)
    train(watched, [recipe["StatisticsMove"]()])

    # In the same order, a run that goes on ends each epoch where it began.
    again = member.build()
    for bn in compare.norms_of(again):
        bn.momentum = 0.0
    again.compile(keras.optimizers.SGD(0.0), member.loss)
    train(again, [])
    train(again, [recipe["StatisticsMove"]()])
