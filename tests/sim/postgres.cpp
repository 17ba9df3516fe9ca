// Begins, writes and ends transactions, replays them on the standby, and loses the newest in a failover or a crash.
#include "postgres.hpp"

#include <algorithm>

namespace millrace::sim {

PgSnapshot Postgres::snapshot() const {
    PgSnapshot taken{completed_ + 1, completed_ + 1, {}};
    for (const Transaction& transaction : running_)
        if (transaction.xid < taken.xmax) taken.in_progress.push_back(transaction.xid);
    if (!taken.in_progress.empty()) taken.xmin = taken.in_progress.front();
    return taken;
}

PgSnapshot Postgres::standby_snapshot(bool in_progress_empty) const {
    const Xid xmax = standby_.completed + 1;
    const Xid xmin = standby_.running.empty() ? xmax : std::min(standby_.running.front(), xmax);
    return in_progress_empty ? PgSnapshot{xmin, xmax, {}} : PgSnapshot{xmin, xmin, {}};
}

Xid Postgres::begin(bool subtransaction) {
    Transaction transaction;
    transaction.xid = next_++;
    transaction.last = subtransaction ? next_++ : transaction.xid;
    running_.push_back(transaction);
    log_.push_back({Record::Kind::begin, transaction.xid, transaction.last, {}});
    return transaction.xid;
}

std::vector<Postgres::Transaction>::iterator Postgres::find(Xid xid) {
    return std::ranges::find(running_, xid, &Transaction::xid);
}

bool Postgres::locked(std::size_t cell) const {
    return std::ranges::any_of(running_,
                               [&](const Transaction& t) { return std::ranges::find(t.cells, cell) != t.cells.end(); });
}

void Postgres::write(Xid xid, const std::vector<std::size_t>& touched, const std::string& word) {
    const auto transaction = find(xid);
    if (transaction == running_.end()) return;
    transaction->payload += ' ' + word;
    for (const std::size_t cell : touched)
        if (!locked(cell)) transaction->cells.push_back(cell);
}

void Postgres::complete(const Transaction& transaction) {
    completed_ = std::max(completed_, transaction.last);
    running_.erase(find(transaction.xid));
}

void Postgres::abort(Xid xid) {
    const auto transaction = find(xid);
    if (transaction == running_.end()) return;
    log_.push_back({Record::Kind::abort, xid, transaction->last, {}});
    complete(*transaction);
}

Announcement Postgres::log_commit(Xid xid, bool flush) {
    const auto transaction = find(xid);
    Announcement said;
    said.xid = xid;
    said.payload = std::to_string(xid) + transaction->payload;
    said.life = lives();
    for (const std::size_t cell : transaction->cells) said.changes.push_back({cell, history_.commit(), values_[cell]});
    log_.push_back({Record::Kind::commit, xid, transaction->last, said.changes});
    if (flush) flushed_ = log_.size();
    invisible_.push_back(said);
    return said;
}

void Postgres::reveal(Xid xid) {
    const auto said = std::ranges::find(invisible_, xid, &Announcement::xid);
    const auto transaction = find(xid);
    if (said == invisible_.end() || transaction == running_.end()) return;
    for (const Change& change : said->changes) {
        values_[change.cell] = change.version;
        history_.becomes_current(change.cell, change.version, agenda_.now());
    }
    invisible_.erase(said);
    complete(*transaction);
}

std::vector<Xid> Postgres::open() const {
    std::vector<Xid> xids;
    for (const Transaction& transaction : running_)
        if (std::ranges::find(invisible_, transaction.xid, &Announcement::xid) == invisible_.end())
            xids.push_back(transaction.xid);
    return xids;
}

void Postgres::apply(Replayed& state, const Record& record) {
    ++state.position;
    state.next = std::max(state.next, record.last + 1);
    if (record.kind == Record::Kind::begin) {
        state.running.push_back(record.xid);
        if (record.last != record.xid) state.running.push_back(record.last);
        return;
    }
    std::erase_if(state.running, [&](Xid xid) { return xid == record.xid || xid == record.last; });
    state.completed = std::max(state.completed, record.last);
    for (const Change& change : record.changes) state.values[change.cell] = change.version;
}

// A standby is sent nothing that could still be lost.
void Postgres::replay(std::size_t records) {
    for (; records > 0 && standby_.position < log_.size(); --records) apply(standby_, log_[standby_.position]);
    flushed_ = std::max(flushed_, standby_.position);
}

void Postgres::fail_over() {
    ++timeline_;
    recover(standby_.position);
}

void Postgres::crash() {
    ++crashes_;
    recover(flushed_);
}

// Whoever was running is gone, and the xids from there on are used again.
void Postgres::recover(std::size_t position) {
    for (std::size_t i = position; i < log_.size(); ++i)
        for (const Change& change : log_[i].changes) history_.lose(change.version);
    log_.resize(position);
    while (standby_.position < position) apply(standby_, log_[standby_.position]);
    for (std::size_t cell = 0; cell < cells; ++cell)
        if (values_[cell] != standby_.values[cell]) history_.becomes_current(cell, standby_.values[cell], agenda_.now());
    values_ = standby_.values;
    next_ = standby_.next;
    completed_ = next_ - 1;
    standby_.completed = completed_;
    standby_.running.clear();
    running_.clear();
    invisible_.clear();
    flushed_ = position;
}

}  // namespace millrace::sim
