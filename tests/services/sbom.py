"""`python -m tests.services.sbom FILE`: the software bill of materials of what requirements.txt installs, as CycloneDX.

Nobody is asked: names, versions and digests are those of the lock file.
"""

import re
import sys
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from administrate import __version__

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[\w,-]+\])?==([^ ;\\]+)(.*(?:\n +--hash=.*)+)", re.MULTILINE)
DIGEST = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def bill_of_materials(lock: str) -> str:
    """The lock file's packages as a CycloneDX document in JSON."""
    bom = Bom()
    bom.metadata.component = product = Component(
        name="administrate", version=__version__, type=ComponentType.APPLICATION, bom_ref="administrate"
    )
    packages = [
        Component(
            name=name,
            version=version,
            type=ComponentType.LIBRARY,
            purl=PackageURL("pypi", None, name, version),
            bom_ref=f"{name}=={version}",
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in DIGEST.findall(rest)],
        )
        for name, version, rest in PACKAGE.findall(lock)
    ]
    for package in packages:
        bom.components.add(package)
    bom.register_dependency(product, packages)
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(bill_of_materials((ROOT / "requirements.txt").read_text()) + "\n")
