"""The moves of this app: one module for each subject; importing the package registers them all."""

from .asking import CONSULTATION, CONSULTEE, EXTENSION, OPINION
from .field import DISPUTE, RECTIFICATION
from .questions import QUESTION
from .stages import DATA_REQUEST, ORDER, PROJECT, STAGE

__all__ = [
    "CONSULTATION",
    "CONSULTEE",
    "DATA_REQUEST",
    "DISPUTE",
    "EXTENSION",
    "OPINION",
    "ORDER",
    "PROJECT",
    "QUESTION",
    "RECTIFICATION",
    "STAGE",
]
