"""The checker of histories itself: what it must let pass, and each thing that it must find."""
import unittest

from history import ANY_REPLICA, Read, Write, judge

BOUND = 1.0
WRITES = [Write("a", 1, 0.0, 0.1), Write("a", 2, 10.0, 10.1), Write("a", 3, 20.0), Write("b", 9, 0.0, 0.1)]
HIT = "millrace; hit; ttl=3; detail=memory"


def read(value, sent, took=0.01, **other):
    return Read(**{"row": "a", "value": value, "sent": sent, "received": sent + took, "via": "one", "status": HIT, **other})


class History(unittest.TestCase):
    def rules(self, *reads, writes=WRITES):
        return sorted({violation.rule for violation in judge(writes, list(reads), BOUND).violations})

    def test_fresh_answers_pass(self):
        self.assertEqual(self.rules(read(1, 0.2), read(2, 10.05), read(2, 15.0)), [])

    def test_an_old_value_passes_within_the_bound_and_not_after(self):
        self.assertEqual(self.rules(read(1, 11.0)), [])
        self.assertEqual(self.rules(read(1, 11.2)), ["stale"])

    def test_a_write_in_doubt_may_be_seen_or_not(self):
        self.assertEqual(self.rules(read(2, 30.0)), [])
        self.assertEqual(self.rules(read(3, 30.0)), [])

    def test_what_was_never_written_is_found(self):
        self.assertEqual(self.rules(read(7, 12.0)), ["nobody wrote that"])
        self.assertEqual(self.rules(read(2, 9.0)), ["nobody wrote that"])

    def test_an_own_write_must_be_seen(self):
        self.assertEqual(self.rules(read(1, 10.2, token_value=2)), ["own write not seen"])

    def test_a_replica_must_not_step_back(self):
        newer, older = read(2, 10.05), read(1, 10.5)
        self.assertEqual(self.rules(newer, older), ["a step back"])
        older.session = 1
        self.assertEqual(self.rules(newer, older), [], "after a restart nothing is known of before")
        newer.session = older.session = ANY_REPLICA
        self.assertEqual(self.rules(newer, older), [], "another replica may hear of a write a little later")

    def test_answers_that_overlap_may_come_in_any_order(self):
        self.assertEqual(self.rules(read(2, 10.05, took=0.5), read(1, 10.3)), [])

    def test_what_says_that_it_was_not_cached_must_be_new(self):
        self.assertEqual(self.rules(read(1, 10.2, status="millrace; fwd=bypass; detail=unfenced")), ["the database was asked"])
        self.assertEqual(self.rules(read(1, 10.2, status="millrace; fwd=uri-miss; collapsed")), [])

    def test_age_must_not_say_less_than_is_true(self):
        self.assertEqual(self.rules(read(1, 10.9, age=5)), [])
        writes = [Write("a", 1, 0.0, 0.1), Write("a", 2, 5.0, 5.1)]
        self.assertEqual(judge(writes, [read(1, 7.0, age=0)], 60).violations[0].rule, "Age is too low")

    def test_a_lost_write_may_be_seen_until_the_failover(self):
        writes = [Write("a", 1, 0.0, 0.1), Write("a", 2, 1.0, 1.1, lost_at=3.0)]
        self.assertEqual(self.rules(read(2, 2.0), writes=writes), [])
        self.assertEqual(self.rules(read(1, 5.0), writes=writes), [])
        self.assertEqual(self.rules(read(2, 5.0), writes=writes), ["a lost write is seen"])
        self.assertEqual(self.rules(read(2, 2.0), read(1, 2.5), writes=writes), [], "the failover may be under way")
        self.assertEqual(self.rules(read(1, 2.5, token_value=2), writes=writes), [])

    def test_staleness_is_measured(self):
        verdict = judge(WRITES, [read(1, 10.4), read(2, 10.5)], BOUND)
        self.assertEqual([round(s, 3) for s in verdict.staleness_s], [0.3])


if __name__ == "__main__":
    unittest.main()
