"""The page shows calls of Keras; its functions only build what they are shown on."""

SHOWS = {"save/weights_only.py": "build_model"}
