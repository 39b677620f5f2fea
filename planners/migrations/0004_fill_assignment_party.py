"""Fill the party of assignments that stand; of two contracts of one party at one charge at one time the later has none."""

from collections import defaultdict
from datetime import date

from django.db import migrations


def _key(contract):
    party_id = {"person": contract.planner_id, "team": contract.team_id, "institution": contract.institution_id}
    return f"{contract.party_kind}:{party_id.get(contract.party_kind)}:{contract.role_type}"[:60]


def forwards(apps, schema_editor):
    Assignment = apps.get_model("planners", "Assignment")
    held = defaultdict(list)
    changed = []
    for row in Assignment.objects.select_related("contract").order_by("pk").iterator(chunk_size=1000):
        place = (row.charge_id, _key(row.contract))
        days = (row.start, row.end or date.max)
        others = (span for contract_id, span in held[place] if contract_id != row.contract_id)
        if any(days[0] <= last and first <= days[1] for first, last in others):
            continue
        held[place].append((row.contract_id, days))
        row.party = place[1]
        changed.append(row)
    Assignment.objects.bulk_update(changed, ["party"], batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("planners", "0003_assignment_party")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
