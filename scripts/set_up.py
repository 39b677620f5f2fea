"""`make setup`: from a bare Debian to a portal that can start. Does only what is not done yet."""

from __future__ import annotations

import subprocess
import tempfile

import environment
import machine


def prepare(*, dev: bool = False, needs: tuple[machine.Need, ...] = ()) -> None:
    """Everything but data: system packages, the Python environment, the front-end assets."""
    machine.install((*machine.TO_RUN, *needs))
    environment.ensure_environment(dev=dev)
    environment.ensure_assets()


def load_data() -> str:
    """Bring the database up to date and load what is not loaded; ends the program when that fails.

    Returns the demo logins in words; "" where there are none.
    """
    with tempfile.NamedTemporaryFile("r", prefix="portal-logins-") as logins:
        command = [machine.VENV_PYTHON, machine.ROOT / "scripts" / "load_data.py", logins.name]
        if subprocess.run(command, cwd=machine.ROOT, stdin=subprocess.DEVNULL, check=False).returncode:
            machine.stop("数据未能装入（原因见上）/ loading data failed, see above")
        return logins.read()


if __name__ == "__main__":
    prepare()
    load_data()
    machine.say("准备完毕。启动：make run")
