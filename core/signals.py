"""What happens in the house, told upward inside the same transaction.

`calendar_changed`: argument `years` (a set of int), whose days may differ from now on.
"""

from django.dispatch import Signal

calendar_changed = Signal()
