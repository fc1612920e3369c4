"""Recording trainings and validations of Keras 3 models, on each of its backends."""
