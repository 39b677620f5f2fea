"""Contracts as a kind of import. They come in as drafts: what was signed is never edited, and signing is a step of
its own, in which the contract is held against the policy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from accounts.roles import Role
from core.errors import Refused
from core.imports.cells import name_key, tail_key, word_key
from core.imports.kinds import EXAMPLE_MARK, ImportColumn
from core.imports.outcomes import CHANGED, Outcome
from core.imports.records import RecordImporter
from core.models import ImportBatch
from core.permissions import Decision
from core.spreadsheets import Row
from core.text import DATE_FORMS
from districts.access import access_of
from districts.importing import PLACE, PLACE_COLUMN, Places, decide, lock_places
from districts.models import Locality, Organisation
from districts.policy.keys_appointment import MODES, PAY_MODES
from districts.policy.values import EffectivePolicy
from planners.models import Contract, Institution, Planner, Team
from planners.permissions import can_create_contract
from planners.services.contracts import policy_to_sign_under
from planners.services.terms import is_unpaid

NUMBER, ROLE, PARTY_KIND, PARTY, TAIL, SIGNER = (
    "合同编号",
    "规划师类型",
    "受聘方类别",
    "受聘方",
    "证件号后四位",
    "聘用方",
)
START, END, FEE, PAY, MODE = "聘期起", "聘期止", "年服务费（元）", "付费方式", "选聘方式"
SIGNED, NDA, DUTIES, DEPARTURE = "签订日期", "保密协议签订日期", "工作内容", "与制度不一致的说明"

_PARTIES = {label: value for value, label in Contract.Party.choices} | {"机构": "institution", "规划师": "person"}
_MODES = {word_key(label): code for code, label in MODES.items()}
_PAY_MODES = {word_key(label): code for code, label in PAY_MODES.items()}
_DATES = ((START, "start"), (END, "end"), (SIGNED, "signed_on"), (NDA, "nda_signed_on"))


@dataclass(slots=True)
class Known:
    """What the rows are matched with. `policies`: the policy of a locality on a day, or why there is none."""

    places: Places
    contracts: dict[tuple[int, str], Contract]
    planners: dict[tuple[int, str], list[Planner]]
    teams: dict[tuple[int, str], Team]
    institutions: dict[str, Institution]
    signers: dict[tuple[int, str], Organisation]
    # Drafts under which somebody is assigned already.
    assigned: set[int]
    policies: dict[tuple[int, date], EffectivePolicy | str] = field(default_factory=dict)

    def policy(self, locality: Locality, on: date) -> EffectivePolicy | str:
        found = self.policies.get((locality.pk, on))
        if found is None:
            try:
                found = policy_to_sign_under(locality, on)
            except Refused as exc:
                found = exc.reason
            self.policies[locality.pk, on] = found
        return found


class ContractImporter(RecordImporter):
    name = "contracts"
    label = "聘用合同"
    counter = "份"
    list_url = "planners:contract-list"
    model = Contract
    done_note = "导入的合同是草稿，请逐份核对与制度的比对、安排派驻后登记签订。"
    hints = ("受聘方、聘用方须已登记。",)
    headings = {
        "number": NUMBER, "role_type": ROLE, "party_kind": PARTY_KIND, "planner": PARTY, "team": PARTY,
        "institution": PARTY, "signer": SIGNER, "start": START, "end": END, "annual_fee": FEE, "pay_mode": PAY,
        "appointment_mode": MODE, "signed_on": SIGNED, "nda_signed_on": NDA, "duties": DUTIES,
        "departure_note": DEPARTURE,
    }  # fmt: skip
    columns = (
        ImportColumn(NUMBER, aliases=("编号", "合同号"), required=True, help="本地方内不重复。",
                     example=f"{EXAMPLE_MARK}HT-2026-001"),
        ImportColumn(ROLE, aliases=("类型", "责任规划师类型"), required=True, help="制度方案中的类型名称。", example="责任规划师"),
        ImportColumn(PARTY_KIND, help="个人、团队、设计单位；不填则按受聘方的名称判断。", example="个人"),
        ImportColumn(PARTY, aliases=("乙方", "受聘人", "规划师", "姓名"), required=True, help="已登记的规划师、团队或设计单位。",
                     example="张示例"),
        ImportColumn(TAIL, aliases=("身份证后四位",), help="受聘的规划师有同名时填写。"),
        ImportColumn(SIGNER, aliases=("甲方", "聘用单位"), required=True, help="已登记的本地方单位。", example="示例街道办事处"),
        ImportColumn(START, aliases=("聘期开始", "开始日期"), required=True, kind="date", help=f"可写成 {DATE_FORMS}。",
                     example="2026-01-01"),
        ImportColumn(END, aliases=("聘期结束", "结束日期"), required=True, kind="date", example="2028-12-31"),
        ImportColumn(FEE, aliases=("年服务费", "服务费"), kind="number", help="不领取报酬的类型留空。", example=60000),
        ImportColumn(PAY, help=f"{'、'.join(PAY_MODES.values())}。"),
        ImportColumn(MODE, help=f"{'、'.join(MODES.values())}。"),
        ImportColumn(SIGNED, kind="date", help="（拟）签订的日期，按这一天有效的制度方案；不填按今天。"),
        ImportColumn(NDA, kind="date"),
        ImportColumn(DUTIES, help="约定的工作内容、标准、深度、周期和权利义务。"),
        ImportColumn(DEPARTURE, help="聘期、聘用方等与制度不一致时写明依据。"),
        PLACE_COLUMN,
    )  # fmt: skip

    def may(self, user: Any) -> Decision:
        return Decision.of(access_of(user).is_role(Role.BUREAU), otherwise="仅规划主管部门（市局、分局）可以导入合同。")

    def can(self, user: Any, place: str) -> Decision:
        return decide(can_create_contract, user, place)

    def lock(self, place: str) -> None:
        lock_places(place)

    # --- reading ---

    def load(self, rows: Sequence[Row], place: str) -> Known:
        places = Places.around(place)
        homes = [locality.pk for locality in places.all]
        planners: dict[tuple[int, str], list[Planner]] = defaultdict(list)
        for planner in Planner.objects.filter(locality_id__in=homes).defer("identity_number", "phone", "note"):
            planners[planner.locality_id, name_key(planner.name)].append(planner)
        numbers = {str(row.cells[NUMBER]) for row in rows if row.cells[NUMBER]}
        known = Contract.objects.filter(locality_id__in=homes, number__in=numbers)
        return Known(
            places,
            {
                (row.locality_id, row.number): row
                for row in known.select_related("planner", "team", "institution", "signer", "locality")
            },
            dict(planners),
            {(row.locality_id, name_key(row.name)): row for row in Team.objects.filter(locality_id__in=homes)},
            {name_key(row.name): row for row in Institution.objects.all()},
            {
                (row.locality_id, name_key(row.name)): row
                for row in Organisation.objects.filter(locality_id__in=homes, is_active=True)
            },
            set(known.filter(state="draft", assignments__isnull=False).values_list("pk", flat=True)),
        )

    def read(self, row: Row, known: Known) -> Outcome:
        outcome = Outcome(row.number)
        cells = row.cells
        text = {c.heading: str(cells[c.heading] or "") for c in self.columns}
        outcome.label = f"{text[NUMBER]} {text[PARTY]}".strip()
        for heading in self.required:
            if not text[heading] and heading not in row.errors:
                outcome.refuse(heading, "", f"“{heading}”不能为空。")
        outcome.fields["number"] = text[NUMBER]
        for heading, name in _DATES:
            if cells[heading] is not None:
                outcome.fields[name] = cells[heading]
        for heading, name in ((DUTIES, "duties"), (DEPARTURE, "departure_note")):
            if text[heading]:
                outcome.fields[name] = text[heading]
        self._choice(outcome, MODE, text[MODE], "appointment_mode", _MODES, MODES)
        self._choice(outcome, PAY, text[PAY], "pay_mode", _PAY_MODES, PAY_MODES)
        self._fee(outcome, cells[FEE])
        locality = known.places.of(outcome, text[PLACE])
        if locality is not None:
            outcome.target = known.contracts.get((locality.pk, text[NUMBER]))
            outcome.fields["locality"] = locality
            self._party(outcome, locality, text, known)
            self._signer(outcome, locality, text[SIGNER], known)
            self._policy(outcome, locality, text[ROLE], known)
        self.validate(outcome)
        return outcome

    @staticmethod
    def _choice(
        outcome: Outcome, heading: str, typed: str, name: str, allowed: dict[str, str], labels: dict[str, str]
    ) -> None:
        if not typed:
            return
        code = allowed.get(word_key(typed))
        if code is None:
            outcome.refuse(heading, typed, f"没有这一项，可填：{'、'.join(labels.values())}。")
        else:
            outcome.fields[name] = code

    @staticmethod
    def _fee(outcome: Outcome, fee: Any) -> None:
        if fee is None:
            return
        if fee < 0:
            outcome.refuse(FEE, fee, "服务费不能为负数。")
        outcome.fields["annual_fee"] = round(fee, 2)

    def _party(self, outcome: Outcome, locality: Locality, text: dict[str, str], known: Known) -> None:
        """Who is employed: the kind that is named, else the one kind that has this name."""
        name, asked = name_key(text[PARTY]), _PARTIES.get(word_key(text[PARTY_KIND]), "")
        if not name:
            return
        if text[PARTY_KIND] and not asked:
            outcome.refuse(PARTY_KIND, text[PARTY_KIND], f"只能填：{'、'.join(Contract.Party.labels)}。")
            return
        people = known.planners.get((locality.pk, name), [])
        found: dict[str, list[Any]] = {
            "person": people,
            "team": [t for t in [known.teams.get((locality.pk, name))] if t],
            "institution": [i for i in [known.institutions.get(name)] if i],
        }
        kinds = [kind for kind, rows in found.items() if rows and asked in ("", kind)]
        if len(kinds) != 1:
            words = "有多类同名的受聘方，请填写受聘方类别。" if kinds else "没有登记这个受聘方，请先登记。"
            outcome.refuse(PARTY, text[PARTY], words)
            return
        kind, rows = kinds[0], found[kinds[0]]
        if kind == "person" and text[TAIL]:
            rows = [p for p in rows if p.identity_tail.upper() == tail_key(text[TAIL])]
            if not rows:
                outcome.refuse(TAIL, text[TAIL], f"与登记的“{text[PARTY]}”的证件号后四位不符。")
                return
        if len(rows) > 1:
            outcome.refuse(PARTY, text[PARTY], f"有 {len(rows)} 位同名的规划师，请填写证件号后四位加以区分。")
            return
        outcome.fields["party_kind"] = kind
        outcome.fields["planner"] = rows[0] if kind == "person" else None
        outcome.fields["institution"] = rows[0] if kind == "institution" else None
        if kind != "institution":
            outcome.fields["team"] = rows[0] if kind == "team" else None

    @staticmethod
    def _signer(outcome: Outcome, locality: Locality, name: str, known: Known) -> None:
        if not name:
            return
        signer = known.signers.get((locality.pk, name_key(name)))
        if signer is None:
            outcome.refuse(SIGNER, name, "本地方没有登记这个单位，请先在“单位”中登记。")
        else:
            outcome.fields["signer"] = signer

    @staticmethod
    def _policy(outcome: Outcome, locality: Locality, role: str, known: Known) -> None:
        """The policy of the day of signing: its version is kept, and it names the role types."""
        on = outcome.fields.get("signed_on") or timezone.localdate()
        policy = known.policy(locality, on)
        if isinstance(policy, str):
            outcome.refuse(SIGNED, on.isoformat(), policy)
            return
        outcome.fields["policy_version_id"] = policy.version_id
        if not role:
            return
        types = {row["code"]: row["title"] for row in policy.value("roles.types") or ()}
        code = next((c for c, title in types.items() if word_key(role) in (word_key(c), word_key(title))), "")
        if not code:
            outcome.refuse(ROLE, role, f"制度方案中没有这个类型，可填：{'、'.join(types.values())}。")
            return
        outcome.fields["role_type"] = code
        if outcome.fields.get("annual_fee") and is_unpaid(code, policy):
            outcome.refuse(FEE, outcome.fields["annual_fee"], "该类型不领取报酬，服务费应留空。")

    def check(self, outcome: Outcome, known: Known) -> None:
        target, fields = outcome.target, outcome.fields
        start = fields.get("start", target.start if target else None)
        end = fields.get("end", target.end if target else None)
        if start and end and end < start:
            outcome.refuse(END, end.isoformat(), "聘期止不能早于聘期起。")
        fixed = {"start", "end", "party_kind", "planner", "team", "institution", "role_type"} & fields.keys()
        if target is not None and target.pk in known.assigned and any(fields[n] != getattr(target, n) for n in fixed):
            outcome.refuse(NUMBER, target.number, "已有派驻安排，修改聘期、类型或受聘方前请先取消派驻安排。")
        elif outcome.action == CHANGED and target.state != Contract.State.DRAFT:
            words = "、".join(dict.fromkeys(change.column for change in outcome.changes))
            state = target.get_state_display()
            outcome.refuse(NUMBER, target.number, f"合同已登记（{state}），不能再修改：{words}。变更请签订新合同。")

    def key(self, outcome: Outcome) -> Hashable:
        return outcome.fields["locality"].pk, outcome.fields["number"]

    def words(self, field: str, value: Any) -> str:
        if value in (None, ""):
            return ""
        named = {"party_kind": dict(Contract.Party.choices), "appointment_mode": MODES, "pay_mode": PAY_MODES}
        return str(named.get(field, {}).get(value, value))

    def _compare(self, outcome: Outcome) -> None:
        # A registered contract keeps the version that it is bound to unless the row changes something of it.
        version = outcome.fields.pop("policy_version_id", None)
        super()._compare(outcome)
        if outcome.target is None or outcome.changes:
            outcome.fields["policy_version_id"] = version

    def obstacles(self, batch: ImportBatch) -> list[str]:
        rows = Contract.objects.filter(pk__in=batch.rows.values("object_id")).exclude(state=Contract.State.DRAFT)
        signed = [f"{row.number}：已登记签订（{row.get_state_display()}）。" for row in rows.order_by("number")[:10]]
        return [*signed, *super().obstacles(batch)]

    # --- writing ---

    def home(self, outcomes: Sequence[Outcome]) -> str:
        return str(outcomes[0].fields["locality"].code)

    def build(self, outcome: Outcome, batch: ImportBatch) -> models.Model:
        return Contract(state=Contract.State.DRAFT, **outcome.fields)

    def save(self, obj: Contract, outcome: Outcome) -> None:
        if obj.state != Contract.State.DRAFT:
            raise ValidationError(f"合同 {obj.number} 已登记签订，不能再修改。")
        obj.save()
