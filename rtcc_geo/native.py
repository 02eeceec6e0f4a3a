"""Find the GEOS, GDAL and data files inside the shapely and pyogrio wheels, so that no Debian GDAL is needed."""

import os
from importlib.util import find_spec
from pathlib import Path


def package_folder(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ImportError(f"the Python package {name} is not installed; run ./rtcc up")
    return Path(spec.origin).parent


def library(package: str, pattern: str) -> str:
    """Return the path of the one library of a wheel whose file name matches."""
    folder = package_folder(package).parent / f"{package}.libs"
    found = sorted(folder.glob(pattern))
    if not found:
        raise ImportError(f"no {pattern} beside {package}: is it the binary wheel?")
    return str(found[0])


def use_wheels_data() -> None:
    """Point GDAL and PROJ to the data files of the same wheel as the library."""
    pyogrio = package_folder("pyogrio")
    os.environ["GDAL_DATA"] = str(pyogrio / "gdal_data")
    os.environ["PROJ_DATA"] = os.environ["PROJ_LIB"] = str(pyogrio / "proj_data")
