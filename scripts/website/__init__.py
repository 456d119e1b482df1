"""What builds the website: lessons run and rendered, generated pages, templates for their HTML."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

__all__ = ["fill"]

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=False,
)


def fill(template: str, **values) -> Markup:
    """A template of this package filled in; values are escaped unless they are markup already."""
    return Markup(_TEMPLATES.get_template(template).render(**values).strip())
