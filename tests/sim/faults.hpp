// Mistakes that the simulation can be told to make: each must be noticed, so that the test is known to be able to fail. They
// are made by the model around the fence and the cache, in the places where a replica would make them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace millrace::sim {

enum class Fault : std::uint8_t {
    none,
    bare_xmin,
    in_progress_ignored,
    gap_without_floor,
    gap_forgets_the_unseen,
    snapshot_after_read,
    snapshot_before_listen,
    standby_in_progress_empty,
    epoch_ignored,
    crash_unnoticed,
    fill_crosses_epochs,
    silence_unnoticed,
    beat_counts_from_its_return,
    beat_after_its_notify,
    key_without_whole_tag,
    narrow_write_without_table,
    adopts_too_early,
    unseen_not_said_again,
    time_to_live_ignored,
    stale_limit_ignored,
    stale_hit_renews_itself,
    purge_unnoticed,
    older_entry_replaces_newer,
    older_entry_wins_in_redis,
    own_write_not_applied,
    token_ignored,
    claims_left_out_of_key,
    role_left_out_of_key,
    mixed_up_bytes_accepted,
    age_since_decoded,
    two_fills_of_a_key,
    lease_of_another_released,
};

struct FaultName {
    Fault fault;
    std::string_view guarantee, name;
};

inline constexpr auto planted_faults = std::to_array<FaultName>({
    {Fault::bare_xmin, "useful", "entries are taken to see nothing from xmin on"},
    {Fault::in_progress_ignored, "G1", "entries are taken to see all that began before them"},
    {Fault::gap_without_floor, "G1", "after a gap the old floor goes on"},
    {Fault::gap_forgets_the_unseen, "G1", "a gap drops what arrived before it ended"},
    {Fault::snapshot_after_read, "G1", "the snapshot is taken after the read"},
    {Fault::snapshot_before_listen, "G1", "the snapshot that ends a gap is taken before LISTEN"},
    {Fault::standby_in_progress_empty, "G1", "a standby's snapshot is taken to see all up to its xmax"},
    {Fault::epoch_ignored, "G1", "entries outlive a failover"},
    {Fault::crash_unnoticed, "G1", "entries outlive a crash of the database"},
    {Fault::fill_crosses_epochs, "G1", "a read that began before a failover is stored after it"},
    {Fault::silence_unnoticed, "G1", "a channel that is silent or late is relied on"},
    {Fault::beat_counts_from_its_return, "G1", "a beat proves all up to its return, not up to its beginning"},
    {Fault::beat_after_its_notify, "G1", "a beat's snapshot is taken after it was sent"},
    {Fault::key_without_whole_tag, "G1", "entries by key lack t#*"},
    {Fault::narrow_write_without_table, "G1", "a write by key is not taken to touch its table"},
    {Fault::adopts_too_early, "G1", "a new replica begins at the snapshot that a peer published"},
    {Fault::unseen_not_said_again, "G1", "who joins a decoded stream misses what was decoded but is not visible yet"},
    {Fault::time_to_live_ignored, "G1", "what has no tags is kept for ever"},
    {Fault::stale_limit_ignored, "G1", "stale answers are given beyond their limit"},
    {Fault::stale_hit_renews_itself, "G1", "a stale hit counts as having been valid"},
    {Fault::purge_unnoticed, "G1", "what was purged hard is given as stale"},
    {Fault::older_entry_replaces_newer, "G2", "memory keeps whatever came last"},
    {Fault::older_entry_wins_in_redis, "G2", "Redis keeps whatever came last"},
    {Fault::own_write_not_applied, "G3", "a replica's own write waits for its notification"},
    {Fault::token_ignored, "G3", "a token is not compared with the entry's snapshot"},
    {Fault::claims_left_out_of_key, "G4", "the key lacks the claims"},
    {Fault::role_left_out_of_key, "G4", "the key lacks the role"},
    {Fault::mixed_up_bytes_accepted, "G4", "bytes of another key are decoded"},
    {Fault::age_since_decoded, "G5", "Age counts from when an entry was found in Redis"},
    {Fault::two_fills_of_a_key, "G6", "nobody waits for a fill that is under way"},
    {Fault::lease_of_another_released, "G6", "who is late gives back a lease that another holds"},
});

}  // namespace millrace::sim
