"""tools/check_abi finds what would make the ABI unable to grow, or a function's contract unclear."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[3]
PROVIDER = "vkhost/provider.h"


class CheckAbi(unittest.TestCase):
    def run_on(self, header=PROVIDER, old="", new=""):
        """Output of the check over a copy of the headers in which `old` is replaced by `new`."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            shutil.copytree(SOURCE / "sdk/include", root / "sdk/include")
            shutil.copytree(SOURCE / "sdk/abi", root / "sdk/abi")
            path = root / "sdk/include" / header
            text = path.read_text()
            self.assertIn(old, text)
            path.write_text(text.replace(old, new, 1))
            done = subprocess.run([sys.executable, SOURCE / "tools/check_abi", root],
                                  capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def assert_finds(self, sentence, **change):
        code, text = self.run_on(**change)
        self.assertEqual(code, 1, text)
        self.assertIn(sentence, text)

    def test_is_content_with_the_headers(self):
        code, text = self.run_on()
        self.assertEqual(code, 0, text)

    def test_finds_a_struct_without_its_size(self):
        self.assert_finds("vkp_error must begin with size",
                          old="typedef struct vkp_error {\n  uint64_t size;",
                          new="typedef struct vkp_error {\n  uint64_t bytes;")

    def test_finds_a_size_of_another_type(self):
        self.assert_finds("vkp_call must begin with size",
                          old="typedef struct vkp_call {\n  uint64_t size;",
                          new="typedef struct vkp_call {\n  int64_t size;")

    def test_finds_a_table_whose_head_has_moved(self):
        self.assert_finds("vkp_plugin_table must begin with magic",
                          old="uint32_t abi_major; /*", new="uint32_t abi_first; /*")

    def test_finds_a_struct_or_table_that_is_held_by_value(self):
        self.assert_finds("vkp_create_pod_request.ref holds a vkp_pod_ref by value",
                          old="typedef struct vkp_create_pod_request {\n  uint64_t size;\n"
                              "  const vkp_pod_ref* ref;",
                          new="typedef struct vkp_create_pod_request {\n  uint64_t size;\n"
                              "  vkp_pod_ref ref;")
        self.assert_finds("vkp_start_container_request.run holds a vkp_container_run by value",
                          header="vkhost/ext/containers.h",
                          old="const vkp_container_run* run;", new="const vkp_container_run run[2];")

    def test_finds_a_function_without_its_labels(self):
        self.assert_finds("vkp_plugin_table.ping: its comment needs the labels",
                          old="   * Thread:  [node-serial]\n   * Blocks:  yes, until the deadline\n"
                              "   * Memory:  none\n", new="")

    def test_finds_a_thread_contract_that_nobody_defined(self):
        self.assert_finds("names no contract", old="Thread:  [library]", new="Thread:  [main]")
        self.assert_finds("names no contract", old="Thread:  [library]", new="Thread:  whichever")

    def test_finds_an_extension_without_its_id_or_table(self):
        self.assert_finds('no #define VKP_EXT_LOGS "vkp.logs/N"', header="vkhost/ext/logs.h",
                          old='"vkp.logs/1"', new='"vkp.log/1"')
        self.assert_finds('no #define VKP_EXT_HOST_EVICT "vkp.host.evict/N"',
                          header="vkhost/ext/host_evict.h", old="#define VKP_EXT_HOST_EVICT",
                          new="#define VKP_HOST_EVICT")

    def test_finds_a_layout_that_has_changed(self):
        self.assert_finds("layout.inc differs", old="int64_t retry_after_ms;",
                          new="int64_t retry_after_us;")
        self.assert_finds("layout.inc differs", old="VKP_UNAUTHENTICATED = 16",
                          new="VKP_UNAUTHENTICATED = 17")


if __name__ == "__main__":
    unittest.main()
