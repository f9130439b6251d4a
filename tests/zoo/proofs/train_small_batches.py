"""Nothing to paste but calls of ``bn_tools.py``, which has proofs of its own."""

SHOWS = {
    "train/small_batches.py": "build report batch_statistics found train good "
    "groups_of_8 normalized kernel_after_32_rows frozen"
}
