"""`make bench` and `make soak`: a database and a server of their own, a table of ratios, and a file of results."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile

import machine
import set_up
from services import services

# A database as it comes, but for memory and for checkpoints that would fall into one measurement and not the next.
DURABLE = {"shared_buffers": "512MB", "max_wal_size": "4GB", "work_mem": "16MB", "random_page_cost": "1.1"}


def main() -> int:
    set_up.prepare(dev=True, needs=(machine.FOR_DATABASE, machine.FOR_BROKER))
    soak = sys.argv[1:2] == ["--soak"]
    measure = ["-m", "bench.soak", *sys.argv[2:]] if soak else ["-m", "bench.run", *sys.argv[1:]]
    with (
        services(private=True, options=DURABLE) as found,
        tempfile.TemporaryDirectory(prefix="portal-bench-") as folder,
    ):
        environment = {
            **os.environ, **found, "DJANGO_SETTINGS_MODULE": "bench.settings", "PORTAL_DATA_DIR": folder,
            "PYTHONPATH": f"{machine.ROOT}:{machine.ROOT / 'scripts'}",
            "PORTAL_DEMO_PASSWORD": secrets.token_urlsafe(12),
            "SECRET_KEY": secrets.token_hex(32),
            "FIELD_KEY": secrets.token_hex(32),
        }  # fmt: skip
        for command in (["scripts/load_data.py"], measure):
            done = subprocess.run(
                [str(machine.VENV_PYTHON), *command],
                cwd=machine.ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                check=False,
            )
            if done.returncode:
                return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
