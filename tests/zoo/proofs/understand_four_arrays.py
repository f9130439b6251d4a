"""The pages on the arrays of a layer show what is there; nothing is for pasting."""

SHOWS = {
    "understand/four_arrays.py": "shapes normalized equal",
    "understand/array_lists.py": "names print_lists train",
}
