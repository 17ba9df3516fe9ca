// What a logical replication slot says, read: pgoutput's messages (protocol version 1) and the frames they come in, put
// together into transactions and the tags they touched. No I/O; all input is taken as hostile. Postgres: "Logical Replication
// Message Formats", "Streaming Replication Protocol".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "millrace/core/fence.hpp"

namespace millrace::replication {

using Lsn = std::uint64_t;                                          // a place in the log
[[nodiscard]] std::optional<Lsn> parse_lsn(std::string_view text);  // "16/B374D848"

// --- Frames of the copy stream -------------------------------------------------------------------------------------------

struct LogData {
    Lsn start = 0;
    std::string_view message;
};
struct Keepalive {
    Lsn end = 0;
    bool wants_reply = false;
};
using Frame = std::variant<LogData, Keepalive>;
[[nodiscard]] std::optional<Frame> read_frame(std::string_view bytes);
// Standby status update: everything before `confirmed` need not be sent again.
[[nodiscard]] std::string status_update(Lsn confirmed);

// --- Messages; views into the bytes they were read from ------------------------------------------------------------------

struct Begin {
    std::uint32_t xid = 0;
};
struct Commit {
    Lsn commit = 0;  // where its record begins
    Lsn end = 0;
};
struct Column {
    std::string name;
    std::uint32_t type = 0;
};
struct Relation {
    std::uint32_t oid = 0;
    std::string schema, name;
    char identity = 'd';  // pg_class.relreplident
    std::vector<Column> columns;
};
enum class CellKind : std::uint8_t { null, unchanged, text, binary };  // unchanged: a toasted value that is not sent
struct Cell {
    CellKind kind = CellKind::null;
    std::string_view value;
};
using Tuple = std::vector<Cell>;
struct Insert {
    std::uint32_t relation = 0;
    Tuple fresh;
};
struct Update {
    std::uint32_t relation = 0;
    std::optional<Tuple> old;  // the identity's columns, when they changed; of REPLICA IDENTITY FULL the whole row
    Tuple fresh;
};
struct Delete {
    std::uint32_t relation = 0;
    Tuple old;
};
struct Truncate {
    std::vector<std::uint32_t> relations;
};
struct Emitted {  // pg_logical_emit_message
    Lsn lsn = 0;
    std::string_view prefix, content;
};
struct Other {};  // Origin, Type: nothing to us
using Message = std::variant<Begin, Commit, Relation, Insert, Update, Delete, Truncate, Emitted, Other>;

// Nothing when it is not one whole message of protocol version 1: then the stream cannot be trusted further.
[[nodiscard]] std::optional<Message> read_message(std::string_view bytes);

// --- Transactions --------------------------------------------------------------------------------------------------------

// A transaction has 32 bits of its xid in the log. It is the xid8 nearest to `near`, one that Postgres gave out lately: the
// xids between which a slot may have to choose never span 2^31, since catalogs are not frozen beyond the slot's catalog_xmin
// and Postgres stops giving out xids before they wrap around what is not frozen ("Preventing Transaction ID Wraparound").
[[nodiscard]] fence::Xid whole_xid(std::uint32_t xid, fence::Xid near);

// What the log does not say of a table.
struct Lineage {
    struct Ancestor {
        fence::Tag tag;
        bool same_key = false;  // its primary key has the same columns in the same order
    };
    std::vector<Ancestor> ancestors;       // the tables it is a partition or a child of
    std::vector<std::string> primary_key;  // names in key order; empty: none
};

struct Transaction {
    std::uint32_t xid = 0;
    Lsn commit = 0, end = 0;
    std::vector<std::string> words;  // for the payload of an invalidation, after the xid; none: it touched no table
};

// Puts messages together. Memory is bounded whatever a transaction does: of a table it keeps a few keys, then only that many
// rows changed.
class Assembler {
public:
    // Before the first change of a table, and again after its definition changed. False: too many tables.
    [[nodiscard]] bool learn(const Relation& relation, Lineage lineage);
    // False: it does not follow from what came before, so the stream cannot be trusted further.
    [[nodiscard]] bool take(const Message& message);
    // After a Commit: what it ended, once.
    [[nodiscard]] std::optional<Transaction> finished();

private:
    struct Known {
        fence::Tag tag;
        std::vector<Lineage::Ancestor> ancestors;
        std::vector<Column> columns;
        std::vector<std::size_t> key;  // places of the primary key's columns; empty: rows cannot be told apart
    };
    struct Touched {
        bool wide = false;
        std::set<std::vector<std::string>> keys;
    };
    [[nodiscard]] bool touch(std::uint32_t relation, const Tuple& row);
    [[nodiscard]] static std::optional<std::vector<std::string>> key_of(const Known& known, const Tuple& row);
    static void tell(const Known& known, const Touched& touched, std::set<std::string>& words);
    [[nodiscard]] bool touch_all(std::uint32_t relation);
    [[nodiscard]] bool begin(std::uint32_t xid);
    [[nodiscard]] bool commit(const Commit& commit);
    [[nodiscard]] std::vector<std::string> words() const;

    std::unordered_map<std::uint32_t, Known> known_;
    std::map<std::uint32_t, Touched> touched_;
    std::optional<std::uint32_t> xid_;
    std::optional<Transaction> finished_;
};

}  // namespace millrace::replication
