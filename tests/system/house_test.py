#!/usr/bin/python3
"""The rules of the house, read from the sources: who may include what, what the same bits forbid,
and where things stand. Every rule is also shown to find a violation planted in a copy of the tree.

    tests/system/house_test.py [HouseTest.test_includes …]
"""

import fnmatch
import pathlib
import re
import shutil
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

FOLDERS = ("models", "regions", "comm", "runs", "tests")
TOP_LEVEL = {*FOLDERS, "CMakeLists.txt", "README.md", "CMakePresets.json", ".clang-format",
             ".clang-tidy", ".gitignore", "CHANGELOG.md", "LICENSE", "CITATION.cff", ".ci", ".git"}
README_LINES = 60

# Headers of the house that a folder may include beside its own.
MAY_INCLUDE = {
    "models": r"models/.*",
    "regions": r"(regions|models)/.*",
    # Shared types only: no model and no region.
    "comm": r"comm/.*|models/(signal|state|random)\.hpp|regions/atlas\.hpp",
    "runs": r"(runs|comm|regions|models)/.*",
}
# Headers of the standard library that neither models nor regions may include: no files, no
# threads, no clocks, no random numbers of the library's own, no order that differs by library.
NOT_FOR_MODELS = {"chrono", "cstdio", "ctime", "filesystem", "fstream", "iostream", "random",
                  "thread", "unordered_map", "unordered_set"}

# Functions of libm whose bits differ between machines, qualified or not; `math::` has ours. A bare
# tan( is a population of the striatum.
LIBM = re.compile(
    r"(?<![\w.>:])(?:(?:std::|::)?(?:exp|exp2|expm1|log|log2|log10|log1p|sin|cos|asin|acos|atan|"
    r"atan2|sinh|cosh|tanh|pow|cbrt|hypot|erf|erfc|tgamma|lgamma)[fl]?|(?:std::|::)tan[fl]?)\s*\(")
LIBRARY_RANDOM = re.compile(
    r"std::(\w+_distribution|shuffle|sample|mt19937\w*|random_device|default_random_engine|"
    r"unordered_\w+)|(?<![\w.>:])(?:std::|::)?rand\s*\(")
UNSAFE_FLAGS = re.compile(r"-Ofast|-ffast-math|-funsafe-math\S*|-fassociative-math|"
                          r"-freciprocal-math|-ffinite-math\S*|-ffp-contract=(?!off)\w+")


def ignored(root: pathlib.Path) -> list[str]:
    """Names that .gitignore keeps out of the tree."""
    lines = (root / ".gitignore").read_text().split()
    return [line.strip("/") for line in lines]


