"""Several outputs of which one is seen at a time: a stepped slider that needs no kernel and no JavaScript."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from html import escape

from musiclab.show.html import Shown

__all__ = ["frames"]


def frames(outputs: Mapping[str, Shown], label: str) -> Shown:
    """Show one of several outputs, chosen with a row of buttons, the mouse or the arrow keys.

    It is made of radio buttons and style rules, so it works in a stored notebook and on a page too;
    where a viewer removes styles, the outputs stand one below the other.

    Args:
      outputs: what :func:`figure`, :func:`play` and the like return, by the text of each button.
      label: what the buttons choose, with its unit.

    Returns:
      The choice as HTML; the first output is seen at first.

    Raises:
      ValueError: if there are fewer than two outputs, or ``label`` is empty.

    >>> frames({"0": Shown("<b>begin</b>", "begin"), "10": Shown("<b>end</b>", "end")}, "updates")
    <frames, updates: 0 (begin); 10 (end)>
    """
    if len(outputs) < 2:
        raise ValueError(f"{len(outputs)} outputs: a choice needs at least 2")
    if not label.strip():
        raise ValueError("label is empty: say what the buttons choose, such as 'updates'")
    bodies = [shown.html for shown in outputs.values()]
    name = f"frames-{sha256('|'.join([label, *outputs, *bodies]).encode()).hexdigest()[:10]}"
    rules, buttons = [f"#{name}>div>div{{display:none}}"], []
    for k, text in enumerate(outputs, start=1):
        at = f"{name}-{k}"
        rules.append(f"#{at}:checked~div>div:nth-child({k}){{display:block}}")
        checked = " checked" if k == 1 else ""
        buttons.append(
            f'<input type="radio" name="{name}" id="{at}"{checked} style="margin:0 .2rem 0 0">'
            f'<label for="{at}" style="margin-right:.9rem">{escape(text)}</label>'
        )
    said = "; ".join(f"{text} ({shown.text})" for text, shown in outputs.items())
    return Shown(
        f'<fieldset class="musiclab" id="{name}" style="border:0;padding:0;margin:.5rem 0;'
        f'min-width:0;color:inherit"><style>{"".join(rules)}</style>'
        f'<legend style="font-weight:600;color:inherit">{escape(label)}</legend>{"".join(buttons)}'
        f"<div>{''.join(f'<div>{body}</div>' for body in bodies)}</div></fieldset>",
        f"frames, {label}: {said}",
    )
