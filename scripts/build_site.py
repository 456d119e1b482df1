"""Build the website: `make site`. Lessons are run once for each state of what they depend on, then rendered.

python scripts/build_site.py                     everything, into build/site
python scripts/build_site.py --lessons 00 01     run only these; the others are shown without
outputs python scripts/build_site.py --last-run          run nothing: show what each lesson's last
run gave
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from musiclab.setup import lab  # noqa: E402  (found through the line above)
from musiclab.show import web  # noqa: E402
from scripts.website import addresses, equations, lessons, listen, pages, play, run, slides  # noqa: E402

SITE = ROOT / "site"
BUILD = ROOT / "build"
CACHE = BUILD / "site-cache"
ZIP = "musiclab-students.zip"  # the course, beside the pages
FEATURED = "08"  # the lesson whose generated piece stands on the front page


def main(arguments: list[str] | None = None) -> int:
    """Run the lessons, write the sources, call Sphinx; its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lessons", nargs="*", metavar="NN", help="run only these lessons")
    parser.add_argument(
        "--last-run", action="store_true", help="run nothing, show each lesson's last run"
    )
    parser.add_argument("--at-once", type=int, help="how many lessons run at the same time")
    parser.add_argument("--output", type=Path, default=BUILD / "site", help="where the pages go")
    options = parser.parse_args(arguments)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as own:
        variables = lab.environment(
            dict(os.environ), Path(own)
        )  # nothing of the user's own Jupyter takes part
        os.environ.clear()
        os.environ.update(variables, MUSICLAB_ROOT=str(ROOT))
        try:
            executed = run_lessons(options)
        except RuntimeError as error:
            print(error)
            return 1
    ran = time.monotonic()
    source = options.output.with_name(options.output.name + "-source")
    write_sources(source, executed)
    status = render(source, options.output)
    size = sum(file.stat().st_size for file in options.output.rglob("*") if file.is_file()) / 1e6
    print(
        f"lessons {ran - begin:.0f} s, pages {time.monotonic() - ran:.0f} s, {size:.1f} MB in {options.output}"
    )
    return status


def run_lessons(options) -> dict[Path, Path | None]:
    """For each lesson its executed form, None where it is shown without outputs."""
    folder = ROOT / "notebooks"
    every = [notebook for notebook, _ in lessons.titles(folder).values()]
    every += [notebook for notebook, _ in lessons.appendices(folder)]
    if options.last_run:
        return {notebook: run.newest(notebook, CACHE) for notebook in every}
    wanted = [
        notebook
        for notebook in every
        if options.lessons is None
        or {notebook.stem, notebook.stem.partition("_")[0]}.intersection(options.lessons)
    ]
    return dict.fromkeys(every) | run.run_all(wanted, CACHE, options.at_once)


def write_sources(source: Path, executed: dict[Path, Path | None]) -> None:
    """Put together what Sphinx reads: the pages of `site/`, the lessons, the generated pages."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(SITE, source, ignore=shutil.ignore_patterns("extras", "__pycache__"))
    files = source / "_extra"  # goes to the website as it is
    code = source / "_static" / "web"
    shutil.copytree(play.WEB, code, ignore=shutil.ignore_patterns("*.py", "*.wat", "__pycache__"))
    # a plain script, since modules are not loaded where a page is opened as a file
    (source / "_static" / "player.js").write_text(web.script("player"), encoding="utf-8")
    play.write(files / "play", CACHE)
    found, formulas = lessons.titles(ROOT / "notebooks"), equations.collect(ROOT)
    appendices = lessons.appendices(ROOT / "notebooks")
    extras = write_lessons(source / "lessons", files, found, appendices, executed, formulas)
    if address := addresses.repository(ROOT / "pyproject.toml"):
        copies = [notebook for notebook, _ in [*found.values(), *appendices]]
        addresses.colab_copies(copies, address, ROOT / "requirements.txt", BUILD / "colab")
    zip_file = course_as_zip(files / ZIP)
    ways = addresses.get_the_course(address, zip_file)
    put_in(source / "start.md", {"GET": ways})
    names = {number: title for number, (_, title) in found.items()}
    pages.lesson_index(
        found,
        {n: pages.question(notebook) for n, (notebook, _) in found.items()},
        appendices,
        source / "lessons",
    )
    pages.exercise_index(found, source / "lessons" / "exercises")
    pages.symbols(found, source / "reference" / "symbols.md")
    pages.api(ROOT, source / "reference" / "api")
    pages.results(ROOT / "benchmarks" / "results", source / "reference" / "results.md")
    pages.references(
        found, pages.reading_lists(SITE / "reading.toml"), source / "reference" / "references.md"
    )
    equations.write(formulas, names, source / "reference" / "equations.md")
    put_in(source / "reference" / "data.md", {"DATA": pages.data_page(ROOT / "data" / "README.md")})
    media = files / "_media"
    entries = extras["gallery"]
    put_in(source / "index.md", {"HOME": addresses.home(address)})  # links to it need the whole
    put_in(source / "index.md", listen.featured(entries, media, FEATURED))
    put_in(source / "index.md", {"MAP": pages.lesson_map(found, "lessons/")})
    put_in(source / "listen" / "gallery.md", {"GALLERY": "\n".join(listen.gallery(entries, media))})
    put_in(
        source / "listen" / "which_is_bach.md", {"ROUNDS": listen.rounds(extras["rounds"], media)}
    )
    sliders = [
        f"## {one['label']}\n\n```{{raw}} html\n{listen.slider(one, media)}\n```\n"
        for one in extras["sliders"]
    ]
    none = "The lessons with sliders have not been run for this copy of the website."
    put_in(source / "listen" / "sliders.md", {"SLIDERS": "\n".join(sliders) or none})


def course_as_zip(target: Path) -> str:
    """Pack the student edition for those who read the website; its name, "" where it can't be packed."""
    if not (ROOT / "instructor").is_dir():  # this is a student edition
        return ""
    student_edition = importlib.import_module("instructor.student_edition")
    try:
        student_edition.pack(target)
    except LookupError as error:
        print(f"the website offers no zip file: {error}")
        return ""
    return target.name