def files_in(root: pathlib.Path, *folders: str, suffixes=(".hpp", ".cpp")):
    """(path relative to the root, text) of the sources below the folders."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.suffix in suffixes:
                yield path.relative_to(root), path.read_text()


def code_lines(text: str):
    """(number, line) without comments."""
    text = re.sub(r"/\*.*?\*/", lambda found: "\n" * found[0].count("\n"), text, flags=re.S)
    for number, line in enumerate(text.splitlines(), 1):
        yield number, line.partition("//")[0]


def includes(text: str):
    """(number, header, whether in quotes)"""
    for number, line in enumerate(text.splitlines(), 1):
        if found := re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line):
            yield number, found[2], found[1] == '"'


# Rules: the violations in a tree, as "path:line: what".


def check_includes(root):
    """Folders include only what is below them; models and regions the standard library."""
    for path, text in files_in(root, "models", "regions", "comm", "runs"):
        folder = path.parts[0]
        for number, header, quoted in includes(text):
            where = f"{path}:{number}: {header}"
            if quoted:
                if header.partition("/")[0] not in FOLDERS and folder == "runs":
                    continue  # made by the build
                if not re.fullmatch(MAY_INCLUDE[folder], header):
                    yield f"{where} is not for {folder}/"
            elif folder in ("models", "regions"):
                if header in NOT_FOR_MODELS:
                    yield f"{where} is not for {folder}/"
                elif not re.fullmatch(r"[a-z_]+", header) and not (
                        folder == "models" and header.startswith("Random123/")):
                    yield f"{where} is not of the standard library"


def check_libraries(root):
    """MPI only in comm/mpi_*, NetCDF only in runs/netcdf_* (and in tests)."""
    for path, text in files_in(root, "models", "regions", "comm", "runs"):
        for number, header, _ in includes(text):
            if header in ("mpi.h", "mpi-ext.h") and not fnmatch.fnmatch(str(path), "comm/mpi_*"):
                yield f"{path}:{number}: {header} is only for comm/mpi_*"
            if header.startswith("netcdf") and not fnmatch.fnmatch(str(path), "runs/netcdf_*"):
                yield f"{path}:{number}: {header} is only for runs/netcdf_*"


def check_arithmetic(root):
    """Nothing in models and regions whose bits depend on the machine or the library."""
    for path, text in files_in(root, "models", "regions"):
        if path.name.startswith("math"):
            continue
        for number, line in code_lines(text):
            line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
            for pattern, remedy in ((LIBM, "models/math.hpp"), (LIBRARY_RANDOM, "models/random.hpp")):
                if found := pattern.search(line):
                    yield f"{path}:{number}: {found[0].strip()}: take {remedy}"


def check_flags(root):
    """No flag lets the compiler change arithmetic, and contraction is off."""
    paths = [root / "CMakeLists.txt", root / "CMakePresets.json"]
    for folder in (*FOLDERS, ".ci"):
        paths += [p for p in sorted((root / folder).rglob("*"))
                  if p.is_file() and (p.name == "CMakeLists.txt" or p.suffix in (".cmake", ".sh", "")
                                      or p.suffix == ".sbatch")]
    for path in paths:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if found := UNSAFE_FLAGS.search(line.partition("#")[0]):
                yield f"{path.relative_to(root)}:{number}: {found[0]}"
    if "-ffp-contract=off" not in re.sub(r"#.*", "", (root / "CMakeLists.txt").read_text()):
        yield "CMakeLists.txt:1: without -ffp-contract=off"


def check_promises(root):
    """CTest starts tests of whole runs by name: one that it does not know never runs."""
    folder = root / "tests" / "system"
    promises = re.search(r"foreach\(promise(.*?)\)", (folder / "CMakeLists.txt").read_text(), re.S)
    for number, line in enumerate((folder / "system_test.py").read_text().splitlines(), 1):
        found = re.match(r"    def test_(\w+)", line)
        if found and found[1] not in promises[1].split():
            yield f"tests/system/system_test.py:{number}: {found[1]} is not in CMakeLists.txt"


def check_top_level(root):
    """The top level holds the house and what tools expect there."""
    for path in sorted(root.iterdir()):
        if path.name not in TOP_LEVEL and not any(
                fnmatch.fnmatch(path.name, pattern) for pattern in ignored(root)):
            yield f"{path.name}:1: does not belong at the top level"


def check_readmes(root):
    """Each folder opens with a page that says what lives there."""
    if not (root / "README.md").is_file():
        yield "README.md:1: is missing"
    for folder in FOLDERS:
        path = root / folder / "README.md"
        if not path.is_file():
            yield f"{folder}/README.md:1: is missing"
            continue
        lines = path.read_text().splitlines()
        if not lines or not lines[0].startswith(f"# {folder}/"):
            yield f"{folder}/README.md:1: does not begin with '# {folder}/'"
        if len(lines) > README_LINES:
            yield f"{folder}/README.md:{len(lines)}: more than {README_LINES} lines"


class HouseTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="quartet-house-")
        self.addCleanup(folder.cleanup)
        self.copies = pathlib.Path(folder.name)
        self.count = 0

    def planted(self, path: str, text: str | None, replace=False) -> pathlib.Path:
        """A copy of the tree where `text` stands at the end of `path` (replace: in its place;
        None: the file is gone)."""
        self.count += 1
        copy = self.copies / str(self.count)
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", *ignored(ROOT)))
        file = copy / path
        if text is None:
            file.unlink()
        else:
            before = file.read_text() if file.exists() and not replace else ""
            file.write_text(before + text)
        return copy

    def hold(self, check, *plants):
        """`check` finds nothing in the tree, and each of the plants where it was planted."""
        self.assertEqual(list(check(ROOT)), [])
        for path, text in plants:
            with self.subTest(path=path, planted=text):
                found = list(check(self.planted(path, text)))
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith(f"{path}:"), found)

    def test_includes(self):
        self.hold(check_includes,
                  ("models/lif.cpp", '#include "regions/atlas.hpp"\n'),
                  ("models/lif.hpp", "#include <fstream>\n"),
                  ("models/lif.hpp", "#include <boost/archive/binary_oarchive.hpp>\n"),
                  ("regions/cortex.cpp", '#include "comm/communicator.hpp"\n'),
                  ("regions/cortex.cpp", "#include <Random123/philox.h>\n"),
                  ("regions/cortex.cpp", "  #  include <random>\n"),
                  ("regions/new.hpp", '#include "cortex.hpp"\n'),
                  ("comm/exchange.cpp", '#include "runs/run.hpp"\n'),
                  ("comm/exchange.cpp", '#include "models/lif.hpp"\n'),
                  ("comm/exchange.hpp", '#include "regions/cortex.hpp"\n'),
                  ("runs/main.cpp", '#include "tests/comm/fake_brain.hpp"\n'))

    def test_libraries(self):
        self.hold(check_libraries,
                  ("comm/exchange.cpp", "#include <mpi.h>\n"),
                  ("runs/simulation.cpp", '#include "mpi.h"\n'),
                  ("runs/recorders/rates.cpp", "#include <netcdf.h>\n"),
                  ("runs/recorders/rates.cpp", "#include <netcdf_meta.h>\n"),
                  ("regions/body.cpp", "#include <netcdf>\n"))

    def test_arithmetic(self):
        self.hold(check_arithmetic,
                  ("models/arm.cpp", "double bad(double x) { return std::exp(x); }\n"),
                  ("models/arm.cpp", "double bad(double x) { return exp(x); }\n"),
                  ("models/arm.cpp", "double bad(float x) { return 2 * ::sinf (x); }\n"),
                  ("models/muscle.hpp", "inline double bad(double x) { return std::pow(x, 2); }\n"),
                  ("models/muscle.hpp", "inline double bad(double x) { return std::tan(x); }\n"),
                  ("regions/body.cpp", "double bad(double y) { return std::atan2(y, 1.0); }\n"),
                  ("regions/body.cpp", "std::normal_distribution<double> bad;\n"),
                  ("regions/body.cpp", "void bad(int* a, int* b) { std::shuffle(a, b, 1); }\n"),
                  ("regions/body.cpp", "int bad() { return rand(); }\n"),
                  ("regions/body.cpp", "std::unordered_map<int, int> bad;\n"))
        # What looks like one and is none.
        self.assertEqual(list(check_arithmetic(self.planted(
            "models/arm.cpp", "// std::exp(x)\nconst char* a = \"exp(x)\"; /* std::pow\n pow(x) */\n"
            "double fine(double x) { return math::exp(x) + std::sqrt(x) + warm.log(x); }\n"))), [])

    def test_flags(self):
        self.hold(check_flags,
                  ("CMakeLists.txt", "add_compile_options(-ffast-math)\n"),
                  ("models/CMakeLists.txt", "target_compile_options(x PRIVATE -Ofast)\n"),
                  ("CMakePresets.json", '{"CMAKE_CXX_FLAGS": "-funsafe-math-optimizations"}\n'),
                  ("runs/quickstart.sh", "cmake -DCMAKE_CXX_FLAGS=-ffp-contract=fast\n"))
        text = (ROOT / "CMakeLists.txt").read_text().replace("-Wextra -ffp-contract=off", "-Wextra")
        self.assertEqual(len(list(check_flags(self.planted("CMakeLists.txt", text, replace=True)))),
                         1)

    def test_promises_are_run(self):
        self.hold(check_promises,
                  ("tests/system/system_test.py", "    def test_unheard_of(self):\n        pass\n"))

    def test_top_level(self):
        self.hold(check_top_level, ("notes.txt", "for later\n"), ("Makefile", "all:\n"))

    def test_readmes(self):
        self.hold(check_readmes,
                  ("README.md", None),
                  ("regions/README.md", None),
                  ("comm/README.md", "and more\n" * README_LINES))
        copy = self.planted("tests/README.md", "Tests.\n", replace=True)
        self.assertEqual(len(list(check_readmes(copy))), 1)


if __name__ == "__main__":
    unittest.main()
