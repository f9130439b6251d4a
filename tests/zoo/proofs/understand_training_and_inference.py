"""The page on the two modes shows what happens, and offers nothing for pasting."""

SHOWS = {
    "understand/training_and_inference.py": "mean_of_outputs report compiled "
    "functional WithoutTraining NotPassedOn PlainLayer keras_row fit evaluate "
    "in_tape array statistics beta_trained train FixedStatistics moved_by_fit"
}
