"""The plugin's name, where it can be imported at no cost: TensorBoard's start waits for that."""

PLUGIN_NAME = "regularization"

# What follows the name of a recording in that of its gradients: "losses.gradients".
GRADIENTS_SUFFIX = ".gradients"
