"""tools/check_rbac refuses each right that is too much, and lets pass what is asked for by name."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[3]
ROLE = """# Events.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: vkhost-events
rules:
  - apiGroups: [""]
    resources: ["events"]
    verbs: ["create", "patch"]
"""
BINDING = """---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: vkhost-events
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: vkhost-events
subjects:
  - kind: ServiceAccount
    name: vkhost
    namespace: vkhost
"""
ROW = "| Events | [events.yaml](events.yaml) | `kubectl describe` |\n"


class CheckRbac(unittest.TestCase):
    def run_on(self, text=ROLE + BINDING, table=ROW, more=()):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            rbac = root / "packaging/rbac"
            rbac.mkdir(parents=True)
            (rbac / "events.yaml").write_text(text)
            (rbac / "README.md").write_text(table)
            for name, content in more:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(content)
            done = subprocess.run([sys.executable, SOURCE / "tools/check_rbac", root],
                                  capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def assert_refused(self, why, **tree):
        code, text = self.run_on(**tree)
        self.assertEqual(code, 1, text)
        self.assertIn(why, text)
        self.assertIn(" 1 problems", text)

    def test_lets_named_rights_of_a_named_file_pass(self):
        code, text = self.run_on()
        self.assertEqual(code, 0, text)

    def test_refuses_cluster_admin(self):
        for role in ("cluster-admin", "admin", "system:node"):
            with self.subTest(role=role):
                binding = BINDING.replace("name: vkhost-events\nsubjects", f"name: {role}\nsubjects")
                second = BINDING.replace("  name: vkhost-events\nroleRef", "  name: b\nroleRef")
                self.assert_refused(f"binds {role}", text=ROLE + binding + second)

    def test_refuses_what_is_given_wholesale(self):
        cases = {
            'verbs: ["create", "patch"]': 'verbs: ["*"]',
            'resources: ["events"]': 'resources: ["pods/*"]',
            'apiGroups: [""]': 'apiGroups: ["*"]',
            'apiGroups: [""]\n    resources: ["events"]': 'nonResourceURLs: ["/metrics/*"]',
        }
        for named, wholesale in cases.items():
            with self.subTest(wholesale=wholesale):
                self.assertIn(named, ROLE)
                self.assert_refused("gives wholesale",
                                    text=ROLE.replace(named, wholesale) + BINDING)

    def test_refuses_ways_to_other_rights(self):
        for verb in ("escalate", "bind", "impersonate"):
            with self.subTest(verb=verb):
                self.assert_refused(f"{verb} is a way",
                                    text=ROLE.replace('"patch"', f'"{verb}"') + BINDING)
        self.assert_refused(
            "may write roles",
            text=ROLE.replace('apiGroups: [""]', 'apiGroups: ["rbac.authorization.k8s.io"]')
            + BINDING)

    def test_refuses_a_list_of_secrets(self):
        rule = ROLE.replace('"events"', '"configmaps", "secrets"').replace('"patch"', '"list"')
        self.assert_refused("never listed", text=rule + BINDING)

    def test_refuses_other_holders(self):
        group = "  - kind: Group\n    name: system:authenticated\n"
        self.assert_refused("system:authenticated", text=ROLE + BINDING + group)

    def test_refuses_aggregation(self):
        self.assert_refused("aggregated", text=ROLE + "aggregationRule: {}\n" + BINDING)

    def test_refuses_a_role_that_nobody_has(self):
        self.assert_refused("nobody is bound", text=ROLE)

    def test_looks_into_lists(self):
        listed = ("# All.\napiVersion: v1\nkind: List\nitems:\n- kind: ClusterRoleBinding\n"
                  "  apiVersion: rbac.authorization.k8s.io/v1\n  metadata: {name: all}\n"
                  "  roleRef: {kind: ClusterRole, name: cluster-admin}\n"
                  "  subjects: [{kind: ServiceAccount, name: vkhost, namespace: vkhost}]\n")
        self.assert_refused("binds cluster-admin", text=listed)

    def test_looks_at_every_file_of_packaging(self):
        wholesale = ROLE.replace('"create", "patch"', '"*"') + BINDING
        self.assert_refused("packaging/helm/role.yml: ClusterRole vkhost-events: verbs: *",
                            more=[("packaging/helm/role.yml", wholesale)])

    def test_refuses_what_cannot_be_read(self):
        self.assert_refused("is no YAML", text="# Events.\n{")
        self.assert_refused("no list", text=ROLE.replace('["create", "patch"]', "get") + BINDING)

    def test_wants_each_file_in_the_table_once(self):
        self.assert_refused("events.yaml: has no row", table="events.yaml\n")
        self.assert_refused("events.yaml: has two rows", table=ROW + ROW)
        self.assert_refused("other.yaml: is no file",
                            table=ROW + ROW.replace("events.yaml", "other.yaml"))

    def test_wants_each_file_to_say_what_it_is_for(self):
        self.assert_refused("does not begin", text=ROLE.removeprefix("# Events.\n") + BINDING)


if __name__ == "__main__":
    unittest.main()
