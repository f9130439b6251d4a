"""The pages look into files with functions that know the names of their one model."""

SHOWS = {
    "understand/what_formats_write.py": "show arrays_in show_checkpoint",
    "understand/attribute_names.py": "show moving_mean_of Net",
}
