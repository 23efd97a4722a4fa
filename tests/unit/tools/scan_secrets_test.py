"""tools/scan_secrets finds what is planted, says where and what it is, and never shows it."""
import base64
import http.server
import json
import pathlib
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[3]
LINE = '{"level":"info","message":"The pod runs","pod":"shop/web"}\n'


def url_base64(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


HEAD = url_base64('{"alg":"RS256","kid":"k"}')
JWT = HEAD + "." + url_base64('{"iss":"https://kubernetes.default.svc"}') + "." + "s" * 40


class Events(http.server.BaseHTTPRequestHandler):
    """Two pages; the second has what is planted."""

    planted = ""

    def do_GET(self):  # pylint: disable=invalid-name
        is_second = "continue=next" in self.path
        message = self.planted if is_second else "Started"
        page = {"metadata": {} if is_second else {"continue": "next"},
                "items": [{"metadata": {"namespace": "shop", "name": f"web.{int(is_second)}"},
                           "message": message}]}
        body = json.dumps(page).encode()
        self.send_response(200 if self.headers["Authorization"] == "Bearer t0ken-of-admin" else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class ScanSecrets(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def scan(self, *arguments):
        done = subprocess.run([sys.executable, SOURCE / "tools/scan_secrets", *arguments],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def scan_planted(self, *planted):
        (self.root / "daemon.log").write_text(LINE + "".join(f"{line}\n" for line in planted) + LINE)
        return self.scan(self.root)

    def assert_found(self, kind, *planted):
        code, text = self.scan_planted(*planted)
        self.assertEqual(code, 1, text)
        for number, line in enumerate(planted, start=2):
            self.assertIn(f"daemon.log:{number}: {kind}\n", text)
            self.assertNotIn(line, text)
        self.assertIn(f"scan_secrets: {len(planted)} findings in 1 files", text)

    def test_finds_a_marker_value(self):
        self.assert_found("marker value", '"PASSWORD=open-sesame!"')

    def test_finds_a_marker_value_in_base64_wherever_it_stands_in_it(self):
        values = [b"x" * before + b"sesame" + b"y" * behind
                  for before in range(4) for behind in range(4)]
        self.assert_found("marker value in base64",
                          *(base64.b64encode(value).decode() for value in values))

    def test_finds_other_markers_when_told_so(self):
        (self.root / "log").write_text("a swordfish\n")
        code, text = self.scan("--marker", "swordfish", self.root)
        self.assertEqual((code, "log:1: marker value\n" in text), (1, True), text)

    def test_finds_a_jwt_wherever_it_stands(self):
        self.assert_found(
            "JWT", *(before + JWT for before in ("", "Bearer ", "Bearer%20", '"token":"', "x")))

    def test_finds_the_head_of_a_jwt_that_was_cut(self):
        self.assert_found("head of a JWT", f'"token":"{HEAD[:24]}"')

    def test_finds_a_pull_secret(self):
        config = base64.b64encode(b'{"auths":{"registry.example":{"auth":"bWU6eA=="}}}').decode()
        self.assert_found("JSON in base64", f'".dockerconfigjson":"{config}"')

    def test_finds_a_private_key(self):
        self.assert_found("private key", "-----BEGIN EC " + "PRIVATE KEY-----")

    def test_lets_pass_what_is_no_secret(self):
        go_on = url_base64('{"v":"meta.k8s.io/v1","rv":17,"start":"shop/web\\u0000"}')
        code, text = self.scan_planted(
            "", "sha256:" + "5e5a3e" * 10, "GET /api/v1/pods?limit=500&continue=" + go_on,
            "AAAAeyJhbGciOiJSUzI1NiIs", "-----BEGIN CERTIFICATE-----", "eyJ")
        self.assertEqual(code, 0, text)

    def test_names_every_kind_of_a_line_and_every_line(self):
        (self.root / "a.log").write_text(f"sesame {JWT}\n")
        (self.root / "below").mkdir()
        (self.root / "below/b.log").write_bytes(b"\xff\xfe\nsesame")
        code, text = self.scan(self.root)
        self.assertEqual(code, 1, text)
        for finding in ("a.log:1: marker value\n", "a.log:1: JWT\n", "below/b.log:2: marker value\n"):
            self.assertIn(finding, text)

    def test_says_what_cannot_be_read(self):
        for arguments in ([self.root / "none.log"], ["--cluster", self.root / "cluster.json"]):
            code, text = self.scan(*arguments)
            self.assertEqual(code, 2, text)
        self.assertEqual(self.scan()[0], 2)

    def given_cluster(self, planted_event):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "1", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", self.root / "key", "-out", self.root / "crt"],
            check=True, capture_output=True)
        Events.planted = planted_event
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Events)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.root / "crt", self.root / "key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(server.shutdown)
        (self.root / "logs").mkdir()
        (self.root / "logs/kube-apiserver.log").write_text(LINE)
        facts = self.root / "cluster.json"
        facts.write_text(json.dumps({
            "url": f"https://127.0.0.1:{server.server_port}", "ca_file": str(self.root / "crt"),
            "logs_dir": str(self.root / "logs"), "admin_token": "t0ken-of-admin",
            "tokens": {"admin": "t0ken-of-admin", "vkhost": "t0ken-of-vkhost"}}))
        return facts

    def test_looks_at_the_events_logs_and_records_of_a_cluster(self):
        facts = self.given_cluster("pulled with sesame")
        (self.root / "records").mkdir()
        (self.root / "records/daemon.log-1-1").write_text(LINE + "t0ken-of-vkhost\n")
        (self.root / "logs/etcd.log").write_text(JWT)
        code, text = self.scan("--cluster", facts)
        self.assertEqual(code, 1, text)
        self.assertIn("Event shop/web.1: marker value\n", text)
        self.assertIn("daemon.log-1-1:2: token of the user vkhost\n", text)
        self.assertIn("etcd.log:1: JWT\n", text)
        self.assertIn("scan_secrets: 3 findings in 3 files and 2 Events", text)

    def test_finds_nothing_in_a_cluster_where_nothing_is(self):
        code, text = self.scan("--cluster", self.given_cluster("Started"))
        self.assertEqual(code, 0, text)
        self.assertIn("0 findings in 1 files and 2 Events", text)


if __name__ == "__main__":
    unittest.main()
