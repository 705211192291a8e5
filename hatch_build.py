"""Builds the kernels with the package, where there is a compiler; without one the package is pure Python."""

from __future__ import annotations

import sys
import sysconfig
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class KernelsHook(BuildHookInterface):
    """Compiles the kernels before a wheel is made, or before the package is installed in place."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds the library to the wheel, which is then one of this platform and of any Python."""
        # The package itself cannot be imported yet.
        spec = spec_from_file_location("compile_kernels", Path(self.root) / "seqtag" / "native" / "compile.py")
        assert spec is not None and spec.loader is not None
        kernels = module_from_spec(spec)
        spec.loader.exec_module(kernels)
        if sys.platform == "win32":
            return
        try:
            library = kernels.LIBRARY if kernels.is_of_these_sources() else kernels.compile_library()
        except (FileNotFoundError, CalledProcessError) as error:
            self.app.display_info(f"without compiled kernels: {error}")
            return
        build_data["artifacts"].append(str(library.relative_to(self.root)))
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
