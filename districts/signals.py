"""What happens to units, told upward inside the same transaction.

`unit_changed`: argument `passing` (districts.passing.Passing). Receivers carry over what they keep under the units and
return a list of `Effect`s; one of tone STOP refuses the whole change, in a preview it is shown. Receivers answer in
the order of INSTALLED_APPS: appointments first, then the logs that lean on them.

`organisation_closed`: arguments `organisation` (no longer in use), `heir` (who goes on with its matters, or None when
nobody was named) and `actor`. Receivers carry over what it owes; a ValidationError refuses the closing.

`membership_ended`: argument `membership`: a role ended, today or from a coming day (`ended_from`).
"""

from django.dispatch import Signal

unit_changed = Signal()
organisation_closed = Signal()
membership_ended = Signal()
