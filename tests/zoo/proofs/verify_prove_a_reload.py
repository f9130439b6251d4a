"""Only demonstrations: what the page offers for pasting is in the tool file."""

SHOWS = {
    "verify/prove_a_reload.py": "build tell run_test",
    "trouble/code_differs/broken_before.py": "after",
    "trouble/code_differs/dead_layer.py": "with_lost_statistics",
    "trouble/code_differs/draws.py": "Sample tell",
    "trouble/code_differs/last_digits.py": "build",
    "trouble/code_differs/small_outputs.py": "scaled",
}
