"""Starts, reloads and stops: signals, sockets of systemd, Unix sockets, TLS, keys, faults of options."""
import concurrent.futures
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

from service import MODEL, SCRATCH, VDSQD, Service, free_port

BODY = {"inputs": "the payment failed twice", "labels": ["billing", "outage"]}


def fails(code, message, *arguments):
    done = subprocess.run([VDSQD, *arguments], capture_output=True, text=True, timeout=30)
    assert done.returncode == code and message in done.stderr, (arguments, done.returncode, done.stderr)
    assert done.stderr.count("\n") == 1 or code == 64, done.stderr


# Faults are one line and a code.
fails(66, "no-such", "no-such.vdsq")
fails(64, "--listen", MODEL, "--listen", "nowhere")
fails(64, "--max-batch", MODEL, "--queue", "10", "--max-batch", "20")
fails(75, "budget", MODEL, "--memory-budget", "5M")
fails(64, "systemd passed no sockets", MODEL, "--listen", "systemd")
empty = SCRATCH / "empty-keys"
empty.write_text("\n")
fails(65, "no key", MODEL, "--api-key-file", str(empty))

# SIGTERM: what was taken is answered, and the exit code is 0.
with Service("--threads", "1") as service:
    results, stop = [], threading.Event()

    def client():
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
        while not stop.is_set():
            try:
                connection.request("POST", "/embed", '{"inputs": ["%s"]}' % ("word " * 50),
                                   {"content-type": "application/json"})
                sent = True
                answer = connection.getresponse()
                body = answer.read()
                results.append((answer.status, len(body)))
                if answer.getheader("connection") == "close":
                    return
            except ConnectionError:
                return

    threads = [threading.Thread(target=client) for _ in range(16)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    # A batch that takes a while: it was taken, so it is answered.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        batch = pool.submit(service.ask, "/embed", {"inputs": ["word " * 100] * 200})
        time.sleep(0.15)
        assert service.stop() == 0
        stop.set()
        status, vectors = batch.result()
        assert status == 200 and len(vectors) == 200, status
    for thread in threads:
        thread.join()
    assert results and all(status == 200 for status, _ in results), set(results)

# SIGHUP: the model and the adapters are read again; a damaged file changes nothing.
copy = SCRATCH / "reloaded.vdsq"
shutil.copy(MODEL, copy)
with Service("--state-directory", str(SCRATCH / "reload"), model=str(copy)) as service:
    service.ask("/adapters/a", {"labels": ["billing", "outage"]}, method="PUT")
    before = service.ask("/classify", {"inputs": "hello", "adapter": "a"})[1]["results"]
    os.replace(shutil.copy(MODEL, str(copy) + ".new"), copy)
    service.process.send_signal(signal.SIGHUP)
    for _ in range(100):
        if "reloaded" in service.log.read_text():
            break
        time.sleep(0.05)
    assert service.ask("/classify", {"inputs": "hello", "adapter": "a"})[1]["results"] == before
    damaged = SCRATCH / "damaged"
    damaged.write_bytes(b"damaged")
    os.replace(damaged, copy)
    service.process.send_signal(signal.SIGHUP)
    for _ in range(100):
        if "going on as before" in service.log.read_text():
            break
        time.sleep(0.05)
    assert service.ask("/classify", {"inputs": "hello", "adapter": "a"})[1]["results"] == before
    assert service.metric('vdsq_reloads_total{result="failure"}') == 1

# A socket of systemd, and its notifications: a stopped service answers within 50 ms.
notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notified.bind(str(SCRATCH / "notify"))
notified.settimeout(20)
times = []
for _ in range(5):
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.dup2(listener.fileno(), 3)
        environment = {**os.environ, "LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1",
                       "NOTIFY_SOCKET": str(SCRATCH / "notify")}
        os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
        os.execve(VDSQD, ["vdsqd", "minilm=" + MODEL, "--threads", "1"], environment)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/embed", '{"inputs": "hello"}', {"content-type": "application/json"})
    assert connection.getresponse().read().startswith(b"[[")
    times.append(1000 * (time.monotonic() - start))
    assert b"READY=1" in notified.recv(1000)
    os.kill(pid, signal.SIGTERM)
    assert b"STOPPING=1" in notified.recv(1000)
    assert os.waitpid(pid, 0)[1] == 0
    listener.close()
first = sorted(times)[len(times) // 2]

# A Unix socket, whose file an earlier process left; a file that is none is not removed.
path = SCRATCH / "vdsq.sock"
left = socket.socket(socket.AF_UNIX)
left.bind(str(path))
left.close()
with Service(listen=["--listen", f"unix:{path}"]) as service:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        assert b"ok" in client.makefile("rb").read()
    assert service.stop() == 0 and not path.exists()
path.write_text("mine")
fails(64, "no socket", MODEL, "--listen", f"unix:{path}")

# TLS and a key from a file.
certificate, key = SCRATCH / "tls.pem", SCRATCH / "tls.key"
subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
keys = SCRATCH / "keys"
keys.write_text("first\nsecond\n")
with Service("--tls-certificate", str(certificate), "--tls-key", str(key), "--api-key-file", str(keys)) as service:
    context = ssl.create_default_context(cafile=str(certificate))
    for token, status in [("second", 200), ("third", 401)]:
        connection = http.client.HTTPSConnection("localhost", service.port, context=context, timeout=20)
        connection.request("GET", "/info", headers={"authorization": f"Bearer {token}"})
        assert connection.getresponse().status == status

# vdsq serve is vdsqd.
port = free_port()
vdsq = os.path.join(os.path.dirname(VDSQD), "vdsq")
process = subprocess.Popen([vdsq, "serve", MODEL, "--listen", f"127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
for _ in range(200):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200
        break
    except ConnectionError:
        time.sleep(0.05)
process.send_signal(signal.SIGTERM)
assert process.wait(20) == 0
with Service("--threads", "1") as service:
    time.sleep(0.5)
    idle = service.memory()
print(f"ok: signals, sockets, TLS, keys; first answer of a stopped service {first:.0f} ms; idle {idle} kB")
