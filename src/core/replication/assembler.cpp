// Puts the messages of a stream together into transactions, and says which tags each of them touched.
#include <algorithm>
#include <utility>

#include "millrace/core/catalog.hpp"
#include "millrace/core/replication.hpp"

namespace millrace::replication {
namespace {

constexpr std::size_t relations_max = 100'000;

}  // namespace

fence::Xid whole_xid(std::uint32_t xid, fence::Xid near) {
    const auto distance = static_cast<std::int32_t>(xid - static_cast<std::uint32_t>(near));
    return near + static_cast<fence::Xid>(static_cast<std::int64_t>(distance));
}

bool Assembler::learn(const Relation& relation, Lineage lineage) {
    if (known_.size() >= relations_max && !known_.contains(relation.oid)) return false;
    Known& known = known_[relation.oid];
    known.tag = catalog::tag_of(relation.schema, relation.name);
    known.ancestors = std::move(lineage.ancestors);
    known.columns = relation.columns.size();
    return true;
}

bool Assembler::take(const Message& message) {
    struct Take {
        Assembler& self;
        bool operator()(const Begin& m) const { return self.begin(m.xid); }
        bool operator()(const Commit& m) const { return self.commit(m); }
        bool operator()(const Relation&) const { return false; }  // learn() is for those
        bool operator()(const Insert& m) const { return self.touch(m.relation, m.fresh); }
        bool operator()(const Update& m) const {
            return self.touch(m.relation, m.fresh) && (!m.old || self.touch(m.relation, *m.old));
        }
        bool operator()(const Delete& m) const { return self.touch(m.relation, m.old); }
        bool operator()(const Truncate& m) const {
            return std::ranges::all_of(m.relations, [&](std::uint32_t oid) { return self.touch_all(oid); });
        }
        bool operator()(const Emitted&) const { return true; }
        bool operator()(const Other&) const { return true; }
    };
    return std::visit(Take{*this}, message);
}

std::optional<Transaction> Assembler::finished() { return std::exchange(finished_, std::nullopt); }

bool Assembler::begin(std::uint32_t xid) {
    if (xid_ || xid == 0) return false;
    xid_ = xid;
    return true;
}

bool Assembler::commit(const Commit& commit) {
    if (!xid_ || commit.end < commit.commit) return false;
    finished_ = Transaction{*xid_, commit.commit, commit.end, words()};
    xid_.reset();
    touched_.clear();
    return true;
}

bool Assembler::touch(std::uint32_t relation, const Tuple& row) {
    const auto known = known_.find(relation);
    if (!xid_ || known == known_.end() || row.size() != known->second.columns) return false;
    touched_[relation].wide = true;
    return true;
}

bool Assembler::touch_all(std::uint32_t relation) {
    if (!xid_ || !known_.contains(relation)) return false;
    touched_[relation].wide = true;
    return true;
}

std::vector<std::string> Assembler::words() const {
    std::set<std::string> words;
    for (const auto& [oid, touched] : touched_) {
        const Known& known = known_.at(oid);
        words.insert(known.tag);
        words.insert(known.ancestors.begin(), known.ancestors.end());
    }
    return {words.begin(), words.end()};
}

}  // namespace millrace::replication
