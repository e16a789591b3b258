"""``python -m sk_fundload``: the ``sk-fundload`` command."""

from __future__ import annotations

from sk_fundload.cli import main

if __name__ == "__main__":
    main(prog_name="sk-fundload")
