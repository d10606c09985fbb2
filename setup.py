"""Build the kernels of lossref.

Every chapter of ``lossref/_kernels`` is compiled once for each instruction set that the compiler and the processor
family know (baseline, AVX2, AVX-512), under a module name of its own; ``lossref/_backend.py`` takes the best of them
at import. Whatever cannot be built is left out: without a compiler the installation still succeeds, and NumPy does
the work. What happened is written to ``build_info.json``, from which ``lossref.show_config()`` speaks."""

import json
import os
import platform
import re
import sysconfig
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CCompilerError, ExecError, PlatformError

KERNELS = Path("lossref", "_kernels")
# Compiled once: the choice of instructions is not theirs.
PLAIN = ["cpu", *sorted(path.stem for path in KERNELS.glob("entry*.pyx"))]
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

MACROS = [("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION")]
FAILURES = (CCompilerError, ExecError, PlatformError, OSError)

MINIMAL = "#include <Python.h>\nint main(void) { return 0; }\n"
PARALLEL = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"


def headers(name: str) -> set[str]:
    """The headers that a source reads, and those that they read. Cython overlooks some of them."""
    files, own = [KERNELS / f"{name}.pyx"], KERNELS / f"{name}.pxd"
    found = {str(own)} if own.exists() else set()
    files += map(Path, found)
    while files:
        read = re.findall(r"lossref\._kernels\.(\w+)", " ".join(re.findall(".*cimport.*", files.pop().read_text())))
        new = {str(KERNELS / f"{header}.pxd") for header in read} - found
        files += map(Path, new)
        found |= new
    return found


def possible_extensions() -> list[Extension]:
    """Everything that some compiler can build on this kind of processor."""
    wide = list(UNIX_SETS) if platform.machine().lower() in {"x86_64", "amd64"} else []
    modules = {f"lossref._kernels.{name}": name for name in PLAIN}
    modules |= {f"lossref._kernels.{kind}.{name}": name for kind in ["baseline", *wide] for name in CHAPTERS}
    return [
        Extension(
            module, [str(KERNELS / f"{name}.pyx")], depends=sorted(headers(name)), define_macros=MACROS, optional=True
        )
        for module, name in modules.items()
    ]


def instruction_set(extension: Extension) -> str:
    """The set in ``lossref._kernels.<set>.<chapter>``; what is compiled once belongs to the baseline."""
    return extension.name.split(".")[2] if extension.name.count(".") == 3 else "baseline"


class BuildKernels(build_ext):
    """Ask the compiler what it can do, build that, and write down the rest."""

    def run(self) -> None:
        self.parallel = self.parallel or os.cpu_count()
        info: dict = {"compiler": None, "flags": {}, "openmp": False, "failed": {}}
        wanted = self.extensions
        try:
            self._ask_the_compiler(info)
        except FAILURES:
            compiler = " ".join(getattr(self.probe, "compiler_so", [])[:1]) or "the platform's default"
            info["failed"]["all"] = f"no working C compiler ({compiler} did not compile an empty program)"
        self.extensions = [extension for extension in wanted if instruction_set(extension) in info["flags"]]
        if self.extensions:
            self._translate(info)
            super().run()
        for extension in self.extensions:
            if not Path(self.build_lib, self.get_ext_filename(extension.name)).exists():
                info["failed"][extension.name] = "the compiler refused its C source"
        self._write(info)

    def _ask_the_compiler(self, info: dict) -> None:
        """Find out which flags it takes. Raises one of FAILURES where it cannot even compile an empty program."""
        from distutils.ccompiler import new_compiler  # what `import setuptools` provides
        from distutils.sysconfig import customize_compiler

        self.probe = new_compiler(compiler=self.compiler)
        customize_compiler(self.probe)
        self._compile(MINIMAL)
        msvc = self.probe.compiler_type == "msvc"
        info["compiler"] = self.probe.compiler_type if msvc else " ".join(self.probe.compiler_so[:1])
        common = MSVC_FLAGS if msvc else [flag for flag in UNIX_FLAGS if self._accepts([flag])]
        openmp = ["/openmp"] if msvc else ["-fopenmp"]
        info["openmp"] = self._accepts(openmp, PARALLEL, link=not msvc)
        self.link_flags = openmp if info["openmp"] and not msvc else []
        common = [*common, *openmp] if info["openmp"] else common
        for name, flags in {"baseline": [], **(MSVC_SETS if msvc else UNIX_SETS)}.items():
            if self._accepts(flags):
                info["flags"][name] = [*common, *flags]
            else:
                info["failed"][name] = f"the compiler does not know {' '.join(flags)}"

    def _translate(self, info: dict) -> None:
        """Turn Cython into C, once for each instruction set, since the C source carries the module's name."""
        import numpy
        from Cython.Build import cythonize

        groups: dict[str, list[Extension]] = {}
        for extension in self.extensions:
            extension.include_dirs.append(numpy.get_include())
            extension.extra_compile_args = info["flags"][instruction_set(extension)]
            extension.extra_link_args = self.link_flags
            groups.setdefault(extension.name.rpartition(".")[0], []).append(extension)
        for package, extensions in groups.items():
            if self.inplace:
                Path(*package.split(".")).mkdir(exist_ok=True)
            generated = cythonize(
                extensions,
                build_dir=str(Path(self.build_temp, package)),
                compiler_directives=DIRECTIVES,
                nthreads=self.parallel,
                quiet=True,
            )
            for extension, made in zip(extensions, generated, strict=True):
                extension.sources = made.sources

    def _accepts(self, flags: list[str], source: str = MINIMAL, link: bool = False) -> bool:
        try:
            self._compile(source, flags, link)
        except FAILURES:
            return False
        return True

    def _compile(self, source: str, flags: list[str] | None = None, link: bool = False) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "probe.c")
            path.write_text(source)
            # To clang an unknown flag is a warning; it must not pass for accepted.
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


setup(ext_modules=possible_extensions(), cmdclass={"build_ext": BuildKernels})
