"""Runs the commands and uses the files of docs/recipes as they are, but for ports and paths."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

from service import MODEL, SCRATCH, VDSQD, Service, free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
LABELS = SCRATCH / "log-labels.txt"


def blocks(page, language):
    text = (ROOT / "docs/recipes" / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def placed(text, replacements):
    for old, new in replacements.items():
        assert old in text, (old, text)
        text = text.replace(old, new)
    return text


@contextlib.contextmanager
def running(command, **options):
    """A program, and what it started, until the end of the block."""
    process = subprocess.Popen(command, start_new_session=True, **options)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def until(body, what):
    for _ in range(200):
        try:
            if result := body():
                return result
        except (OSError, subprocess.CalledProcessError):
            pass
        time.sleep(0.1)
    raise SystemExit(f"FAILED: {what}")


def mqtt():
    port = free_port()
    (SCRATCH / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    host = f"-h 127.0.0.1 -p {port}"
    answers = SCRATCH / "mqtt-answers"
    with open(answers, "w") as out, \
            running(["mosquitto", "-c", SCRATCH / "mosquitto.conf"], stderr=subprocess.DEVNULL), \
            running(["bash", "-c", f"while ! mosquitto_sub {host} -t tickets/labels; do sleep 0.1; done"],
                    stdout=out, stderr=subprocess.DEVNULL):
        until(lambda: subprocess.run(["mosquitto_pub", *host.split(), "-t", "x", "-m", "x"],
                                     stderr=subprocess.DEVNULL).returncode == 0, "mosquitto")
        recipe = placed(blocks("mqtt.md", "sh")[0], {"-h localhost": host, "minilm.vdsq": MODEL})
        with running(["bash", "-c", recipe], stderr=subprocess.DEVNULL):
            time.sleep(1.5)
            for number, text in enumerate(['{"id": 7, "text": "I was charged twice."}', "no JSON",
                                           '{"id": 8, "text": "The server is down."}']):
                subprocess.run(["mosquitto_pub", *host.split(), "-t", f"tickets/{number}/text", "-m", text],
                               check=True)
                until(lambda: len(answers.read_text().splitlines()) == number + 1, f"MQTT answer {number}")
    lines = [json.loads(line) for line in answers.read_text().splitlines()]
    shown = json.loads(blocks("mqtt.md", "json")[0])
    assert list(lines[0])[:len(shown)] == list(shown), (lines[0], shown)
    assert (lines[0]["label"], lines[2]["label"]) == ("billing", "outage") and "error" in lines[1], lines
    assert lines[0]["message.payload.id"] == 7 and lines[2]["topic"] == "tickets/2/text"


def journal():
    """Journal entries in the export format, one with bytes that are not UTF-8."""
    entries = b""
    for number, message in enumerate([b"connect to 10.0.0.1: connection refused", b"\xff\xfe",
                                      b"write failed: no space left on device"]):
        entries += (b"__REALTIME_TIMESTAMP=%d\n_SYSTEMD_UNIT=demo.service\nPRIORITY=3\n" % (1700000000000000 + number)
                    + b"MESSAGE\n" + len(message).to_bytes(8, "little") + message + b"\n\n")
    file = SCRATCH / "demo.journal"
    subprocess.run(["/lib/systemd/systemd-journal-remote", "-o", file, "-"], input=entries, check=True,
                   capture_output=True)
    LABELS.write_text(blocks("logs.md", "text")[0])
    recipe = placed(blocks("logs.md", "sh")[0], {
        "journalctl -f": f"journalctl --file {file}", "minilm.vdsq": MODEL, "log-labels.txt": str(LABELS),
        "--abstain 0.6": ""})
    done = subprocess.run(["bash", "-c", recipe], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.get("label") for line in lines] == ["network", None, "disk"], lines
    assert "error" in lines[1] and lines[0]["_SYSTEMD_UNIT"] == "demo.service" and lines[0]["__CURSOR"]


def syslog():
    port = free_port()
    output = SCRATCH / "classified.jsonl"
    script = SCRATCH / "classify-log"
    script.write_text(placed(blocks("logs.md", "sh")[1], {
        "exec vdsq": f"exec {shutil.which('vdsq')}", "/var/lib/vdsq/minilm.vdsq": str(pathlib.Path(MODEL).resolve()),
        "/etc/vdsq/log-labels.txt": str(LABELS), "/var/log/classified.jsonl": str(output), "--abstain 0.6": ""}))
    script.chmod(0o755)
    configuration = placed(blocks("logs.md", "text")[1], {"/usr/local/bin/classify-log": str(script)})
    (SCRATCH / "rsyslog.conf").write_text(
        f'module(load="imtcp")\ninput(type="imtcp" port="{port}" address="127.0.0.1")\n' + configuration)
    with running(["rsyslogd", "-n", "-f", SCRATCH / "rsyslog.conf", "-i", SCRATCH / "rsyslog.pid"],
                 stderr=subprocess.DEVNULL):
        for text in ["Failed password: authentication failure for root", "disk is full on /var"]:
            until(lambda: subprocess.run(["logger", "-n", "127.0.0.1", "-T", "-P", str(port), "-t", "demo", text],
                                         stderr=subprocess.DEVNULL).returncode == 0, "rsyslog")
        until(lambda: len(output.read_text().splitlines()) == 2, "lines of syslog")
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert [line["label"] for line in lines] == ["login", "disk"] and lines[0]["tag"] == "demo", lines
    counted = subprocess.run(["bash", "-c", placed(blocks("logs.md", "sh")[2], {
        "/var/log/classified.jsonl": str(output)})], capture_output=True, text=True, check=True)
    assert counted.stdout == "1 disk\n1 login\n", counted.stdout


def systemd():
    folder = SCRATCH / "units"
    folder.mkdir()
    socket_unit, service_unit = blocks("systemd.md", "ini")
    # Debian 12 does not know notify-reload.
    old = int(subprocess.run(["systemctl", "--version"], capture_output=True, text=True).stdout.split()[1]) < 253
    if old:
        service_unit = placed(service_unit, {"Type=notify-reload": "Type=notify\nExecReload=kill -HUP $MAINPID"})
    (folder / "vdsqd.socket").write_text(socket_unit)
    (folder / "vdsqd.service").write_text(placed(service_unit, {
        "/usr/bin/vdsqd": str(pathlib.Path(VDSQD).resolve()), "Documentation=man:vdsqd(1)": ""}))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", folder / "vdsqd.service", folder / "vdsqd.socket"],
                          capture_output=True, text=True)
    faults = [line for line in done.stderr.splitlines() if "vdsqd" in line]
    assert not faults, done.stderr
    # The socket of systemd's own tool, and the options of the file.
    options = re.search(r'VDSQD_OPTIONS="(.*)"', blocks("systemd.md", "sh")[0])[1]
    options = placed(options, {"/usr/share/vdsq/minilm.vdsq": MODEL}).split()
    port = free_port()
    with running(["systemd-socket-activate", "-l", f"127.0.0.1:{port}", VDSQD, "--listen", "systemd",
                  "--state-directory", str(SCRATCH / "systemd-state"), *options], stderr=subprocess.DEVNULL):
        time.sleep(0.3)
        body = '{"inputs": "The server is down.", "labels": ["billing", "outage"]}'
        done = subprocess.run(["curl", "-s", "--fail-with-body", f"127.0.0.1:{port}/classify", "-H",
                               "content-type: application/json", "-d", body], capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["results"][0]["label"] == "outage", done.stdout


def nginx():
    port, path = free_port(), SCRATCH / "nginx.sock"
    for name in ["box.pem", "box.key"]:
        (SCRATCH / name).unlink(missing_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", SCRATCH / "box.key", "-out", SCRATCH / "box.pem", "-days", "2", "-subj",
                    "/CN=box.example", "-addext", "subjectAltName=DNS:box.example"], check=True, capture_output=True)
    recipe = placed(blocks("nginx.md", "nginx")[0], {
        "/run/vdsqd.sock": str(path), "listen 8443": f"listen 127.0.0.1:{port}",
        "/etc/ssl/box.pem": str(SCRATCH / "box.pem"), "/etc/ssl/box.key": str(SCRATCH / "box.key")})
    (SCRATCH / "nginx.conf").write_text(
        f"daemon off; pid {SCRATCH}/nginx.pid; error_log {SCRATCH}/nginx.log;\nevents {{}}\nhttp {{ access_log off;\n"
        f"client_body_temp_path {SCRATCH}/body; proxy_temp_path {SCRATCH}/proxy;\n{recipe}\n}}\n")
    command = blocks("nginx.md", "console")[0]
    assert command == "$ vdsqd minilm.vdsq --listen unix:/run/vdsqd.sock\n", command
    with Service(listen=["--listen", f"unix:{path}"]):
        path.chmod(0o666)
        with running(["nginx", "-p", SCRATCH, "-c", SCRATCH / "nginx.conf", "-e", SCRATCH / "nginx.log"]):
            curl = ["curl", "-s", "--cacert", SCRATCH / "box.pem", "--resolve", f"box.example:{port}:127.0.0.1",
                    "-o", SCRATCH / "nginx.out", "-w", "%{http_code}"]
            address = f"https://box.example:{port}/vdsq"
            until(lambda: subprocess.run([*curl, address + "/health"], capture_output=True).stdout == b"200", "nginx")
            body = '{"inputs": "The server is down.", "labels": ["billing", "outage"]}'
            json_type = ["-H", "content-type: application/json"]
            for extra in [[], ["-H", "origin: https://box.example"]]:
                code = subprocess.run([*curl, *json_type, *extra, "-d", body, address + "/classify"],
                                      capture_output=True, check=True).stdout
                assert code == b"200", (code, (SCRATCH / "nginx.out").read_text())
            (SCRATCH / "large").write_text('{"inputs": "' + "a" * (2 << 20) + '"}')
            code = subprocess.run([*curl, *json_type, "-d", f"@{SCRATCH}/large", address + "/embed"],
                                  capture_output=True).stdout
            assert code == b"413", code


def prometheus():
    configuration, rules = blocks("prometheus.md", "yaml")
    (SCRATCH / "prometheus.yml").write_text(configuration)
    (SCRATCH / "vdsq.rules.yml").write_text(rules)
    subprocess.run(["promtool", "check", "config", SCRATCH / "prometheus.yml"], check=True, capture_output=True)
    query = blocks("prometheus.md", "promql")[0]
    (SCRATCH / "query.yml").write_text(f"groups:\n- name: q\n  rules:\n  - record: q\n    expr: >\n" + "".join("      " + line + "\n" for line in query.splitlines()))
    subprocess.run(["promtool", "check", "rules", SCRATCH / "query.yml"], check=True, capture_output=True)
    with Service() as service:
        service.ask("/classify", {"inputs": ["hello"], "labels": ["a", "b"]})
        text = service.ask("/metrics")[1]
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        for name in re.findall(r"\bvdsq_\w+", configuration + rules + query):
            assert name in text, name


shutil.copy(MODEL, SCRATCH / "model.vdsq")
for recipe in [mqtt, journal, syslog, systemd, nginx, prometheus]:
    recipe()
    print(f"ok: recipe {recipe.__name__}", flush=True)
