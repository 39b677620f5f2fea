"""PostgreSQL as the second wall, continued: one contract of a party at a charge, one place in a team, one signing a year.

The first wall is the lock and the check in the services; core.saving words a refusal by its constraint.
"""

from django.db import migrations

_DAYS = "daterange(start, COALESCE(\"end\", 'infinity'::date), '[]')"

CONSTRAINTS = {
    "assignment_party_one_contract_at_a_time": (
        "planners_assignment",
        f"EXCLUDE USING gist (charge_id WITH =, party WITH =, contract_id WITH <>, {_DAYS} WITH &&) WHERE (party <> '')",
    ),
    "team_member_once_at_a_time": (
        "planners_teammember",
        f"EXCLUDE USING gist (team_id WITH =, planner_id WITH =, {_DAYS} WITH &&)",
    ),
    "annual_signing_once_at_a_time": (
        "planners_annualsigning",
        f"EXCLUDE USING gist (contract_id WITH =, {_DAYS} WITH &&)",
    ),
}


def forwards(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for name, (table, rule) in CONSTRAINTS.items():
        schema_editor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {rule}")


def backwards(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for name, (table, _) in CONSTRAINTS.items():
        schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")


class Migration(migrations.Migration):
    dependencies = [("planners", "0004_fill_assignment_party")]
    operations = [migrations.RunPython(forwards, backwards)]
