"""EasyNet, the network of the question "How to add regularizations in TensorFlow?"."""

import keras

# Large enough for a short training to fit the images so well that a penalty has something to do.
_LEARNING_RATE = 1e-3


def easynet(strength: float, seed: int, steps_per_execution: int = 1) -> keras.Model:
    """Returns EasyNet, compiled: 784-200-200-10, tanh, L2 on each layer's weights.

    Args:
      strength: The λ of the L2 penalties.
      seed: Of the initial weights.
      steps_per_execution: How many steps Keras makes at once.

    Source: https://stackoverflow.com/q/37107223, whose answers use slim's
      ``l2_regularizer(λ)``. That is λ/2 · ‖w‖², and Keras' ``L2(λ)`` is λ · ‖w‖².
    """

    def dense(units: int, name: str, activation: str | None = None) -> keras.layers.Dense:
        return keras.layers.Dense(
            units,
            activation=activation,
            kernel_initializer="glorot_uniform",
            kernel_regularizer=keras.regularizers.L2(strength),
            name=name,
        )

    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((784,), name="pixels"),
            dense(200, "hidden_1", "tanh"),
            dense(200, "hidden_2", "tanh"),
            dense(10, "logits"),
        ],
        name="easynet",
    )
    model.compile(
        optimizer=keras.optimizers.Adam(_LEARNING_RATE),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=steps_per_execution,
    )
    return model
