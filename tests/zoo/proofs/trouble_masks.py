"""The traps of masks show what is counted, and offer nothing for pasting."""

SHOWS = {
    "trouble/masks/axis_1.py": "make_model",
    "trouble/masks/behind.py": "padding ZeroPadding",
    "trouble/masks/dropped.py": "counted Double try_between MaskedDouble",
    "trouble/masks/h5.py": "make_model",
    "trouble/masks/not_found.py": "counted train_on",
    "trouble/masks/only_padding.py": "train_on",
    "trouble/masks/renorm.py": "make_model",
    "trouble/masks/shared.py": "gaps",
    "trouble/masks/time_distributed.py": "Cell gap mean_of_ones",
}
