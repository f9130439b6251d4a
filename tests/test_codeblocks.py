"""The collector is tested with tiny pages, each of which would be green elsewhere."""

# Imported here, because pytester forgets the modules that a run imports, and with this
# one the server that has TensorFlow loaded.
import multiprocessing.forkserver  # noqa: F401
import textwrap

import pytest

pytest_plugins = ["pytester"]

SNIPPET = """\
# --8<-- [start:define]
def divide(a, b):
    return a / b


# --8<-- [end:define]

# --8<-- [start:use]
print("half", divide(1, 2))
divide(1, 0)
# --8<-- [end:use]
"""


@pytest.fixture
def small_site(pytester):
    """Run the collector on a site made of the given pages.

    Pages are written with ``'''`` for a fence, and includes with ``<<``.
    """
    pytester.makefile(
        ".yml",
        mkdocs=(
            "markdown_extensions:\n- pymdownx.snippets:\n"
            "    {base_path: [.], check_paths: true, dedent_subsections: true}\n"
        ),
    )
    pytester.makeini("[pytest]\ntestpaths = docs")
    pytester.mkdir("docs")
    pytester.mkdir("snippets")
    (pytester.path / "snippets" / "math.py").write_text(SNIPPET)

    def run(*options, **pages):
        for name, text in pages.items():
            text = textwrap.dedent(text).strip().replace("'''", "```")
            text = text.replace("<<", "--8<--") + "\n"
            (pytester.path / "docs" / f"{name}.md").write_text(text)
        return pytester.runpytest_inprocess("-p", "tests.codeblocks", *options)

    run.path = pytester.path
    return run


def expect(result, *lines, **outcomes):
    """Assert the outcomes of a run, and that the report holds these lines in order."""
    result.assert_outcomes(**outcomes)
    result.stdout.fnmatch_lines([f"*{line}*" for line in lines])


@pytest.mark.parametrize(
    "info",
    [
        "python",
        "py",
        " python",
        'python title="own.py"',
        'python hl_lines="1"',
        "{ .python .annotate }",
        '{.python hl_lines="1"}',
    ],
)
def test_every_spelling_of_a_python_fence_runs(small_site, info):
    result = small_site(page=f"'''{info}\nraise ValueError('it ran')\n'''")
    expect(result, "docs/page.md:2: ValueError: it ran", failed=1)


@pytest.mark.parametrize(
    "text, message",
    [
        ("~~~python\n1 / 0\n~~~", "docs/page.md:1: write fences with backticks"),
        ("> '''python\n> 1 / 0\n> '''", "docs/page.md:1: write fences with backticks"),
        ("'''\n1 / 0\n'''", "docs/page.md:1: fence of language ''"),
        ("'''pycon\n>>> 1 / 0\n'''", "docs/page.md:1: fence of language 'pycon'"),
        ("'''python\n1 / 0", "docs/page.md: Hit end-of-file"),
        (
            "'''python title='nice'\n1\n'''",
            "docs/page.md:1: a title is either the name of a script*'nice'",
        ),
        ("<!--pytest.mark.skip-->\n'''python\n1 / 0\n'''", "docs/page.md:1: '<!--pyt"),
        (
            "text\n\n<!--pytest-codeblocks:cont-->\n'''python\n1\n'''",
            "docs/page.md:3: '<!--pytest-codeblocks:cont-->' has no place on a page",
        ),
        ("<!--pytest-codeblocks:skipfile-->\n'''python\n1 / 0\n'''", "docs/page.md:1:"),
        (
            "'''python\n<< 'snippets/none.py:a'\n'''",
            "docs/page.md:2: *snippets/none.py* could not be found",
        ),
        (
            "---\ntitle: x\n---\n\n'''python\n<< 'snippets/math.py:none'\n'''",
            "docs/page.md:6: *'none' could not be located",
        ),
        (
            "'''bash\nls\n'''\n<!--pytest-codeblocks:expected-output-->\n'''text\n'''",
            "docs/page.md:1: an expected output belongs right below a Python block",
        ),
    ],
)
def test_what_would_be_shown_and_not_run_is_refused(small_site, text, message):
    expect(small_site(page=text), message, errors=1)


