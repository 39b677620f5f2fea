"""The Celery application: it wakes workers; what is to be done stands in rows (see core.jobs)."""

import os
from pathlib import Path
from typing import Any

from celery import Celery, Task

from core.stack_room import with_room


class RoomyTask(Task):
    """A task with room on the stack for what it calls."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return with_room(self.run)(*args, **kwargs)


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
app = Celery("portal", task_cls=RoomyTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_configure.connect
def make_queue_folders(sender: Celery, **kwargs: Any) -> None:
    """The embedded broker is a folder, and writes into it without making it."""
    options = sender.conf.broker_transport_options or {}
    for name in ("data_folder_in", "data_folder_out", "control_folder"):
        if name in options:
            Path(options[name]).mkdir(parents=True, exist_ok=True)
