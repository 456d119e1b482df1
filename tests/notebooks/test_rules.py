"""Each rule lets a good lesson pass and catches what it is there to catch."""

import nbformat
import pytest

from scripts.clean_notebooks import clean
from scripts.notebook_reading import objectives, stated_cost, word_count
from tests.notebooks import rules

HEADER = """# Autoencoders

How few numbers can hold a bar of music?

**Objectives.** After this lesson you can

- say what a code is;
- compute one by hand;
- tell a good code
  from a bad one.

**Prerequisites:** lesson 01. **Run time:** 34 s on two cores; **memory:** 0.9 GB."""
IMPORTS = "import numpy as np\nfrom matplotlib import pyplot as plt\nfrom musiclab import show\n\nseed = 3"
EQUATION = """## The encoder

| symbol | meaning | shape | name in code |
|---|---|---|---|
| $x$ | a bar | (1, 4) | `x` |

$$h = W x \\tag{3.1}$$

Read [the article](https://example.org/a) or [this file](00_first.ipynb#top); ![A bar as four squares](bar.png) too."""
PLOT = """fig, ax = plt.subplots()
ax.plot(x)
ax.set(xlabel="step", ylabel="pitch")
show.figure(fig, alt="A rising line of pitches")"""
END = "## Limits\n\nOne bar only.\n\n## Recap\n\n1. A code is short.\n2. By hand.\n3. A good one."
PROSE = "The bar is four beats long, and each of them is a number between zero and one. " * 100


@pytest.fixture
def folder(tmp_path):
    for name in ("00_first.ipynb", "bar.png"):
        (tmp_path / name).touch()
    return tmp_path


def lesson(changed=None, code=None, text=None):
    """A lesson that keeps every rule, with one cell changed: {position: source}; or one code or text cell put in."""
    sources = [
        HEADER,
        IMPORTS,
        EQUATION,
        "h = np.ones(2)  # Eq. (3.1)\nassert h.sum() == 2",
        PROSE,
        PLOT,
    ]
    sources += [f"total = sum(range({n}))\ntotal" for n in range(9)] + [END]
    kinds = [source in (HEADER, EQUATION, PROSE, END) for source in sources]
    for position, source in (changed or {}).items():
        sources[position] = source
    if code is not None:
        sources.insert(7, code)
        kinds.insert(7, False)
    if text is not None:
        sources.insert(4, text)
        kinds.insert(4, True)
    cells = [
        (nbformat.v4.new_markdown_cell if is_text else nbformat.v4.new_code_cell)(source)
        for is_text, source in zip(kinds, sources)
    ]
    raw = nbformat.writes(nbformat.v4.new_notebook(cells=cells), version=4)
    return nbformat.reads(clean(raw, "03"), as_version=4)


def test_a_good_lesson_passes(folder):
    assert rules.problems(lesson(), folder / "03_autoencoder.ipynb") == []


GOOD = {
    "a comment or a string with a percent sign": {"code": 'f"{3 % 2} %time"  # 100 %, what?'},
    "a modulo that begins a line": {"code": "left = (7\n % 2)\nleft"},
    "an address in a link to follow": {
        "text": "See https://example.org or <https://example.org/b>."
    },
    "a tag in a code span": {
        "text": "Never write `<img src='https://a.b/c.png'>` or `![](x.png)` or `# x`."
    },
    "brackets inside a formula": {"text": "Here $f[x](y)$ is applied, $$g[a](b)$$ too."},
    "a picture with alt text": {"text": '<img src="bar.png" alt="Four squares in a row">'},
    "a slash that is no path": {"code": 'unit = "/ bar"\nrate = "nats/note"\nhalf = "1/2"'},
    "a relative path": {"code": 'from pathlib import Path\n\nPath("../data/chorales.npz").name'},
    "a function that is handed its axis": {"code": "def draw(ax, x):\n    ax.plot(x)"},
    "plot settings": {"code": 'plt.rcParams["font.size"] = 12\nplt.close("all")'},
    "names that only look like an axis": {"code": "axis_order = [1, 0]\naxis_order.sort()"},
    "a figure shown by display": {
        "code": 'display(show.figure(plt.gcf(), alt="Two lines that cross"))\ntotal'
    },
    "an alt text that is computed": {
        "code": 'show.figure(plt.gcf(), alt=f"Loss after {total} steps")'
    },
    "an alt text without its name": {"code": 'show.figure(show.piano_roll([60]), "One short C4")'},
    "several things displayed": {"code": "display(show.score([60]), show.play([60]))\ntotal"},
    "a comparison as the answer": {"code": "total == 36"},
    "a fenced block with a comment": {"text": "```\n# not a heading\n```"},
    "a heading one deeper, then back": {"text": "### Deeper\n\nA word.\n\n## Back"},
}


