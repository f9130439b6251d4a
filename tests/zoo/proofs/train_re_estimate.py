"""The pages repair with ``estimate_again``, proven with the tool file."""

SHOWS = {
    "train/re_estimate.py": "build fit accuracy InferenceMode",
    "trouble/statistics/sorted_batches.py": "scores show apart",
    "trouble/statistics/estimate_harms.py": "WithoutTraining WithTraining "
    "fitted accuracy",
    "trouble/statistics/small_pass.py": "variances show",
    "trouble/statistics/other_data.py": "data accuracy show",
    "trouble/statistics/by_hand.py": "momentum_0 build facts",
    "trouble/statistics/learning_rate_0.py": "show",
}
