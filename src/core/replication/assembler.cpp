// Puts the messages of a stream together into transactions, and says which tags each of them touched.
#include <algorithm>
#include <utility>

#include "millrace/core/catalog.hpp"
#include "millrace/core/replication.hpp"

namespace millrace::replication {
namespace {

constexpr std::size_t relations_max = 100'000;
constexpr std::size_t keys_max = 64;  // of one table in one transaction; as the triggers

// As key_of() of the triggers writes it, for types that are written in one way only.
std::optional<std::string> key_text(std::uint32_t type, std::string_view value) {
    constexpr std::uint32_t boolean = 16, int8 = 20, int2 = 21, int4 = 23, text = 25, varchar = 1043, uuid = 2950;
    if (type == boolean) return value == "t" ? "true" : "false";
    for (const std::uint32_t plain : {int8, int2, int4, text, varchar, uuid})
        if (type == plain) return std::string(value);
    return std::nullopt;
}

// Without the row as it was, only these say that the key did not change when nothing is sent of it.
bool tells_old_keys(char identity) { return identity == 'd' || identity == 'f'; }

}  // namespace

fence::Xid whole_xid(std::uint32_t xid, fence::Xid near) {
    const auto distance = static_cast<std::int32_t>(xid - static_cast<std::uint32_t>(near));
    return near + static_cast<fence::Xid>(static_cast<std::int64_t>(distance));
}

bool Assembler::learn(const Relation& relation, Lineage lineage) {
    if (known_.size() >= relations_max && !known_.contains(relation.oid)) return false;
    Known known;
    known.tag = catalog::tag_of(relation.schema, relation.name);
    known.ancestors = std::move(lineage.ancestors);
    known.columns = relation.columns;
    for (const std::string& name : lineage.primary_key) {
        const auto column = std::ranges::find(relation.columns, name, &Column::name);
        if (column != relation.columns.end()) known.key.push_back(static_cast<std::size_t>(column - relation.columns.begin()));
    }
    if (known.key.size() != lineage.primary_key.size() || !tells_old_keys(relation.identity)) known.key.clear();
    known_.insert_or_assign(relation.oid, std::move(known));
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
    if (!xid_ || known == known_.end() || row.size() != known->second.columns.size()) return false;
    Touched& touched = touched_[relation];
    if (touched.wide) return true;
    auto key = key_of(known->second, row);
    if (key) touched.keys.insert(*std::move(key));
    touched.wide = !key || touched.keys.size() > keys_max;
    if (touched.wide) touched.keys.clear();
    return true;
}

std::optional<std::vector<std::string>> Assembler::key_of(const Known& known, const Tuple& row) {
    if (known.key.empty()) return std::nullopt;
    std::vector<std::string> key;
    for (const std::size_t place : known.key) {
        if (row[place].kind != CellKind::text) return std::nullopt;
        auto text = key_text(known.columns[place].type, row[place].value);
        if (!text) return std::nullopt;
        key.push_back(*std::move(text));
    }
    return key;
}

bool Assembler::touch_all(std::uint32_t relation) {
    if (!xid_ || !known_.contains(relation)) return false;
    Touched& touched = touched_[relation];
    touched.wide = true;
    touched.keys.clear();
    return true;
}

std::vector<std::string> Assembler::words() const {
    std::set<std::string> words;
    for (const auto& [oid, touched] : touched_) tell(known_.at(oid), touched, words);
    return {words.begin(), words.end()};
}

void Assembler::tell(const Known& known, const Touched& touched, std::set<std::string>& words) {
    const auto tell_one = [&](const fence::Tag& table, bool by_key) {
        if (!by_key) words.insert(table);
        for (const auto& key : touched.keys)
            if (by_key) words.insert(fence::key_tag(table, key));
    };
    tell_one(known.tag, !touched.wide);
    for (const Lineage::Ancestor& ancestor : known.ancestors) tell_one(ancestor.tag, !touched.wide && ancestor.same_key);
}

}  // namespace millrace::replication
