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
        ``piece``, ``locked`` (bars, 4), ``lock`` and ``unlock`` of voices and bars, ``write(seed)``
        and ``undo()``. Make the panel anew when a cell has changed it.
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

    def show_piece(text):
        silent = (work.piece.voices < 0).all()
        body = score(work.piece).html + ("" if silent else play(work.piece, bpm).html)
        shown.value, said.value = body, text

    def box(name, tip, value, changed):
        one = widgets.Checkbox(value, description=name, tooltip=tip, indent=False, layout=small)
        one.observe(lambda change: changed(change["new"]), "value")
        return one

    def lock(voice, bar):
        def changed(kept):
            (work.lock if kept else work.unlock)(voice, [bar])

        return changed

    def whole(keys):
        def changed(kept):
            for key in keys:
                boxes[key].value = kept

        return changed

    def pressed(_):
        try:
            work.write(seed=panel.seed)
        except ValueError as error:  # all is locked, and the like
            said.value = f"Nothing was written: {escape(str(error))}"
            return
        panel.seed += 1
        show_piece(f"Written with seed {panel.seed - 1}.")

    def taken_back(_):
        before = work.piece
        work.undo()
        show_piece("Nothing to undo." if work.piece is before else "The piece before.")

    bars, rows = range(1, len(work.locked) + 1), []
    for v, voice in enumerate(NAMES):
        for bar in bars:
            tip = f"lock bar {bar} of the {voice}"
            boxes[voice, bar] = box(
                f"{voice[0].upper()}{bar}", tip, bool(work.locked[bar - 1, v]), lock(voice, bar)
            )
        keys = [(voice, bar) for bar in bars]
        every = box(voice, f"lock the whole {voice}", bool(work.locked[:, v].all()), whole(keys))
        every.layout = widgets.Layout(width="6.5rem")
        rows.append(
            widgets.HBox([every, *[boxes[key] for key in keys]], layout={"flex_flow": "wrap"})
        )
    panel.seed = seed
    write.on_click(pressed)
    undo.on_click(taken_back)
    panel.children = [*rows, widgets.HBox([write, undo]), said, shown]
    show_piece(HELP)
    return panel