def write_lessons(
    folder: Path, files: Path, found: dict, appendices: list, executed: dict, formulas: dict
) -> dict[str, list]:
    """Write the lessons' pages and the notebooks to download; what their extras found, in order of the lessons."""
    extras = {"gallery": [], "rounds": [], "sliders": []}
    names = {number: notebook.stem for number, (notebook, _) in found.items()}
    (folder / "exercises").mkdir(parents=True, exist_ok=True)
    (files / "notebooks" / "exercises").mkdir(parents=True)
    numbered = [(number, notebook, title) for number, (notebook, title) in found.items()]
    for number, notebook, title in numbered + [("", *appendix) for appendix in appendices]:
        shutil.copy(notebook, files / "notebooks" / notebook.name)
        if (exercises := notebook.parent / "exercises" / notebook.name).is_file():
            shutil.copy(exercises, files / "notebooks" / "exercises" / notebook.name)
            read = lessons.exercise_page(nbformat.read(exercises, as_version=4), exercises, names)
            nbformat.write(read, folder / "exercises" / notebook.name)
        lesson = nbformat.read(executed[notebook] or notebook, as_version=4)
        mine = run.take_extra(lesson)
        for entry in mine["gallery"]:
            entry["lesson"] = (number, notebook.stem, title)
        for kind, rows in mine.items():
            extras[kind] += rows
        sliders = "".join(
            listen.slider(one, files / "_media") for one in mine["sliders"] if one["key"] != "walk"
        )
        shown = bool(number) and executed[notebook] is not None
        if shown:
            file = files / "slides" / f"{notebook.stem}.html"
            slides.write(lesson, f"{number} {title}", file, files / "_media")
        address = addresses.repository(ROOT / "pyproject.toml")
        links = addresses.top_links(notebook, address, slides=shown)
        lessons.page(lesson, number, names, formulas, links, sliders)
        lessons.html_as_files(lesson, files / "_media")
        play.embed(lesson, number)
        nbformat.write(lesson, folder / notebook.name)
    return extras


def put_in(page: Path, parts: dict[str, str]) -> None:
    """Put generated parts where a page says `<!-- NAME -->`; KeyError where it does not."""
    text = page.read_text(encoding="utf-8")
    for name, part in parts.items():
        if f"<!-- {name} -->" not in text:
            raise KeyError(f"{page.name} has no place <!-- {name} -->")
        text = text.replace(f"<!-- {name} -->", part)
    page.write_text(text, encoding="utf-8")


def render(source: Path, output: Path) -> int:
    """Call Sphinx on the sources; every warning is an error."""
    from sphinx.cmd.build import main as sphinx

    shutil.rmtree(output, ignore_errors=True)
    trees = output.with_name(output.name + "-trees")
    status = sphinx(
        ["-b", "html", "-q", "-W", "--keep-going", "-d", str(trees), str(source), str(output)]
    )
    for file in output.rglob("*.map"):  # for those who change the theme's scripts
        file.unlink()
    return status


if __name__ == "__main__":
    sys.exit(main())
