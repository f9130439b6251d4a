"""The page looks into files with functions that know the names of its one model."""

SHOWS = {"understand/what_formats_write.py": "show arrays_in show_checkpoint Net"}