def test_includes_are_expanded_and_failures_name_the_snippet(small_site):
    result = small_site(
        page="""
        '''python
        << "snippets/math.py:define"
        '''

        '''python
        << "snippets/math.py:use"
        '''
        """
    )
    expect(
        result,
        "snippets/math.py:3: ZeroDivisionError: division by zero",
        "in the block at docs/page.md:5, called through",
        "snippets/math.py:10: divide(1, 0)",
        "snippets/math.py:3: return a / b",
        "half 0.5",
        failed=1,
    )


def test_an_include_in_a_function_body_is_expanded(small_site):
    result = small_site(
        page="""
        '''python
        def body():
            << "snippets/math.py:define"
            return divide(1, 0)

        body()
        '''
        """
    )
    expect(result, "snippets/math.py:3: ZeroDivisionError", failed=1)


def test_a_syntax_error_names_its_line(small_site):
    expect(
        small_site(page="'''python\nx = 1\nx = = 2\n'''"),
        "docs/page.md:3: *SyntaxErr",
        failed=1,
    )


def test_a_page_is_one_script_that_runs_as_main(small_site):
    result = small_site(
        page="""
        '''python
        import inspect
        import pickle


        class Kept:
            value = 1


        assert __name__ == "__main__", __name__
        assert Kept.__module__ == "__main__", Kept.__module__
        '''

        '''text
        not Python
        '''

        - in a list

            '''python
            assert pickle.loads(pickle.dumps(Kept())).value == 1
            assert inspect.getsource(Kept).startswith("class Kept:")
            print("ran")
            '''

            <!--pytest-codeblocks:expected-output-->
            '''text
            ran
            '''
        """
    )
    expect(result, "Python blocks: *2 ran, *1 outputs compared", passed=1)


def test_each_page_has_a_process_and_an_empty_folder_of_its_own(small_site):
    page = """
    '''python
    import os
    import sys

    import keras

    assert not os.listdir()
    assert not hasattr(sys, "left_behind")
    assert keras.layers.BatchNormalization().name == "batch_normalization"
    sys.left_behind = open("left_behind.txt", "w").close() is None
    '''
    """
    expect(small_site(one=page, two=page), passed=2)
    assert not list(small_site.path.rglob("left_behind.txt"))


def test_a_titled_block_is_a_script_of_its_own_in_the_same_folder(small_site):
    result = small_site(
        page="""
        '''python
        x = 1
        open("kept.txt", "w").write("kept")
        '''

        '''python title="other.py"
        print(open("kept.txt").read(), "x" in globals())
        '''

        <!--pytest-codeblocks:expected-output-->
        '''text
        kept False
        '''

        '''python
        assert x == 1
        '''
        """
    )
    expect(result, "3 ran", passed=1)


def test_a_block_with_a_visible_reason_is_not_run(small_site):
    result = small_site(
        page="""
        '''python title="Not run here: needs two GPUs"
        1 / 0
        '''
        """
    )
    expect(result, "0 ran, 1 with a reason why not", passed=1)


def test_a_page_may_belong_to_another_session_with_fresh_interpreters(small_site):
    page = "'''python\nimport sys\n\nassert ('keras' in sys.modules) is {}\n'''"
    one = "---\nsession: backends\n---\n" + page.format(False)
    pages = {"one": one, "two": page.format(True)}
    expect(small_site("-m", "not session", **pages), passed=1, deselected=1)
    expect(small_site("-m", "session", **pages), passed=1, deselected=1)


def test_a_page_that_takes_long_runs_in_the_everyday_environment(small_site):
    page = "'''python\nimport sys\n\nassert 'keras' in sys.modules\n'''"
    pages = {"one": "---\nsession: long\n---\n" + page}
    expect(small_site("-m", "not session", **pages), deselected=1)
    expect(small_site("-m", "session", **pages), passed=1)


