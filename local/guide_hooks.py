"""What MkDocs asks while it builds the guide; it finds this file by mkdocs.yml."""

from __future__ import annotations

import re
from typing import Any


def on_config(config: Any) -> Any:
    """Give headings the anchors that the documents link to, which are GitHub's."""
    config["mdx_configs"]["toc"]["slugify"] = _anchor
    return config


def _anchor(heading: str, separator: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", separator)


def on_files(files: Any, config: Any) -> Any:
    """Let addresses begin with the document's name, not with the folder of all documents."""
    del config
    for file in files:
        if file.src_uri.startswith("docs/"):
            file.dest_uri = file.dest_uri.removeprefix("docs/")
    return files


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Name the search, which the theme leaves without a name."""
    del page, config
    return output.replace(
        'data-md-component="search" role="dialog"', 'data-md-component="search" role="dialog" aria-label="Search"'
    )
