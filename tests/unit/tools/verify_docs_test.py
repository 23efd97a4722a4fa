"""tools/verify-docs finds what documents name and what is not there, and lets pass what is."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[3]
CODE = '''// "OnlyInAComment"
#include "OnlyIncluded"
const char* a = "FailedMount";
std::string b = optional ? "Optional" : "Mandatory";
std::string c = b + "Secret" + "NotFound";
log.warn("the node is not ready, "
         "and says \\"why\\"");
'''
EVENT = 'tell({pod, EventType::Warning, "Odd", "text"});\n'
EXIT_CODES = "enum class ExitCode : int {\n  Ok = 0,\n  Usage = 2,\n};\n"
CODES_TOLD = "| 0 | fine |\n| 2 | wrong |\n| 130, 143 | signals |\n"
COMMANDS = "## `vkhost get`\n\n| `--node NAME`, `-n` | This node. |\n"
KEYS = "## `[node]` or `[[node]]`\n\n| `name` | node name | none | Its name. |\n"
METRICS = "| `vkhost_pods` | gauge |\n"


class VerifyDocs(unittest.TestCase):
    def run_on(self, page="", troubleshooting=CODES_TOLD, more_code=""):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            files = {"host/a.cpp": CODE, "host/b.cpp": more_code, "host/cli/exit_code.hpp": EXIT_CODES,
                     "docs/command-line.md": COMMANDS, "docs/configuration.md": KEYS,
                     "docs/metrics.md": METRICS, "docs/page.md": page, "config/a.toml": "",
                     "docs/troubleshooting.md": troubleshooting}
            for name, content in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(content)
            done = subprocess.run([sys.executable, SOURCE / "tools/verify-docs", root],
                                  capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def assert_refused(self, what, **tree):
        code, text = self.run_on(**tree)
        self.assertEqual(code, 1, text)
        self.assertIn(what, text)
        self.assertIn(" 1 problems", text)

    def assert_passes(self, **tree):
        code, text = self.run_on(**tree)
        self.assertEqual(code, 0, text)

    def test_follows_links_to_files_and_headings(self):
        self.assert_passes(page="# A `b`, c\n[x](metrics.md) [y](#a-b-c) [z](https://example.com/#no)\n")
        self.assert_refused("none.md: there is no such file", page="[x](none.md)\n")
        self.assert_refused("#b: there is no such heading", page="# A\n[x](page.md#b)\n")

    def test_knows_commands_and_their_flags(self):
        self.assert_passes(page="```sh\nbuild/bin/vkhost get pods -n x | grep y  # vkhost nothing\n```\n")
        self.assert_refused("no such command", page="```sh\nvkhost fetch\n```\n")
        self.assert_refused("no flag --nodes", page="```sh\nvkhost get pods \\\n  --nodes x\n```\n")
        self.assert_refused("no flag -x", page="```console\n$ vkhost get -x\nvkhost answers\n```\n")

    def test_looks_for_the_files_that_commands_name(self):
        self.assert_passes(page="```sh\ncat config/a.toml ~/.kube/config/x build/config/b\n```\n")
        self.assert_refused("config/b.toml: there is no such file",
                            page="```sh\ncat config/b.toml\n```\n")

    def test_knows_settings_and_metrics(self):
        self.assert_passes(page='`node.name` `node.name = "x"` `other.key` `vkhost_pods > 0` `node.hpp`\n')
        self.assert_refused("node.nome: there is no such setting", page="`node.nome`\n")
        self.assert_refused("vkhost_pod: there is no such metric", page="`vkhost_pod`\n")

    def test_looks_for_what_troubleshooting_quotes(self):
        for quote in ("FailedMount", "OptionalSecretNotFound", "node is not ready, and says",
                      'says "why"', "FailedScheduling", "kubectl get Nothing"):
            with self.subTest(quote=quote):
                self.assert_passes(troubleshooting=CODES_TOLD + f"`{quote}`\n")
        for quote in ("FailedMounts", "OptionalNotHere", "the node is ready", "OnlyInAComment",
                      "OnlyIncluded", "vkhost.io/None"):
            with self.subTest(quote=quote):
                self.assert_refused(quote, troubleshooting=CODES_TOLD + f"`{quote}`\n")

    def test_lets_other_documents_quote_what_they_like(self):
        self.assert_passes(page="`FailedMounts`\n")

    def test_misses_what_is_told_to_users_and_not_explained(self):
        for code in (EVENT, 'parts_.events.warning(parts_.pod, "Odd",\n "x");\n',
                     'return {false, "Odd", "text"};\n', 'return not_ready("Odd", b);\n'):
            with self.subTest(code=code):
                self.assert_refused("Odd: is told", more_code=code)
                self.assert_passes(troubleshooting=CODES_TOLD + "`Odd`\n", more_code=code)

    def test_compares_exit_codes(self):
        self.assert_refused("exit code 2 is not told", troubleshooting="| 0 | fine |\n")
        self.assert_refused("exit code 3 does not exist", troubleshooting=CODES_TOLD + "| 3 | new |\n")


if __name__ == "__main__":
    unittest.main()
