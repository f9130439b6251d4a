"""The pages on mixed and half precision show, and offer nothing for pasting."""

SHOWS = {
    "train/mixed_precision.py": "make_model",
    "save/float16_on_purpose.py": "make_model bn_equal make_half outcome",
}
