"""The kernels alone, in a program that the compiler watches: addresses, undefined behaviour, races."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from seqtag.native.compile import SOURCE, compiler

DRIVER = Path(__file__).parent / "driver.cc"
FILES = [DRIVER, *(SOURCE / name for name in ("variants.cc", "pool.cc", "recurrence.cc", "crf.cc"))]
PLAIN = ["-DSEQTAG_VECTOR_BYTES=16", "-DSEQTAG_VARIANT=variant_base"]


@pytest.mark.skipif(compiler() is None, reason="no C++ compiler")
@pytest.mark.parametrize("sanitizers", ["address,undefined", "thread"])
def test_no_sanitizer_finds_a_fault(sanitizers, tmp_path):
    flags = ["-O1", "-g", "-std=c++17", f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all", f"-I{SOURCE}"]
    jobs = [[compiler(), *flags, "-c", str(path), "-o", str(tmp_path / f"{path.stem}.o")] for path in FILES]
    kernels = SOURCE / "kernels.cc"
    jobs.append([compiler(), *flags, *PLAIN, "-c", str(kernels), "-o", str(tmp_path / "kernels.o")])
    with ThreadPoolExecutor(2) as pool:
        compiled = [*pool.map(lambda job: subprocess.run(job, capture_output=True, text=True), jobs)]
    assert not [done.stderr for done in compiled if done.returncode]
    program = tmp_path / "driver"
    objects = [str(path) for path in tmp_path.glob("*.o")]
    linked = subprocess.run(
        [compiler(), *flags, *objects, "-pthread", "-o", str(program)], capture_output=True, text=True
    )
    if linked.returncode and "cannot find" in linked.stderr:
        pytest.skip(f"the compiler has no sanitizers: {linked.stderr.splitlines()[0]}")
    assert linked.returncode == 0, linked.stderr
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=300)
    assert (done.stdout, done.returncode) == ("0 faults\n", 0), done.stderr