@pytest.mark.parametrize("change", GOOD.values(), ids=GOOD.keys())
def test_what_is_allowed_passes(change, folder):
    assert rules.problems(lesson(**change), folder / "03_autoencoder.ipynb") == []


BAD = [
    ("plain_python", {"code": "%time total"}, "uses magic: %time"),
    ("plain_python", {"code": "!pip install x"}, "uses magic: !pip"),
    ("plain_python", {"code": "files = !ls"}, "uses magic: files = !ls"),
    ("plain_python", {"code": "np.ones?"}, "uses magic"),
    ("plain_python", {"code": "%%bash\nls"}, "uses magic: %%bash"),
    (
        "plain_python",
        {"code": "from IPython import get_ipython\nget_ipython().run_line_magic('time', '1')"},
        "get_ipython",
    ),
    ("plain_python", {"code": "def fill_in(x):\n    # your code"}, "does not parse"),
    ("plain_python", {"code": "answer = input('ready?')"}, "input()"),
    ("no_bare_show", {"code": "score = 1\nscore.show()"}, "calls score.show()"),
    ("no_bare_show", {"code": "score.show('midi')"}, "calls score.show()"),
    ("no_bare_show", {"changed": {5: PLOT + "\nplt.show()"}}, "calls plt.show()"),
    ("nothing_fetched", {"code": "import urllib.request"}, "imports urllib.request"),
    ("nothing_fetched", {"code": "from urllib import request"}, "imports urllib.request"),
    ("nothing_fetched", {"code": "import numpy, requests as r"}, "imports requests"),
    ("nothing_fetched", {"code": "from keras import datasets"}, "imports keras.datasets"),
    (
        "nothing_fetched",
        {"code": "from tensorflow.keras.datasets import mnist"},
        "imports tensorflow.keras.datasets",
    ),
    (
        "nothing_fetched",
        {"code": "tf.keras.applications.VGG16()"},
        "tf.keras.applications, which downloads",
    ),
    ("nothing_fetched", {"code": "keras.utils.get_file('a')"}, "get_file(), which downloads"),
    ("nothing_fetched", {"code": "import subprocess"}, "imports subprocess"),
    (
        "nothing_fetched",
        {"code": "import os\nos.system('ls')"},
        "system(), which runs another program",
    ),
    ("nothing_fetched", {"code": "page = 'https://example.org/a.mid'"}, "address in its code"),
    ("nothing_fetched", {"code": "page = f'http://{total}'"}, "address in its code"),
    (
        "nothing_fetched",
        {"text": "![A bar as squares](https://example.org/a.png)"},
        "load a picture from outside",
    ),
    (
        "nothing_fetched",
        {"text": "<img alt='A bar as squares' src='//example.org/a.png'>"},
        "load something from outside",
    ),
    ("nothing_fetched", {"text": "<script>let x = 1</script>"}, "load something from outside"),
    (
        "nothing_fetched",
        {"text": "<iframe src=https://example.org></iframe>"},
        "load something from outside",
    ),
    (
        "no_absolute_path",
        {"code": "open('/data/music/a.mid')"},
        "absolute path '/data/music/a.mid'",
    ),
    ("no_absolute_path", {"code": "open('/tmp')"}, "absolute path"),
    ("no_absolute_path", {"code": "open(f'/home/{total}/x')"}, "absolute path"),
    ("no_absolute_path", {"code": "open(r'C:\\music\\a.mid')"}, "absolute path"),
    ("no_absolute_path", {"code": "open('~/a.mid')"}, "absolute path"),
    ("no_absolute_path", {"code": "from pathlib import Path\n\nPath.home()"}, "home()"),
    ("no_absolute_path", {"text": "It is in /home/ada/music."}, "names an absolute path"),
    ("no_absolute_path", {"text": "It is in `C:\\Users\\ada`."}, "names an absolute path"),
    ("ordered_headings", {"text": "# Another title"}, "2 headings of level 1"),
    ("ordered_headings", {"text": "#### Too deep"}, "jumps from heading level 2 to 4"),
    ("ordered_headings", {"text": "##"}, "says nothing"),
    ("ordered_headings", {"text": "Underlined\n---"}, "isn't written as"),
    ("ordered_headings", {"text": "<h2>Tagged</h2>"}, "isn't written as"),
    ("ordered_headings", {"text": "##Unspaced"}, "isn't written as"),
    (
        "ordered_headings",
        {"changed": {0: "Welcome.\n\n" + HEADER}},
        "does not begin with its title",
    ),
    (
        "ordered_headings",
        {"changed": {0: HEADER.replace("# Auto", "## Auto")}},
        "does not begin with its title",
    ),
    ("alt_text", {"text": "![](bar.png)"}, "without alt text: bar.png"),
    ("alt_text", {"text": "![plot](bar.png)"}, "without alt text: bar.png"),
    ("alt_text", {"text": "<img src='bar.png'>"}, "<img> without alt text"),
    ("alt_text", {"text": "<svg viewBox='0 0 1 1'></svg>"}, "<svg> without alt text"),
    ("alt_text", {"code": "HTML(f'<img src={total}>')"}, "<img> without alt text"),
    ("alt_text", {"code": "Image('bar.png')"}, "Image without alt"),
    ("figures", {"code": "plt.plot([1, 2])"}, "draws (plt.plot)"),
    ("figures", {"code": "ax.set_title('late')"}, "draws (ax.set_title)"),
    ("figures", {"code": "axes[0, 1].plot([1])"}, "draws (axes[0, 1].plot)"),
    ("figures", {"code": "fig.suptitle('late')"}, "draws (fig.suptitle)"),
    (
        "figures",
        {"changed": {5: PLOT.replace(', alt="A rising line of pitches"', "")}},
        "without an alt",
    ),
    (
        "figures",
        {"changed": {5: PLOT.replace("A rising line of pitches", "plot")}},
        "without an alt",
    ),
    ("figures", {"changed": {5: PLOT + "\ntotal = 1"}}, "calls show.figure where nobody sees it"),
    ("figures", {"code": "show.play([60])\ntotal"}, "calls show.play where nobody sees it"),
    ("figures", {"code": "show.piano_roll([60])"}, "draws (show.piano_roll)"),
    ("header", {"changed": {0: HEADER.replace("?", ".")}}, "asks no question"),
    (
        "header",
        {"changed": {0: HEADER.replace("- compute one by hand;\n", "")}},
        "names 2 objectives",
    ),
    ("header", {"changed": {0: HEADER.replace("Objectives", "Aims")}}, "names 0 objectives"),
    ("header", {"changed": {0: HEADER.replace("Prerequisites", "Before")}}, "prerequisites"),
    (
        "header",
        {"changed": {0: HEADER.replace("34 s", "short")}},
        "does not state its measured cost",
    ),
    (
        "header",
        {"changed": {0: HEADER.replace("; **memory:** 0.9 GB", "")}},
        "does not state its measured cost",
    ),
    (
        "header",
        {"changed": {0: HEADER.replace("34 s", "61 s")}},
        "takes 61 s and 900 MB: at most 60 s",
    ),
    ("header", {"changed": {0: HEADER.replace("0.9 GB", "1.6 GB")}}, "takes 34 s and 1600 MB"),
    ("seed_set", {"changed": {1: IMPORTS.replace("seed = 3", "SEED = 3")}}, "does not set seed"),
    ("seed_set", {"changed": {1: "seed = 3\nx = 1"}}, "does not begin its code with the imports"),
    ("seed_set", {"code": "np.random.seed(seed)"}, "calls np.random.seed"),
    ("proof", {"changed": {3: "h = 1  # Eq. (3.1)\nh"}}, "proves nothing"),
    ("proof", {"code": "h.shape == (2,)\ntotal"}, "compares without assert: h.shape == (2,)"),
    (
        "symbol_table",
        {"changed": {2: EQUATION.replace("| shape |", "| size |")}},
        "no table | symbol",
    ),
    (
        "links",
        {"text": "Go to [the next](04_training.ipynb)."},
        "links to 04_training.ipynb, which does not exist",
    ),
    (
        "links",
        {"text": "Go to [the next][n].\n\n[n]: 04_training.ipynb"},
        "links to 04_training.ipynb",
    ),
    ("links", {"text": "Go to <a href='04_training.ipynb'>it</a>."}, "links to 04_training.ipynb"),
    ("links", {"text": "See ![A bar as squares](lost.png)."}, "links to lost.png"),
    ("links", {"text": "Go to [the next][nowhere]."}, "leads nowhere"),
    ("recap", {"changed": {15: END.replace("Limits", "Edges")}}, "no section on its limits"),
    ("recap", {"changed": {15: END.replace("Recap", "Goodbye")}}, "has no recap"),
    ("recap", {"changed": {15: END.replace("\n2. By hand.", "")}}, "recaps 2 of its 3 objectives"),
    ("words", {"changed": {4: "Short."}}, "words: 1200 to 2800"),
    ("words", {"text": PROSE}, "words: 1200 to 2800"),
    ("code_lengths", {"code": "\n".join(["total += 1"] * 21)}, "has 21 lines: at most 20"),
    ("code_lengths", {"code": "  \n"}, "has no code"),
    (
        "code_lengths",
        {"changed": {n: "total = 0\n" * 7 for n in range(6, 13)}},
        "7 lines in the median",
    ),
]


