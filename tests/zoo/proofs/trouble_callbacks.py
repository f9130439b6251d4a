"""A callback that is started anew goes on with what it had counted."""

import keras
import numpy as np
import pytest

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {
    "trouble/callbacks/counters_forgotten.py": "fit epochs rates forgetting keeping"
}


@proof("trouble/callbacks/counters_forgotten.py:KeptPlateau")
def kept_plateau(recipe, member):
    # Nothing counts as an improvement, so that two epochs after a pause of three halve
    # the rate. All counters matter: some stops are in the pause.
    settings = {
        "monitor": "loss",
        "factor": 0.5,
        "patience": 2,
        "min_delta": 1e6,
        "cooldown": 3,
    }
    x, y = member.data()
    rates = {}
    for case, stops in {"whole": [8], "halves": [3, 8], "thirds": [2, 4, 8]}.items():
        model, rates[case], start = compare.compiled(member), [], 0
        for stop in stops:
            callback = recipe["KeptPlateau"](f"{case}/plateau.json", **settings)
            history = model.fit(
                x,
                y,
                batch_size=member.batch_size,
                initial_epoch=start,
                epochs=stop,
                callbacks=[callback],
                verbose=0,
            )
            rates[case] += history.history["learning_rate"]
            start = stop
        with pytest.raises(ValueError, match="knows nothing of epoch 8"):
            callback = recipe["KeptPlateau"](f"{case}/plateau.json", **settings)
            model.fit(x, y, initial_epoch=9, epochs=10, callbacks=[callback], verbose=0)
    plain = compare.compiled(member).fit(
        x,
        y,
        batch_size=member.batch_size,
        epochs=8,
        callbacks=[keras.callbacks.ReduceLROnPlateau(**settings)],
        verbose=0,
    )
    expected = plain.history["learning_rate"]
    assert len(set(expected)) > 1
    for case, found in rates.items():
        np.testing.assert_allclose(found, expected, err_msg=case)
