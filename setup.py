"""Build the kernels of lossref.

Every chapter of ``lossref/_kernels`` is compiled once for each instruction set that the compiler and the processor family know
(baseline, AVX2, AVX-512), under a module name of its own; ``lossref/_backend.py`` takes the best of them at import. Whatever cannot be
built is left out: without a compiler the installation still succeeds, and NumPy does the work. What happened is written to
``build_info.json``, from which ``lossref.show_config()`` speaks.
"""

import json
import os
import platform
import sysconfig
import tempfile
from pathlib import Path

from setuptools import Distribution, Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, ExecError, PlatformError

KERNELS = Path("lossref", "_kernels")
PLAIN = ["cpu", "entry"]  # compiled once: they run before, or apart from, the choice of an instruction set
CHAPTERS = sorted(path.stem for path in KERNELS.glob("*.pyx") if path.stem not in PLAIN)

# Directives stand here and not in the sources, where a header would override the directives of a checked build.
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": True,
    "embedsignature": False,
}
UNIX_FLAGS = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
MSVC_FLAGS = ["/O2", "/fp:precise"]
UNIX_SETS = {
    "avx2": ["-mavx2", "-mfma"],
    "avx512": ["-mavx512f", "-mavx512vl", "-mavx512bw", "-mavx512dq", "-mfma", "-mprefer-vector-width=512"],
}
MSVC_SETS = {"avx2": ["/arch:AVX2"], "avx512": ["/arch:AVX512"]}

MINIMAL = "#include <Python.h>\nint main(void) { return 0; }\n"
PARALLEL = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"


class WithKernels(Distribution):
    """A distribution whose extensions are listed only when they are built, once the compiler has been asked."""

    def has_ext_modules(self) -> bool:
        return True


class BuildKernels(build_ext):
    """Ask the compiler what it can do, build that, and write down the rest."""

    def run(self) -> None:
        self.parallel = self.parallel or os.cpu_count()
        info = {"compiler": None, "flags": [], "openmp": False, "built": [], "failed": {}}
        try:
            self.extensions = self._plan(info)
            super().run()
        except (CCompilerError, ExecError, PlatformError, OSError) as error:
            self.extensions = []
            info["failed"]["all"] = f"no working C compiler: {error}"
        for extension in self.extensions:
            if Path(self.get_ext_fullpath(extension.name)).exists():
                info["built"].append(extension.name)
            else:
                info["failed"].setdefault(extension.name, "the compiler refused its C source")
        self._write(info)

    def _plan(self, info: dict) -> list[Extension]:
        import numpy
        from Cython.Build import cythonize
        from setuptools._distutils.ccompiler import new_compiler
        from setuptools._distutils.sysconfig import customize_compiler

        self.probe = new_compiler(compiler=self.compiler)
        customize_compiler(self.probe)
        if hasattr(self.probe, "initialize"):
            self.probe.initialize()
        self._compile(MINIMAL)
        msvc = self.probe.compiler_type == "msvc"
        base = MSVC_FLAGS if msvc else [flag for flag in UNIX_FLAGS if self._accepts([flag])]
        openmp = "/openmp" if msvc else "-fopenmp"
        info["openmp"] = self._accepts([openmp], PARALLEL, link=not msvc)
        link = [openmp] if info["openmp"] and not msvc else []
        base = [*base, openmp] if info["openmp"] else base
        info["compiler"] = " ".join(getattr(self.probe, "compiler_so", [])[:1]) or self.probe.compiler_type
        info["flags"] = base

        sets: dict[str, list[str]] = {"baseline": []}
        if platform.machine().lower() in {"x86_64", "amd64"}:
            for name, flags in (MSVC_SETS if msvc else UNIX_SETS).items():
                if self._accepts(flags):
                    sets[name] = flags
                else:
                    info["failed"][name] = f"the compiler does not know {' '.join(flags)}"

        def extension(module: str, chapter: str, flags: list[str]) -> Extension:
            return Extension(
                module,
                [str(KERNELS / f"{chapter}.pyx")],
                include_dirs=[numpy.get_include()],
                define_macros=[("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION")],
                extra_compile_args=[*base, *flags],
                extra_link_args=link,
                optional=True,
            )

        groups = {"plain": [extension(f"lossref._kernels.{name}", name, []) for name in PLAIN]}
        for name, flags in sets.items():
            groups[name] = [extension(f"lossref._kernels.{name}.{chapter}", chapter, flags) for chapter in CHAPTERS]
            if self.inplace:
                (KERNELS / name).mkdir(exist_ok=True)
        generated: list[Extension] = []
        for name, extensions in groups.items():
            generated += cythonize(
                extensions,
                build_dir=str(Path(self.build_temp, "cython", name)),
                compiler_directives=DIRECTIVES,
                nthreads=self.parallel if len(extensions) > 1 else 0,
                quiet=True,
            )
        return generated

    def _accepts(self, flags: list[str], source: str = MINIMAL, link: bool = False) -> bool:
        try:
            self._compile(source, flags, link)
        except (CCompilerError, ExecError, PlatformError, OSError):
            return False
        return True

    def _compile(self, source: str, flags: list[str] | None = None, link: bool = False) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "probe.c")
            path.write_text(source)
            # Unknown flags are only warnings for clang, and must not pass for accepted.
            strict = [] if self.probe.compiler_type == "msvc" else ["-Werror"]
            objects = self.probe.compile(
                [str(path)],
                output_dir=folder,
                include_dirs=[sysconfig.get_paths()["include"]],
                extra_postargs=[*strict, *(flags or [])],
            )
            if link:
                self.probe.link_executable(objects, "probe", output_dir=folder, extra_postargs=flags)

    def _write(self, info: dict) -> None:
        folder = KERNELS if self.inplace else Path(self.build_lib) / KERNELS
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "build_info.json").write_text(json.dumps(info, indent=1) + "\n")


setup(distclass=WithKernels, cmdclass={"build_ext": BuildKernels})
