"""The page on masks shows what is counted, and offers nothing for pasting."""

SHOWS = {"train/masks_and_sequences.py": "counted Cell functional shared build through"}
