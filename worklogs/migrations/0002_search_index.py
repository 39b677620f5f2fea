"""PostgreSQL: the index by which two-character words are found in logs. SQLite compares, and needs none."""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION portal_bigrams(value text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20000 AS $$
  SELECT coalesce(array_agg(DISTINCT substr(lower(value), n, 2)), '{}')
  FROM generate_series(1, char_length(value) - 1) AS n
$$
"""
INDEX = """
CREATE INDEX log_words ON worklogs_worklog
USING gin (portal_bigrams(content || ' ' || place || ' ' || met_whom))
"""


def build(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(FUNCTION)
        schema_editor.execute(INDEX)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS log_words")
        schema_editor.execute("DROP FUNCTION IF EXISTS portal_bigrams(text)")


class Migration(migrations.Migration):
    dependencies = [("worklogs", "0001_initial")]
    operations = [migrations.RunPython(build, drop)]