@pytest.mark.parametrize(
    ("rule", "change", "said"), BAD, ids=[f"{rule}: {said[:40]}" for rule, _, said in BAD]
)
def test_each_fault_is_caught_and_named(rule, change, said, folder):
    path, bad = folder / "03_autoencoder.ipynb", lesson(**change)
    found = list(getattr(rules, rule)(bad, path))
    assert any(said in problem for problem in found), found
    assert set(found) <= set(rules.problems(bad, path)), f"{rule} is not applied"


@pytest.mark.parametrize("count", [11, 29])
def test_too_few_and_too_many_code_cells_are_caught(count, folder):
    nb = lesson()
    codes = [cell for cell in nb.cells if cell.cell_type == "code"]
    nb.cells = (codes * 3)[:count]
    assert f"has {count} code cells: 12 to 28 fit a lesson" in list(
        rules.code_lengths(nb, folder / "03_autoencoder.ipynb")
    )


def test_words_count_no_code_and_no_formulas():
    text = "Two words.\n\n```\nnot these\n```\n\n$$nor + those \\tag{1.1}$$\n\n"
    text += "A $formula$ is `one word` each.\n\n- an item\n- it's 3.5"
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    assert word_count(nb) == 2 + 5 + 2 + 2


def test_the_header_is_read_as_written():
    assert objectives(lesson()) == 3
    assert stated_cost(lesson()) == (34, 900)


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (
            {"outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}]},
            "has outputs stored",
        ),
        ({"execution_count": 4}, "has an execution count"),
        ({"id": "e61fd4b0"}, "not as it should be stored"),
        ({"id": "03-twice"}, "not as it should be stored"),
        ({"metadata": {"tags": ["hide-input"]}}, "not as it should be stored"),
        ({"metadata": {"jupyter": {"source_hidden": True}}}, "not as it should be stored"),
    ],
)
def test_what_running_leaves_behind_is_caught(left, said, folder):
    nb = lesson()
    nb.cells[3].id = "03-twice"
    nb.cells[5].update(nbformat.from_dict(left))
    found = list(rules.clean_as_stored(nb, folder / "03_autoencoder.ipynb"))
    assert any(said in problem for problem in found), found


def test_what_a_machine_leaves_in_the_metadata_is_caught(folder):
    nb = lesson()
    nb.metadata.language_info.version = "3.12.1"
    assert list(rules.clean_as_stored(nb, folder / "03_autoencoder.ipynb"))


@pytest.mark.parametrize(
    "name", ["03-autoencoder.ipynb", "03_Auto Encoder.ipynb", "03.ipynb", "3_autoencoder.ipynb"]
)
def test_other_names_are_caught(name, folder):
    assert list(rules.file_name(lesson(), folder / name))


def test_every_rule_has_an_example_that_must_fail():
    tested_above = {"clean_as_stored", "file_name"}
    assert {rule.__name__ for rule in rules.RULES} == {rule for rule, *_ in BAD} | tested_above
