"""The page shows calls of Keras; its functions only build what they are shown on."""

SHOWS = {
    "save/legacy_h5.py": "build_model compare Net build_nested arrays build_mixed "
    "Norms KeptNorms with_head edit with_lr with_groups WithoutGroups"
}
