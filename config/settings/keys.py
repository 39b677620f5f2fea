"""Keys that a local installation makes for itself at first start, outside the tree."""

import os
import secrets
from pathlib import Path


def local_key(data_dir: Path, name: str) -> str:
    """The key kept in `data_dir/keys/name`; made on first use, readable by the owner alone.

    Two processes starting together agree: the file is created exclusively, and the loser reads it.
    """
    path = data_dir / "keys" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(fd, "w") as handle:
        handle.write(secrets.token_urlsafe(48))
    return path.read_text().strip()
