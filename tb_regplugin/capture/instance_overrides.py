"""Replacing methods of one object for the length of a block, and leaving no trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_ABSENT = object()


@contextmanager
def overridden(instance: Any, **attributes: Any) -> Iterator[None]:
    """Sets attributes of one object for the length of a ``with`` block.

    It writes to the object's dictionary, because Keras tracks what is set in the usual way.

    Example:
      >>> class Model:
      ...     def loss(self):
      ...         return "its own"
      >>> model = Model()
      >>> with overridden(model, loss=lambda: "another"):
      ...     model.loss()
      'another'
      >>> model.loss(), vars(model)
      ('its own', {})
    """
    namespace = instance.__dict__
    before = {name: namespace.get(name, _ABSENT) for name in attributes}
    namespace.update(attributes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is _ABSENT:
                namespace.pop(name, None)
            else:
                namespace[name] = value
