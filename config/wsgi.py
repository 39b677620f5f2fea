import os

from django.core.wsgi import get_wsgi_application

from core.stack_room import with_room

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.prod")
application = with_room(get_wsgi_application())
