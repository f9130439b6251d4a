"""The pages show calls of Keras; what they define is only what these are shown on."""

SHOWS = {
    "trouble/h5/by_name.py": "build",
    "trouble/h5/groups.py": "build load Transpose Depthwise",
    "trouble/h5/name_exists.py": "Block trained tries",
    "trouble/h5/other_head.py": "build",
    "trouble/h5/own_layer.py": "Norms KeptNorms saved_and_loaded report",
    "trouble/h5/rmsprop.py": "trained",
    "trouble/h5/subclassed.py": "Net",
    "trouble/h5/swapped.py": "build arrays",
}
