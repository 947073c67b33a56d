"""The annotated sample can be followed as it stands: what it names is made as its first lines say."""

import re
import shutil
import subprocess

from harness import BUILD, REPOSITORY

SAMPLE = REPOSITORY / "etc" / "rspd.conf"


def check(path):
    run = subprocess.run(
        [BUILD / "rspd", "-c", path, "--check-config"], capture_output=True, text=True, timeout=60
    )
    return run.returncode, run.stdout, run.stderr


def test_the_sample_is_fine_once_its_files_are_made(tmp_path):
    sample = shutil.copy(SAMPLE, tmp_path)
    code, _, said = check(sample)
    assert code == 78
    assert "pki/cluster.key" in said or "pki/nist/ci.pem" in said, said
    assert "rspctl pki make-test" in said
    made = re.search(r"^#     rspctl (pki make-test .*)$", SAMPLE.read_text(), re.MULTILINE)
    subprocess.run(
        [BUILD / "rspctl", *made[1].split()], cwd=tmp_path, check=True, capture_output=True
    )
    assert check(sample) == (0, f"{sample}: fine\n", "")
