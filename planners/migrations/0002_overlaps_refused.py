"""PostgreSQL as the second wall behind planners.services.assigning: overlaps are refused whatever the code does."""

from django.db import migrations

_DAYS = "daterange(start, COALESCE(\"end\", 'infinity'::date), '[]')"

CONSTRAINTS = {
    "assignment_one_lead_at_a_time": f"EXCLUDE USING gist (charge_id WITH =, {_DAYS} WITH &&) WHERE (is_lead)",
    "assignment_planner_once_at_a_time": (
        f"EXCLUDE USING gist (charge_id WITH =, planner_id WITH =, {_DAYS} WITH &&) WHERE (planner_id IS NOT NULL)"
    ),
    "assignment_group_once_at_a_time": (
        f"EXCLUDE USING gist (charge_id WITH =, group_id WITH =, {_DAYS} WITH &&) WHERE (group_id IS NOT NULL)"
    ),
    "assignment_team_once_at_a_time": (
        f"EXCLUDE USING gist (charge_id WITH =, team_id WITH =, {_DAYS} WITH &&) WHERE (team_id IS NOT NULL)"
    ),
}


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    for name, rule in CONSTRAINTS.items():
        schema_editor.execute(f"ALTER TABLE planners_assignment ADD CONSTRAINT {name} {rule}")


def backwards(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for name in CONSTRAINTS:
        schema_editor.execute(f"ALTER TABLE planners_assignment DROP CONSTRAINT IF EXISTS {name}")


class Migration(migrations.Migration):
    dependencies = [("planners", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
