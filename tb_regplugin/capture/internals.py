"""Every private name that both Kerases have, here and nowhere else. Imports neither.

Each function says why the public ways don't do, and what happens where a name is gone.
``tests/keras_backend/test_internals.py`` and ``tests/test_processes.py`` call each one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from tb_regplugin.capture.safety import overridden

# What fit calls. These are plain attributes, but Keras tracks what is set in the usual way: so they
# are read and written in the model's __dict__.


def function_of(model: Any, name: str) -> Any:
    """Returns a model's ``train_function`` or ``test_function``; None before ``fit`` made it."""
    return model.__dict__.get(name)


def set_function(model: Any, name: str, function: Any) -> None:
    """Lets ``fit`` call another function."""
    model.__dict__[name] = function


def history_of(model: Any) -> Any:
    """Returns the ``History`` of the model's last ``fit``, which is another one in each.

    If it were gone, what an exception left behind could be taken for a part of the next ``fit``.
    """
    return model.__dict__.get("history")


@contextmanager
def observing_outputs(
    compiled: Any, losses: str, observe: Callable[[list[Any]], list[Any]]
) -> Iterator[None]:
    """Lets what ``compile(loss=...)`` made add up other losses for the length of a block.

    Nothing public gives the loss of one output: the metrics are running means. The list of losses
    is in an attribute, from when they are first needed; ``observe`` takes and returns it.
    """
    namespace, build = compiled.__dict__, compiled.build
    plain: Any = None

    def replace() -> None:
        nonlocal plain
        plain = namespace.get(losses)
        if plain:
            namespace[losses] = observe(plain)

    def observing_build(*args: Any, **kwargs: Any) -> None:
        build(*args, **kwargs)
        replace()

    if compiled.built:
        replace()
    with overridden(compiled, **({} if plain else {"build": observing_build})):
        try:
            yield
        finally:
            if plain:
                namespace[losses] = plain


def settings_of(loss: Any) -> dict[str, Any]:
    """Returns what a loss of Keras' own gives its function, such as ``axis``.

    Its config lacks some of that. If it were gone, no chance level would be known.
    """
    settings: dict[str, Any] = loss._fn_kwargs
    return settings


def layers_of(model: Any) -> list[Any]:
    """Returns a model and all layers within it, in the order of ``model.losses``.

    ``model.layers`` has the outermost only, and a layer has no ``layers``.
    """
    return list(model._flatten_layers())


def decayed_by(optimizer: Any, variables: Sequence[Any]) -> list[Any]:
    """Returns which of these variables an optimiser's weight decay shrinks.

    What ``exclude_from_weight_decay`` was given can't be asked for. If it were gone, no weight
    decay would be recorded.
    """
    is_decayed = getattr(optimizer, "_use_weight_decay", None)
    return [] if is_decayed is None else [v for v in variables if is_decayed(v)]


def runs_in_several_processes(strategy: Any) -> bool:
    """Whether a ``tf.distribute`` strategy sums over processes (a private name of TensorFlow)."""
    return strategy is not None and bool(strategy.extended._in_multi_worker_mode())


# How long, in seconds, a process waits for the others to begin their training.
_WAIT_SECS = 30.0
_trainings = itertools.count()


def is_recorded_by_all(strategy: Any, settings: str) -> bool:
    """Whether all processes of a strategy record this training, with the same settings.

    What adds up over processes waits for all. So they ask by the cluster's key-value store, which
    nothing public reaches; the first answer holds. If it were gone, a warning, and no recording.
    """
    import tensorflow as tf
    from tensorflow.python.eager import context

    store, resolver = context.context(), strategy.cluster_resolver
    prefix, own = f"tb_regplugin/{next(_trainings)}/", f"{resolver.task_type}/{resolver.task_id}"
    jobs = resolver.cluster_spec().as_dict()
    tasks = [f"{job}/{i}" for job in ("chief", "worker") for i in range(len(jobs.get(job, ())))]
    store.set_config_key_value(prefix + own, settings)
    answer = "no"
    with suppress(tf.errors.OpError):
        found = {store.get_config_key_value(prefix + t, int(1000 * _WAIT_SECS)) for t in tasks}
        answer = "yes" if found == {settings} else "no"
    with suppress(tf.errors.AlreadyExistsError):
        store.set_config_key_value(prefix + "answer", answer)
    return bool(store.get_config_key_value(prefix + "answer") == "yes")
