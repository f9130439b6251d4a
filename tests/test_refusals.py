"""Where a page's code refuses: it does, on the case that the page does not show."""

from pathlib import Path

from tests import pages, runner

ROOT = Path(__file__).parents[1]


def refusal(name: str, change: str, message: str, folder: Path) -> str | None:
    """Run a page up to the block that has a message, with a change before that one.

    Args:
        name: The page, below the root.
        change: Python source that makes the case which is to be refused.
        message: Part of the message, in the source of one block.
        folder: Working directory.

    Returns:
        The error that ended the block; `None` if it ran to its end.
    """
    blocks = [b for b in pages.read(ROOT / name, ROOT).blocks if b.reason is None]
    (last,) = [n for n, block in enumerate(blocks) if message in block.code]
    with runner.Script(folder) as script:
        for code in [*(block.code for block in blocks[:last]), change]:
            assert (result := script.run(code)).error is None, result
        return script.run(blocks[last].code).error


def test_a_file_is_not_renamed_over_another(tmp_path):
    """The other file stays as it was."""
    page = "docs/trouble/damaged/not-found.md"
    change, message = "Path('renamed.h5').write_text('mine')", "would write over it"
    error = refusal(page, change, message, tmp_path)
    assert error == "FileExistsError: rename would write over it"
    assert (tmp_path / "renamed.h5").read_text() == "mine"
    assert (tmp_path / "hdf5.keras").exists()
