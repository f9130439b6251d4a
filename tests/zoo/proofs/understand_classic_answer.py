"""The page on the classic answer judges its code, and offers nothing for pasting."""

SHOWS = {"understand/classic_answer.py": "same_as_inference MyModel identical tell"}
