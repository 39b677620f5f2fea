"""djade over every template of the tree: fails and names those not written as it would."""

from __future__ import annotations

import subprocess
import sys

from machine import ROOT, VENV

if __name__ == "__main__":
    listed = subprocess.run(
        ["git", "ls-files", "-z", "templates/*.html"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]
    command = [str(VENV / "bin" / "djade"), "--check", "--target-version", "5.2", *names]
    sys.exit(subprocess.run(command, cwd=ROOT, check=False).returncode)
