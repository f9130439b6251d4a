"""One module per page: ``train_model_class.py`` proves ``train/model_class.py``."""
