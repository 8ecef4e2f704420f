"""Runs schemathesis over the OpenAPI document: no fault of the server, and answers as documented."""
import os
import pathlib
import subprocess
import sys

from service import SCRATCH, Service

with Service("--state-directory", str(SCRATCH / "schema"), "--memory-budget", "96M", "--threads", "1") as service:
    service.ask("/adapters/tickets", {"labels": ["billing", "outage"]}, method="PUT")
    done = subprocess.run(
        [str(pathlib.Path(sys.executable).parent / "schemathesis"), "run",
         service.address + "/openapi.json", "--phases", "examples,coverage,fuzzing", "--max-examples",
         os.environ.get("EXAMPLES", "15"), "--seed", "1", "--generation-deterministic",
         "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,"
         "response_schema_conformance,negative_data_rejection,unsupported_method",
         "--suppress-health-check", "all", "--continue-on-failure", "--no-color"],
        capture_output=True, text=True, cwd=SCRATCH)
    (SCRATCH / "schemathesis.txt").write_text(done.stdout + done.stderr)
    if done.returncode != 0:
        sys.exit(done.stdout[-6000:] + done.stderr[-2000:])
    assert service.process.poll() is None
    assert service.ask("/health")[0] == 200
    print(f"ok: schemathesis; peak memory {service.memory('VmHWM')} kB")
