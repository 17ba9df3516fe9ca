"""What a version says of itself: OpenAPI 2.0 at its root, OpenAPI 3.1 at openapi.json, by version and by role."""
import json
import shutil
import subprocess
from pathlib import Path

from harness import SECRET, SystemTest, main, token

from stack import Millrace  # noqa: E402


class OpenApi(SystemTest):
    env = {"MILLRACE_AUTH_JWT_SECRET": SECRET}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres.sql("create role clerk nologin; grant clerk to shop_api; grant usage on schema shop to clerk; "
                         "grant select on shop.products, shop.categories to clerk; grant update (stock) on shop.products to clerk; "
                         "comment on schema shop is E'The shop\\n\\nWhat is sold here.'", "shop")

    def other_server(self, **env):
        server = Millrace(self.directory, self.postgres.url("shop", "shop_api"), name="other", env=env)
        server.start()
        self.addCleanup(server.stop)
        return server

    def test_the_root_is_openapi_2(self):
        response = self.get("/v2/")
        self.assertEqual(response.headers["content-type"], "application/openapi+json; charset=utf-8")
        self.assertEqual(response.json["swagger"], "2.0")
        self.assertEqual(response.json["info"]["title"], "The shop")
        self.assertEqual(response.json["info"]["description"], "What is sold here.")
        self.assertEqual(response.json["basePath"], "/v2")
        self.assertEqual(response.json["host"], f"127.0.0.1:{self.server.port}")
        self.assertEqual(self.get("/v2").body, response.body)
        again = self.get("/v2/", headers={"If-None-Match": response.headers["etag"]})
        self.assertEqual((again.status, again.body), (304, b""))

    def test_each_version_speaks_its_own_names(self):
        for path in ("/v2/", "/v2/openapi.json"):
            with self.subTest(path):
                document = self.get(path)
                self.assertIn("/items", document.json["paths"])
                self.assertNotIn("/products", document.json["paths"])
                self.assertNotIn('"cost"', document.text)
        items = self.get("/v2/openapi.json").json["components"]["schemas"]["items"]["properties"]
        self.assertEqual(items["updated"]["format"], "date-time")
        self.assertEqual(items["category_id"]["x-references"], {"resource": "categories", "column": "id"})
        self.assertIn("/products", self.get("/v1/").json["paths"])

    def test_a_deprecated_version_says_so(self):
        document = self.get("/v1/openapi.json")
        self.assertIn("deprecation", document.headers)
        self.assertTrue(document.json["paths"]["/products"]["get"]["deprecated"])
        self.assertIn("GMT", document.json["info"]["x-sunset"])

    def test_a_role_is_told_of_what_it_may_use(self):
        clerk = {"Authorization": f"Bearer {token(role='clerk')}"}
        document = self.get("/v1/openapi.json", headers=clerk).json
        self.assertEqual({path for path in document["paths"] if not path.startswith("/rpc/")},
                         {"/", "/openapi.json", "/products", "/categories"})
        self.assertEqual(set(document["paths"]["/products"]), {"get", "patch"})
        self.assertEqual(set(document["paths"]["/categories"]), {"get"})
        self.assertEqual(set(self.get("/v1/", headers=clerk).json["definitions"]), {"products", "categories"})
        self.assertIn("/orders", self.get("/v1/openapi.json").json["paths"])

    def test_methods_and_media_types(self):
        for path in ("/v2/", "/v2/openapi.json"):
            options = self.send("OPTIONS", path)
            self.assertEqual((options.status, options.headers["allow"]), (200, "OPTIONS,GET,HEAD"))
            head = self.send("HEAD", path)
            self.assertEqual((head.status, head.body), (200, b""))
            self.assert_error(self.send("POST", path, {}), 405, "PGRST117")
            self.assert_error(self.get(path, headers={"Accept": "text/csv"}), 406, "PGRST107")
            for accept in ("application/json", "application/openapi+json", "text/html, */*;q=0.1"):
                self.assertEqual(self.get(path, headers={"Accept": accept}).status, 200, accept)

    def test_modes_and_the_server_s_name(self):
        hidden = self.other_server(MILLRACE_API_OPENAPI_MODE="disabled")
        for method in ("GET", "OPTIONS"):
            self.assert_error(hidden.request("/v1/", method), 404, "PGRST126")
        self.assertEqual(hidden.request("/v1/openapi.json").status, 404)
        self.assertEqual(hidden.request("/v1/products?limit=1").status, 200)
        self.sql("create table if not exists shop.vault (id int primary key)")
        everything = self.other_server(MILLRACE_API_OPENAPI_MODE="ignore-privileges", MILLRACE_API_OPENAPI_SECURITY="true",
                                       MILLRACE_API_OPENAPI_SERVER_URL="https://shop.example.org/api")
        document = everything.request("/v1/").json
        self.assertIn("/vault", document["paths"])
        self.assertEqual((document["host"], document["basePath"], document["schemes"]),
                         ("shop.example.org:443", "/api/v1", ["https"]))
        self.assertEqual(document["security"], [{"JWT": []}])
        self.assertEqual(everything.request("/v1/openapi.json").json["servers"], [{"url": "https://shop.example.org:443/api/v1"}])


class Linted(SystemTest):
    """@redocly/cli from the npm registry, installed outside of the project."""

    env = {"MILLRACE_AUTH_JWT_SECRET": SECRET}

    def install(self):
        if shutil.which("npm") is None:
            self.skipTest("npm is not there: OpenAPI 3.1 is not linted")
        folder = Path(self.directory) / "redocly"
        folder.mkdir()
        done = subprocess.run(["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "@redocly/cli@2"],
                              capture_output=True, text=True, check=False, timeout=240)
        if done.returncode != 0:
            self.skipTest("the npm registry is not there: OpenAPI 3.1 is not linted: " + done.stderr.strip()[-200:])
        return folder

    def test_openapi_3_1_validates(self):
        folder = self.install()
        for version in ("v1", "v2"):
            document = folder / f"{version}.json"
            document.write_bytes(self.get(f"/{version}/openapi.json").body)
            done = subprocess.run([folder / "node_modules" / ".bin" / "redocly", "lint", "--extends", "recommended",
                                   "--format", "json", document], capture_output=True, text=True, check=False, cwd=folder,
                                  env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), "REDOCLY_TELEMETRY": "off",
                                       "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"})
            self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-1000:])


if __name__ == "__main__":
    main()
