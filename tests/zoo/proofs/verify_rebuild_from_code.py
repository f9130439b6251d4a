"""Only demonstrations: what the page offers for pasting is in the tool file."""

SHOWS = {
    "verify/rebuild_from_code.py": "build",
    "understand/what_loads_notice.py": (
        "build save with_arrays outcome table verdict compiled"
    ),
    "trouble/code_differs/attributes.py": "Net build outcome Block",
    "trouble/code_differs/axis.py": "build",
    "trouble/code_differs/beta_as_gamma.py": "build",
    "trouble/code_differs/branches.py": "build load",
    "trouble/code_differs/epsilon.py": "build",
    "trouble/code_differs/fewer.py": "build",
    "trouble/code_differs/half_loaded.py": "build tell",
    "trouble/code_differs/left_over.py": "build",
    "trouble/code_differs/order.py": "build",
    "trouble/code_differs/received_4.py": "build load",
}
