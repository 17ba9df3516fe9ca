"""What lies around the binary: every file parses, and they agree with each other and with the metrics that exist."""
import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from stack import HAProxy, Millrace  # noqa: E402

SERIES = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("",), "gauge": ("",)}
COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.S)
KUBERNETES = ROOT / "deploy" / "kubernetes"


def load_json(text):
    return json.loads(COMMENT.sub(lambda match: match[1] or "", text))


def documents(*names):
    return [document for name in names for document in yaml.safe_load_all((KUBERNETES / name).read_text())]


def known_series():
    """Names as Prometheus stores them, from the list that the server's own test keeps."""
    found = set()
    for line in (ROOT / "tests" / "io" / "metrics_names.txt").read_text().splitlines():
        name, kind = line.split()
        found.update(name + ending for ending in SERIES[kind])
    return found


def named_series(text):
    return set(re.findall(r"\b(?:millrace|process)_[a-z_]+\b", text))


def expressions(node):
    """Every PromQL expression in a dashboard, and the queries of its variables."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("expr", "definition") and isinstance(value, str):
                yield value
            else:
                yield from expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from expressions(value)


def alerts():
    files = (ROOT / "docker/prometheus/alerts.yml", ROOT / "deploy/prometheus/decoding.rules.yaml")
    return [rule for file in files for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


class Deploy(unittest.TestCase):
    def test_every_yaml_and_json_file_parses(self):
        files = [path for top in ("docker", "deploy", "config", "tests/bench") for path in sorted((ROOT / top).rglob("*"))
                 if path.suffix in (".yaml", ".yml", ".json")]
        self.assertGreater(len(files), 10)
        for path in files:
            with self.subTest(path.relative_to(ROOT)):
                text = path.read_text()
                loaded = load_json(text) if path.suffix == ".json" else list(yaml.safe_load_all(text))
                self.assertTrue(loaded)

    def test_alerts_and_dashboard_name_only_metrics_that_exist(self):
        known = known_series()
        dashboard = load_json((ROOT / "docker/grafana/dashboards/millrace.json").read_text())
        for expression in [*(rule["expr"] for rule in alerts()), *expressions(dashboard)]:
            with self.subTest(expression):
                self.assertLessEqual(named_series(expression), known)

    def test_alerts_say_what_happened_and_how_urgent_it_is(self):
        rules = yaml.safe_load((ROOT / "docker/prometheus/alerts.yml").read_text())
        for rule in (rule for group in rules["groups"] for rule in group["rules"]):
            with self.subTest(rule["alert"]):
                self.assertIn(rule["labels"]["severity"], ("page", "ticket"))
                self.assertTrue(rule["annotations"]["summary"])

    def test_every_alert_has_its_runbook_and_every_runbook_its_alert(self):
        document = (ROOT / "docs" / "operations.md").read_text()
        runbooks = re.findall(r"^### (Millrace\w+)$", document, re.M)
        self.assertEqual(sorted(runbooks), sorted(rule["alert"] for rule in alerts()))
        for rule in alerts():
            self.assertEqual(rule["annotations"]["runbook"], f"docs/operations.md#{rule['alert'].lower()}")

    def test_panels_of_the_dashboard_do_not_overlap(self):
        dashboard = load_json((ROOT / "docker/grafana/dashboards/millrace.json").read_text())
        taken = set()
        for panel in dashboard["panels"]:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(taken & cells, panel["title"])
            taken |= cells
        ids = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)))

    def test_haproxy_takes_its_configuration(self):
        directory = ROOT / "build" / "test-deploy"
        replicas = [Millrace(directory, "", name=f"millrace{number}") for number in (1, 2, 3)]
        HAProxy(directory, replicas).check()

    def test_compose_gives_haproxy_every_variable_that_it_reads(self):
        compose = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())
        read = set(re.findall(r'"\$\{(\w+)\}"', (ROOT / "deploy/haproxy/haproxy.cfg").read_text()))
        self.assertEqual(read, set(compose["services"]["haproxy"]["environment"]))

    def test_files_that_compose_mounts_are_there(self):
        compose = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())
        for name, service in compose["services"].items():
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                if source.startswith("."):
                    self.assertTrue((ROOT / "docker" / source).exists(), f"{name}: {source}")

    def test_prometheus_scrapes_every_replica_of_compose(self):
        compose = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())
        replicas = {name for name in compose["services"] if re.fullmatch(r"millrace\d", name)}
        scrape = yaml.safe_load((ROOT / "docker/prometheus/prometheus.yml").read_text())["scrape_configs"]
        targets = next(job for job in scrape if job["job_name"] == "millrace")["static_configs"][0]["targets"]
        self.assertEqual({f"{name}:9090" for name in replicas}, set(targets))

    def test_kubernetes_parts_belong_together(self):
        deployment, = documents("deployment.yaml")
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        pdb, = documents("pdb.yaml")
        hpa, = documents("hpa.yaml")
        service, admin = documents("service.yaml")
        monitor, = documents("servicemonitor.yaml")
        for selector in (deployment["spec"]["selector"]["matchLabels"], pdb["spec"]["selector"]["matchLabels"],
                         service["spec"]["selector"], admin["spec"]["selector"]):
            self.assertLessEqual(selector.items(), labels.items())
        self.assertEqual(deployment["metadata"]["name"], hpa["spec"]["scaleTargetRef"]["name"])
        self.assertLessEqual(monitor["spec"]["selector"]["matchLabels"].items(), admin["metadata"]["labels"].items())
        ports = {port["name"] for port in deployment["spec"]["template"]["spec"]["containers"][0]["ports"]}
        used = {port["targetPort"] for part in (service, admin) for port in part["spec"]["ports"]}
        self.assertEqual(ports, used)

    def test_kubernetes_gives_a_replica_the_time_to_drain(self):
        deployment, = documents("deployment.yaml")
        pod = deployment["spec"]["template"]["spec"]
        container, = pod["containers"]
        settings = {entry["name"]: entry.get("value") for entry in container["env"]}
        pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
        self.assertGreater(pod["terminationGracePeriodSeconds"], pause + int(settings["MILLRACE_DRAIN_DEADLINE_MS"]) / 1000)
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            self.assertEqual("admin", container[probe]["httpGet"]["port"])

    def test_the_configmap_holds_what_the_pod_mounts(self):
        config, = documents("configmap.yaml")
        deployment, = documents("deployment.yaml")
        for text in config["data"].values():
            load_json(text)
        items = deployment["spec"]["template"]["spec"]["volumes"][0]["configMap"]["items"]
        self.assertEqual(set(config["data"]), {item["key"] for item in items})
        self.assertLessEqual(set(load_json(config["data"]["millrace.json"])["routes"]), {item["path"] for item in items})

    def test_kustomization_lists_every_manifest(self):
        kustomization, = documents("kustomization.yaml")
        manifests = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
        self.assertEqual(manifests, set(kustomization["resources"]))

    def test_scripts_are_valid_shell(self):
        for name in ("tools/deps", "tools/cover", ".ci/run", "docker/postgres/10-shop.sh"):
            self.assertEqual(0, subprocess.run(["bash", "-n", ROOT / name], check=False).returncode, name)


if __name__ == "__main__":
    unittest.main()
