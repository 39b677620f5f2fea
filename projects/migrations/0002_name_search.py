"""PostgreSQL: pairs of characters of a project's name, indexed, so that words of two characters are found quickly too."""

from django.db import migrations

_CREATE = """
CREATE OR REPLACE FUNCTION project_bigrams(value text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT substr(lower(value), place, 2)), '{}')
    FROM generate_series(1, greatest(length(value) - 1, 0)) AS place
$$;
CREATE INDEX project_name_bigrams ON projects_project USING gin (project_bigrams(name));
"""


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_CREATE, params=None)


def backwards(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS project_name_bigrams")
        schema_editor.execute("DROP FUNCTION IF EXISTS project_bigrams(text)")


class Migration(migrations.Migration):
    dependencies = [("projects", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
