"""The page on masks shows what is counted, and offers nothing for pasting."""

SHOWS = {
    "train/masks_and_sequences.py": "counted Double try_between MaskedDouble padding "
    "Cell shared gaps separate joined sequence through"
}
