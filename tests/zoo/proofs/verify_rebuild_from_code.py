"""Only demonstrations: what the page offers for pasting is in the tool file."""

SHOWS = {
    "verify/rebuild_from_code.py": "build save outcome table off verdict "
    "functional settle Net subclassed Norm with_class "
    "with_arrays"
}