@pytest.mark.parametrize(
    "code, message",
    [
        ("raise SystemExit(3)", "the block ended the script: SystemExit: 3"),
        ("import os; os._exit(7)", "the process ended with exit code 7"),
        ("import os; os.abort()", "the process ended with exit code -6"),
        ("import time; time.sleep(30)", "still running after 1 s"),
    ],
)
def test_the_end_of_the_process_is_a_failure_with_a_place(
    small_site, monkeypatch, code, message
):
    monkeypatch.setattr("tests.runner.TIMEOUT", 1)
    result = small_site(page=f"'''python\n{code}\n'''", two="'''python\n1\n'''")
    expect(result, f"docs/page.md:2: {message}", failed=1, passed=1)


OUTPUT = """
'''python
import subprocess
import sys

print("one", flush=True)
subprocess.run([sys.executable, "-c", "print('two')"], check=True)
'''

<!--pytest-codeblocks:expected-output-->
'''text
one
two
'''
"""


def test_the_output_of_subprocesses_counts(small_site):
    expect(small_site(page=OUTPUT), "1 outputs compared", passed=1)


@pytest.mark.parametrize(
    "page, lines",
    [
        (
            OUTPUT.replace("one\ntwo", "one\nTWO"),
            ["docs/page.md:1:*not what", "-TWO", "+two"],
        ),
        ("'''python\nprint(1)\n'''", ["docs/page.md:1: *shows no output", "+1"]),
        (
            OUTPUT.replace('print("one", flush=True)', ""),
            ["docs/page.md:1: *not what", "-one"],
        ),
    ],
)
def test_other_output_than_shown_is_a_failure(small_site, page, lines):
    expect(small_site(page=page), *lines, failed=1)


def test_outputs_are_written_into_the_page(small_site):
    page = """
    ---
    title: x
    ---

    !!! note

        '''python
        print("a\\n\\nb")
        '''

        Text between.

    '''python
    print("new")
    '''

    <!--pytest-codeblocks:expected-output-->
    '''text
    old
    '''

    '''python
    1 + 1
    '''

    <!--pytest-codeblocks:expected-output-->
    '''text
    gone
    '''
    """
    expect(small_site("--update-outputs", page=page), passed=1)
    written = (small_site.path / "docs" / "page.md").read_text()
    assert "    ```text\n    a\n\n    b\n    ```\n\n    Text" in written
    assert "```text\nnew\n```" in written
    assert "old" not in written
    assert "gone" not in written
    expect(small_site(), "3 ran, *3 outputs compared", passed=1)


def test_a_page_that_fails_is_not_rewritten(small_site):
    page = "'''python\nprint(1)\n'''\n\n'''python\n1 / 0\n'''"
    expect(small_site("--update-outputs", page=page), failed=1)
    assert "expected-output" not in (small_site.path / "docs" / "page.md").read_text()


PLOT = """
'''python
import matplotlib.pyplot as plt

plt.plot([0, 1], [0, {}])
plt.savefig("curve.svg")
'''

![A line that rises.](curve.svg){{ .plot }}
"""


def test_a_plot_that_a_block_writes_is_compared_and_updated(small_site):
    page = PLOT.format(1)
    expect(small_site(page=page), "curve.svg is written by a block, but not", failed=1)
    expect(small_site("--update-outputs"), passed=1)
    expect(small_site(), "1 outputs compared", passed=1)
    shown = (small_site.path / "docs" / "curve.svg").read_text()
    expect(small_site("--update-outputs"), passed=1)
    assert (small_site.path / "docs" / "curve.svg").read_text() == shown
    page = PLOT.replace("[0, 1], [", "[0, 1, 2], [0, ").format(1)
    expect(small_site(page=page), "curve.svg: figure: shown <", failed=1)


def test_a_plot_that_no_block_writes_is_a_failure(small_site):
    page = PLOT.format(1).replace("savefig", "title")
    expect(
        small_site(page=page), "docs/page.md: curve.svg is shown as a plot", failed=1
    )
