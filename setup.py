"""For tools that ask for this file; what is built is said in pyproject.toml and build_backend/."""

from setuptools import setup

setup()
