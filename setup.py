"""The one part that is compiled: left out, with no loss but of speed, where there is no compiler."""

from setuptools import Extension, setup

setup(ext_modules=[Extension("classify.scorer._scanner", ["classify/scorer/_scanner.c"], optional=True)])
