"""`make openapi`: writes the document and the README's table anew."""

from __future__ import annotations

import json

from infra.openapi.document import build
from infra.openapi.routes import ROOT
from infra.openapi.table import with_table
from shared.admin_api.document import DOCUMENT


def written() -> str:
    """The document as the file has it."""
    return json.dumps(build(), ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    DOCUMENT.write_text(written(), encoding="utf-8")
    readme = ROOT / "README.md"
    readme.write_text(with_table(readme.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
