"""What happens to appointments, told upward inside the same transaction.

`contract_signed`, `contract_ended`: argument `contract`. `assignments_changed`: arguments `charge_ids` and
`planner_ids` (lists): whose service changed, for figures kept above. `charge_ids` may be empty: then all of them.

`assignment_proposed`: arguments `assignment` (not saved yet) and `planners` (whom it would send). Receivers return the
words of what stands in the way, or "" for nothing.
"""

from django.dispatch import Signal

contract_signed = Signal()
contract_ended = Signal()
assignments_changed = Signal()
assignment_proposed = Signal()
