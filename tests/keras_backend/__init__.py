"""Tests that need a Keras backend; tests/test_keras.py runs them once a backend."""
