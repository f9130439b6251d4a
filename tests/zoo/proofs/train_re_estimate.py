"""The page repairs with ``estimate_again``, proven with the tool file."""

SHOWS = {
    "train/re_estimate.py": "build fit accuracy WithoutTraining WithTraining "
    "InferenceMode variances momentum_0 noisy facts show line"
}
