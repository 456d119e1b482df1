"""Panel for composing with a model: lock bars of voices, write the rest anew, undo; by mouse or keyboard."""

from __future__ import annotations

from html import escape

from musiclab.show.audio import play
from musiclab.show.notation import score

__all__ = ["composer"]

NAMES = ("soprano", "alto", "tenor", "bass")
HELP = "Tab moves on, the space bar ticks a box or presses a button. What is ticked is kept."


def composer(work, seed: int = 0, bpm: float = 80):
    """Checkboxes to lock each bar of each voice, and buttons that write the rest and undo.

    Args:
      work: what is composed, such as a :class:`musiclab.models.attention.composing.Composition`:
        ``piece``, ``locked`` (bars, 4), ``lock`` and ``unlock`` of voices and bars, ``write(seed)``,
        ``undo()``, and ``watchers``. It is the one state of panel and cells: what a cell locks,
        writes or takes back shows in the panel, and a ticked box is a lock for the cells.
      seed: of the first writing; each one after it takes the next.
      bpm: quarter notes per minute when played.

    Returns:
      An ipywidgets box: end a cell with it. In it are ``write``, ``undo`` and ``boxes``, the
      checkboxes by (voice, bar), and ``said``, a line of text.
    """
    import ipywidgets as widgets

    small = widgets.Layout(width="auto", margin="0 .6rem 0 0")
    write, undo = (
        widgets.Button(description=name, tooltip=tip)
        for name, tip in (("Write", "write all that is not locked"), ("Undo", "take back"))
    )
    said, shown, boxes = widgets.HTML(HELP), widgets.HTML(), {}
    panel = widgets.VBox()
    panel.write, panel.undo, panel.boxes, panel.said = write, undo, boxes, said

    def box(name, tip, voice, numbers):
        one = widgets.Checkbox(description=name, tooltip=tip, indent=False, layout=small)

        def ticked(change):
            if not panel.following:
                (work.lock if change["new"] else work.unlock)(voice, numbers)

        one.observe(ticked, "value")
        return one

    def follow():
        panel.following = True  # the boxes are set to the locks, and nothing is locked by that
        for (voice, bar), one in boxes.items():
            one.value = bool(work.locked[bar - 1, NAMES.index(voice)])
        for v, one in enumerate(whole):
            one.value = bool(work.locked[:, v].all())
        panel.following = False
        if work.piece is not panel.piece:
            panel.piece, said.value = work.piece, HELP
            silent = (work.piece.voices < 0).all()
            shown.value = score(work.piece).html + ("" if silent else play(work.piece, bpm).html)

    def pressed(_):
        try:
            work.write(seed=panel.seed)
        except ValueError as error:  # all is locked, and the like
            said.value = f"Nothing was written: {escape(str(error))}"
            return
        panel.seed += 1
        said.value = f"Written with seed {panel.seed - 1}."

    def taken_back(_):
        before = work.piece
        work.undo()
        said.value = "Nothing to undo." if work.piece is before else "The piece before."

    bars, rows, whole = range(1, len(work.locked) + 1), [], []
    for voice in NAMES:
        for bar in bars:
            tip = f"lock bar {bar} of the {voice}"
            boxes[voice, bar] = box(f"{voice[0].upper()}{bar}", tip, voice, [bar])
        whole.append(box(voice, f"lock the whole {voice}", voice, list(bars)))
        whole[-1].layout = widgets.Layout(width="6.5rem")
        ticks = [boxes[voice, bar] for bar in bars]
        rows.append(widgets.HBox([whole[-1], *ticks], layout={"flex_flow": "wrap"}))
    panel.seed, panel.piece = seed, None
    write.on_click(pressed)
    undo.on_click(taken_back)
    panel.children = [*rows, widgets.HBox([write, undo]), said, shown]
    work.watchers.append(follow)
    follow()
    return panel
