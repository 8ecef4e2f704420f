"""Tags the wheel: it has a library for one platform, and no code for one version of Python."""

import os

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.dist import Distribution


class PlatformDistribution(Distribution):
    def has_ext_modules(self) -> bool:
        return True


class PlatformWheel(bdist_wheel):
    def get_tag(self) -> "tuple[str, str, str]":
        return "py3", "none", super().get_tag()[2]


setup(
    version=os.environ["VDSQ_VERSION"],
    distclass=PlatformDistribution,
    cmdclass={"bdist_wheel": PlatformWheel},
)
