// One Postgres and its standby: transactions, their log, and what snapshots see, as in procarray.c.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "history.hpp"
#include "millrace/core/fence.hpp"
#include "shop.hpp"

namespace millrace::sim {

using fence::PgSnapshot;
using fence::Xid;

struct Change {
    std::size_t cell = 0;
    Version version = 0, before = 0;
};

// What triggers or decoding say of a transaction.
struct Announcement {
    Xid xid = 0;
    std::string payload;
    std::vector<Change> changes;
    std::uint32_t life = 0;  // of the database
    Ms at = 0;               // of a purge: when it came into force
    std::string_view tag;    // of a purge
    bool hard = false;

    [[nodiscard]] bool purges(Question question) const {
        return !tag.empty() && (tag == "*" || tag == "@v1" || tag == route_tag(question));
    }
};

// What a server knows that has applied the log up to a place.
struct Replayed {
    std::size_t position = 0;
    Values values{};
    std::vector<Xid> running;  // sorted; of subtransactions too
    Xid next = 100, completed = 99;
};

class Postgres {
public:
    Postgres(History& history, const Agenda& agenda) : history_(history), agenda_(agenda) {}

    // xmax is one past the last completed xid, not past the last begun; xids of subtransactions are not listed.
    [[nodiscard]] PgSnapshot snapshot() const;
    [[nodiscard]] const Values& values() const { return values_; }
    // A standby lists nobody, though some may be in progress.
    [[nodiscard]] PgSnapshot standby_snapshot(bool in_progress_empty) const;
    [[nodiscard]] const Values& standby_values() const { return standby_.values; }
    [[nodiscard]] std::uint32_t timeline() const { return timeline_; }
    [[nodiscard]] std::uint32_t crashes() const { return crashes_; }
    [[nodiscard]] std::uint32_t lives() const { return timeline_ * 1'000 + crashes_; }

    Xid begin(bool subtransaction);
    // A statement; `word` is what its trigger says. Cells that another transaction has locked are left out.
    void write(Xid xid, const std::vector<std::size_t>& touched, const std::string& word);
    void abort(Xid xid);
    // The commit record is in the log: decoding may announce it, though no snapshot sees it before reveal().
    [[nodiscard]] Announcement log_commit(Xid xid, bool flush);
    void reveal(Xid xid);

    [[nodiscard]] std::vector<Xid> open() const;  // not in the log yet
    [[nodiscard]] const std::vector<Announcement>& invisible() const { return invisible_; }
    void replay(std::size_t records);
    [[nodiscard]] std::size_t standby_lag() const { return log_.size() - standby_.position; }

    void fail_over();  // to the standby as it is; what it has not received is lost
    void crash();      // what was not flushed is lost

private:
    struct Transaction {
        Xid xid = 0, last = 0;  // of its subtransaction, else the same
        std::string payload{};
        std::vector<std::size_t> cells{};
    };
    struct Record {
        enum class Kind : std::uint8_t { begin, commit, abort } kind{};
        Xid xid = 0, last = 0;
        std::vector<Change> changes;
    };
    [[nodiscard]] std::vector<Transaction>::iterator find(Xid xid);
    [[nodiscard]] bool locked(std::size_t cell) const;
    void complete(const Transaction& transaction);
    static void apply(Replayed& state, const Record& record);
    void recover(std::size_t position);

    History& history_;
    const Agenda& agenda_;
    std::uint32_t timeline_ = 1, crashes_ = 0;
    Xid next_ = 100, completed_ = 99;
    Values values_{};
    std::vector<Transaction> running_;  // by xid
    std::vector<Announcement> invisible_;
    std::vector<Record> log_;
    std::size_t flushed_ = 0;
    Replayed standby_;
};

}  // namespace millrace::sim
