"""Conditions on reads and writes: 304, and 412 where an update would be lost, whoever comes at the same time."""
import threading

from harness import SystemTest, main

from stack import wait_until  # noqa: E402


class Conditions(SystemTest):
    def tag(self, path, **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.get(path, fields)
        self.assertIn(response.status, (200, 206), response.text)
        return response.headers["etag"]

    def patch(self, path, body, prefer=None, **headers):
        return self.send("PATCH", path, body, prefer, **headers)

    def stock(self, product):
        return int(self.sql(f"select stock from shop.products where id = {product}"))

    def test_a_read_is_answered_by_what_the_client_has(self):
        for path in ("/v1/products?id=eq.301", "/v1/orders?id=eq.301"):  # kept in the cache, and never kept
            tag = self.tag(path)
            for turn in range(3):
                self.assertEqual(self.get(path, {"If-None-Match": f'"x", W/{tag}'}).status, 304, (path, turn))
                self.assertEqual(self.get(path, {"If-Match": tag}).status, 200)
                self.assert_error(self.get(path, {"If-Match": f"W/{tag}"}), 412, "MR024")
                self.assert_error(self.get(path, {"If-Match": '"x"'}), 412, "MR024")
                head = self.server.request(path, "HEAD", {"If-None-Match": tag})
                self.assertEqual((head.status, head.headers["etag"]), (304, tag))

    def test_a_total_that_changed_is_another_answer(self):
        path = "/v1/products?select=id&order=id&limit=3"
        counted = self.tag(path, Prefer="count=exact")
        self.assertNotEqual(counted, self.tag(path))
        self.send("POST", "/v1/products", {"name": "one more", "category_id": 1, "price": 1})
        self.assertEqual(self.get(path, {"Prefer": "count=exact", "If-None-Match": counted}).status, 206)
        self.assertEqual(self.get(path, {"If-None-Match": self.tag(path)}).status, 304)

    def test_a_write_needs_what_the_client_has_seen(self):
        path = "/v1/products?id=eq.302"
        seen = self.tag(path)
        self.assertEqual(self.patch(path, {"stock": 11}, If_Match=seen).status, 204)
        self.assert_error(self.patch(path, {"stock": 12}, If_Match=seen), 412, "MR024")
        self.assertEqual(self.stock(302), 11)
        again = self.tag(path)
        self.assertNotEqual(again, seen)
        changed = self.patch(path, {"stock": 13}, "return=representation", If_Match=f'"x", {again}')
        self.assertEqual((changed.status, changed.json[0]["stock"]), (200, 13))

    def test_the_tag_is_that_of_the_same_url_and_accept(self):
        path = "/v1/products?id=eq.303&select=id,stock,categories(name)"
        one = {"Accept": "application/vnd.pgrst.object+json"}
        seen = self.get(path, one).headers["etag"]
        self.assert_error(self.patch(path, {"stock": 1}, If_Match=seen), 412, "MR024")
        self.assertEqual(self.patch(path, {"stock": 1}, If_Match=seen, **one).status, 204)
        table = {"Accept": "text/csv"}
        self.assertEqual(self.patch(path, {"stock": 1}, If_Match=self.get(path, table).headers["etag"], **table).status, 204)
        # columns= says which of the body is taken, and is no part of what is read.
        self.assertEqual(self.patch(path + "&columns=stock", {"stock": 2, "name": "x"}, If_Match=self.tag(path)).status, 204)
        self.assertEqual(self.stock(303), 2)
        weak = "W/" + self.tag(path)
        self.assert_error(self.patch(path, {"stock": 3}, If_Match=weak), 412, "MR024")
        counted = self.tag(path, Prefer="count=exact")
        self.assertEqual(self.patch(path, {"stock": 3}, If_Match=counted).status, 204)
        encoded = self.tag(path)[:-1] + '-gzip"'
        self.assertEqual(self.patch(path, {"stock": 4}, If_Match=encoded).status, 204)

    def test_any_means_that_there_is_something(self):
        self.assertEqual(self.patch("/v1/products?id=eq.304", {"stock": 5}, If_Match="*").status, 204)
        self.assert_error(self.patch("/v1/products?id=eq.99999304", {"stock": 5}, If_Match="*"), 412, "MR024")
        self.assert_error(self.patch("/v1/products?id=eq.304", {"stock": 6}, If_None_Match="*"), 412, "MR024")
        self.assertEqual(self.stock(304), 5)

    def test_a_delete_takes_what_was_seen(self):
        path = "/v1/favourites?customer_id=eq.999001&product_id=eq.1"
        self.sql("insert into shop.customers (id, email, name, country) values (999001, 'c@example.org', 'C', 'CH')")
        self.sql("insert into shop.favourites (customer_id, product_id) values (999001, 1)")
        self.sql("grant update on shop.favourites to shop_anonymous")
        seen = self.tag(path)
        self.assert_error(self.send("DELETE", path, If_Match='"x"'), 412, "MR024")
        self.assertEqual(self.send("DELETE", path, If_Match=seen).status, 204)
        self.assertEqual(self.sql("select count(*) from shop.favourites where customer_id = 999001"), "0")
        self.assert_error(self.send("DELETE", path, If_Match=seen), 412, "MR024")

    def test_what_cannot_be_checked_is_not_done(self):
        before = self.sql("select count(*) from shop.products")
        body = {"name": "x", "category_id": 1, "price": 1}
        self.assert_error(self.send("POST", "/v1/products", body, If_Match="*"), 412, "MR024")
        self.assert_error(self.send("POST", "/v1/products", body, If_None_Match="*"), 412, "MR024")
        self.assertEqual(self.sql("select count(*) from shop.products"), before)

    def test_what_a_write_would_touch_unseen_stays(self):
        # The page shows one row of two: the other one was not seen, and must not be changed along with it.
        path = "/v1/products?id=in.(305,306)"
        seen = self.tag(path + "&limit=1")
        self.assert_error(self.patch(path + "&limit=1", {"stock": 77}, If_Match=seen), 412, "MR024")
        self.assertNotIn(77, (self.stock(305), self.stock(306)))
        self.assertEqual(self.patch(path, {"stock": 77}, If_Match=self.tag(path)).status, 204)
        self.assertEqual((self.stock(305), self.stock(306)), (77, 77))


class Races(SystemTest):
    replicas = 2
    env = {"MILLRACE_DATABASE_SLOW_LANES": 4}

    def all_at_once(self, count, send):
        """Statuses of what `send(number)` answers, begun together on both replicas."""
        statuses, barrier = [None] * count, threading.Barrier(count)

        def go(number):
            barrier.wait(30)
            statuses[number] = send(self.cluster.replicas[number % 2], number).status
        threads = [threading.Thread(target=go, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return sorted(statuses)

    def test_of_writes_that_saw_the_same_exactly_one_wins(self):
        for turn in range(10):
            path = f"/v1/products?id=eq.{310 + turn}"
            seen = self.get(path).headers["etag"]
            statuses = self.all_at_once(6, lambda replica, number, p=path, s=seen: replica.request(
                p, "PATCH", {"If-Match": s}, {"stock": 5000 + number}))
            self.assertEqual(statuses, [204] + [412] * 5)

    def test_a_counter_raised_by_read_and_write_loses_nothing(self):
        path, each, writers = "/v1/products?id=eq.330&select=stock", 5, 4
        self.sql("update shop.products set stock = 0 where id = 330")

        def raise_it(replica, _):
            done = 0
            for _ in range(2000):
                now = replica.request("/v1/products?id=eq.330&select=stock", headers={"Cache-Control": "no-cache"})
                sent = replica.request(path, "PATCH", {"If-Match": now.headers["etag"]}, {"stock": now.json[0]["stock"] + 1})
                done += sent.status == 204
                if done == each:
                    return sent
            return sent
        self.assertEqual(self.all_at_once(writers, raise_it), [204] * writers)
        self.assertEqual(self.sql("select stock from shop.products where id = 330"), str(each * writers))

    def test_of_puts_that_make_a_row_exactly_one_makes_it(self):
        row = {"id": 700001, "name": "new", "description": "", "category_id": 1, "price": 1, "cost": 0, "stock": 0, "tags": [],
               "attributes": {}, "active": True, "created_at": "2026-01-01", "updated_at": "2026-01-01"}
        for turn in range(5):
            made = {**row, "id": row["id"] + turn}
            statuses = self.all_at_once(4, lambda replica, _, m=made: replica.request(
                f"/v1/products?id=eq.{m['id']}", "PUT", {"If-None-Match": "*"}, m))
            self.assertEqual(statuses, [204] + [412] * 3)

    def test_a_write_that_waits_for_another_transaction_sees_what_that_did(self):
        path = "/v1/products?id=eq.331"
        seen = self.get(path).headers["etag"]
        holder = threading.Thread(target=lambda: self.sql(
            "begin; update shop.products set stock = 4321 where id = 331; select pg_sleep(3); commit"))
        holder.start()
        wait_until(lambda: self.sql("select count(*) from pg_stat_activity where wait_event = 'PgSleep'") != "0", 20,
                   "the other transaction does not hold the row")
        answer = self.server.request(path, "PATCH", {"If-Match": seen}, {"stock": 1}, timeout_s=30)
        holder.join(30)
        self.assertEqual(answer.status, 412, answer.text)
        self.assertEqual(self.sql("select stock from shop.products where id = 331"), "4321")


if __name__ == "__main__":
    main()
