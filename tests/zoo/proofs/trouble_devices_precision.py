"""The traps of devices and precision show, and offer nothing for pasting."""

SHOWS = {
    "trouble/devices_precision/bfloat16_h5.py": "make_model",
    "trouble/devices_precision/compiled_checkpoint.py": "make_model",
    "trouble/devices_precision/device_0.py": "make_model copies report",
    "trouble/devices_precision/floatx.py": "make_model report",
    "trouble/devices_precision/last_batch.py": "copies sizes make_model",
    "trouble/devices_precision/mask.py": "copies train_on",
    "trouble/devices_precision/one_row.py": "copies",
    "trouble/devices_precision/other_policy.py": "report",
    "trouble/devices_precision/pooled.py": "make_model copies pool report",
    "trouble/devices_precision/quantized.py": "make_model",
    "trouble/devices_precision/scale_loss.py": "run loss_scaling step scaled_step",
    "trouble/devices_precision/second_strategy.py": "train",
    "trouble/devices_precision/statistics_stop.py": "train",
    "trouble/devices_precision/variance_overflow.py": "report",
}
