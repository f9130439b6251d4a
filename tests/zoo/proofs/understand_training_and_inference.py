"""The page on the two modes shows what happens, and offers nothing for pasting."""

SHOWS = {
    "understand/training_and_inference.py": "mean_of_outputs report compiled "
    "functional WithoutTraining NotPassedOn FixedStatistics PlainLayer row fit "
    "evaluate in_tape stateless"
}
