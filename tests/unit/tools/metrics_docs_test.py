"""tools/update-metrics-docs makes the page of the catalogue, and finds a page that is not of it."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[3]
CATALOGUE = """/* VKHOST_METRIC(Gauge, kNot, "vkhost_commented", (), "Out.", "") */
VKHOST_METRIC_SECTION("Pods")

VKHOST_METRIC(Counter, kOne, "vkhost_one_total", ("call", "code"),
              "Calls (with \\"quotes\\", commas) "
              "in two lines.",
              "`call` is a word.")
VKHOST_METRIC(Histogram, kTwo, "vkhost_two_seconds", (), "Times.", "")
"""


class MetricsDocs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "host/observe").mkdir(parents=True)
        (self.root / "docs").mkdir()
        self.page = self.root / "docs/metrics.md"
        self.given_catalogue(CATALOGUE)

    def given_catalogue(self, text):
        (self.root / "host/observe/catalogue.inc").write_text(text)

    def run_tool(self, *arguments):
        return subprocess.run(
            [sys.executable, SOURCE / "tools/update-metrics-docs", *arguments, self.root],
            capture_output=True, text=True, check=False)

    def test_writes_a_row_for_each_metric(self):
        self.assertEqual(self.run_tool().returncode, 0)
        lines = self.page.read_text().splitlines()
        self.assertIn("## Pods", lines)
        self.assertIn('| `vkhost_one_total` | counter | `call`, `code` | Calls (with "quotes", '
                      'commas) in two lines. `call` is a word. |', lines)
        self.assertIn("| `vkhost_two_seconds` | histogram | – | Times. |", lines)
        self.assertNotIn("vkhost_commented", self.page.read_text())

    def test_lets_its_own_page_pass(self):
        self.run_tool()
        self.assertEqual(self.run_tool("--check").returncode, 0)

    def test_finds_a_page_that_says_something_else(self):
        self.run_tool()
        self.given_catalogue(CATALOGUE.replace("vkhost_two_seconds", "vkhost_three_seconds"))
        before = self.page.read_text()
        done = self.run_tool("--check")
        self.assertEqual(done.returncode, 1)
        self.assertIn("+| `vkhost_three_seconds`", done.stdout)
        self.assertEqual(self.page.read_text(), before)

    def test_finds_a_page_that_is_missing(self):
        self.assertEqual(self.run_tool("--check").returncode, 1)

    def test_refuses_what_it_would_not_read(self):
        self.given_catalogue(CATALOGUE + "OTHER(kThree)\n")
        done = self.run_tool()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("OTHER", done.stderr)


if __name__ == "__main__":
    unittest.main()
