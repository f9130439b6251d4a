"""The page shows calls of Keras; its functions only build what they are shown on."""

SHOWS = {"save/legacy_h5.py": "build_model compare"}
