"""Compiles the modules of engine that are loops over events (pure-Python mode Cython)."""

import sys
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup

COMPILED = sorted(path for path in Path("engine").rglob("*.py") if "cython.compiled" in path.read_text("utf-8"))
if "editable_wheel" in sys.argv:
    # An editable install would compile in a folder of its own, all again; `make build` does it in place.
    COMPILED = []

setup(
    ext_modules=cythonize(
        [
            Extension(
                ".".join(path.with_suffix("").parts),
                [str(path)],
                include_dirs=[numpy.get_include()],
                define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
                extra_compile_args=["-O3", "-g0"],
            )
            for path in COMPILED
        ],
        build_dir="build/cython",
        compiler_directives={
            "language_level": 3,
            "boundscheck": False,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": False,
            "embedsignature": True,
        },
    )
)
