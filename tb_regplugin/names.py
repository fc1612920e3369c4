"""The plugin's name, where it can be imported at no cost: TensorBoard's start waits for that."""

PLUGIN_NAME = "regularization"
