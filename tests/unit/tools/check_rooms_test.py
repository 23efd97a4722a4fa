"""tools/check_rooms finds every kind of violation, and lets pass what the table allows."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[3]
TREE = {
    "host/base/status.hpp": "#include <string>\n",
    "host/config/config.hpp": "#include <toml++/toml.h>\n",
    "host/kube/client.hpp": '#include "base/status.hpp"\n#include <simdjson.h>\n',
    "host/node/node.hpp": '#include "kube/client.hpp"\n',
    "sdk/include/vkhost/provider.h": "#include <stdint.h>\n",
    "sdk/include/vkhost/provider.hpp": "#include <vkhost/provider.h>\n#include <string>\n",
    "plugins/mock/plugin.cpp": '#include <vkhost/provider.hpp>\n#include "client.hpp"\n',
    "plugins/mock/client.hpp": "",
    "plugins/ec2/agent.hpp": "",
    "tests/support/fake.hpp": '#include "kube/client.hpp"\n',
}


class CheckRooms(unittest.TestCase):
    def run_on(self, extra):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in (TREE | extra).items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            (root / "tools").mkdir()
            shutil.copy(SOURCE / "tools/rooms.toml", root / "tools")
            done = subprocess.run([sys.executable, SOURCE / "tools/check_rooms", root],
                                  capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_lets_an_orderly_tree_pass(self):
        code, text = self.run_on({})
        self.assertEqual(code, 0, text)

    def test_finds_each_forbidden_include(self):
        cases = {
            "host/base/a.hpp": '#include "kube/client.hpp"',
            "host/pods/a.cpp": '#include "node/node.hpp"',
            "host/http/a.cpp": '#include "config/config.hpp"',
            "host/pods/b.cpp": "#include <Poco/Net/Socket.h>",
            "host/pods/c.cpp": "  #  include <simdjson.h>",
            "host/pods/d.cpp": "#include <vkhost/provider.h>",
            "host/daemon/a.cpp": '#include "support/fake.hpp"',
            "host/kube/a.cpp": '#include "../../tests/support/fake.hpp"',
            "host/unnamed/a.cpp": '#include "kube/client.hpp"',
            "plugins/mock/a.cpp": '#include "../ec2/agent.hpp"',
            "plugins/mock/b.cpp": '#include "base/status.hpp"',
            "sdk/include/vkhost/a.h": '#include <Poco/JSON/Parser.h>',
            "host/kube/b.cpp": "#include <unheard/of.hpp>",
            "host/kube/c.cpp": '#include "kube/missing.hpp"',
        }
        for file, line in cases.items():
            with self.subTest(file=file, line=line):
                code, text = self.run_on({file: f"// first\n{line}\n"})
                self.assertEqual(code, 1, text)
                self.assertIn(f"{file}:2: may not include", text)
                self.assertIn("1 problems", text)

    def test_keeps_the_abi_header_to_the_c_library(self):
        code, text = self.run_on({"sdk/include/vkhost/provider.h": "#include <string>\n"})
        self.assertEqual(code, 1)
        self.assertIn("C99", text)

    def test_finds_nothing_in_an_empty_tree_and_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "tools").mkdir()
            shutil.copy(SOURCE / "tools/rooms.toml", root / "tools")
            done = subprocess.run([sys.executable, SOURCE / "tools/check_rooms", root],
                                  capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1, done.stdout)


if __name__ == "__main__":
    unittest.main()
