"""The proving ground: what pages offer for pasting, run on models like the readers'."""
