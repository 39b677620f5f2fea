"""The refusals of the service layer; the middleware turns each into the right answer for a person."""

from django.core.exceptions import PermissionDenied


class Refused(PermissionDenied):
    """The actor may see the object but not do this; `reason` is worded for the actor (answered as 403)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StaleState(Exception):
    """Somebody else was first: the object is no longer in a state this move starts from (answered as 409)."""

    def __init__(self, reason: str = "已被他人处理，请刷新后查看最新状态。") -> None:
        super().__init__(reason)
        self.reason = reason
