"""Only demonstrations: what the page offers for pasting is in the tool file."""

SHOWS = {
    "verify/prove_a_reload.py": "build tell Block build_block freeze Net Sample "
    "run_test scaled"
}
