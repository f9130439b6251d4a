"""Nothing to paste but calls of ``bn_tools.py``, which has proofs of its own."""

SHOWS = {"train/small_batches.py": "build report"}
