// Reads one message of pgoutput, protocol version 1.
#include "bytes.hpp"
#include "millrace/core/replication.hpp"

namespace millrace::replication {
namespace {

constexpr std::size_t columns_max = 1600;    // Postgres' MaxHeapAttributeNumber
constexpr std::size_t identifier_max = 255;  // NAMEDATALEN is 64 unless somebody built it otherwise

std::string identifier(Bytes& in) {
    const std::string_view text = in.text();
    if (text.size() > identifier_max) in.fail();
    return std::string(text);
}

Cell cell(Bytes& in) {
    switch (in.number<char>()) {
        case 'n':
            return {};
        case 'u':
            return {CellKind::unchanged, {}};
        case 't':
            return {CellKind::text, in.take(in.number<std::uint32_t>())};
        case 'b':
            return {CellKind::binary, in.take(in.number<std::uint32_t>())};
        default:
            in.fail();
            return {};
    }
}

Tuple tuple(Bytes& in) {
    const auto count = in.number<std::uint16_t>();
    if (count > columns_max) in.fail();
    Tuple cells;
    for (std::size_t i = 0; in.good() && i < count; ++i) cells.push_back(cell(in));
    return cells;
}

Begin begin(Bytes& in) {
    in.take(8 + 8);  // where it will end, and when
    return {in.number<std::uint32_t>()};
}

Commit commit(Bytes& in) {
    in.take(1);  // flags, of which there are none
    Commit ended;
    ended.commit = in.number<Lsn>();
    ended.end = in.number<Lsn>();
    in.take(8);
    return ended;
}

Column column(Bytes& in) {
    Column made;
    in.take(1);  // whether it is of the replica identity
    made.name = identifier(in);
    made.type = in.number<std::uint32_t>();
    in.take(4);  // the type's modifier
    return made;
}

Relation relation(Bytes& in) {
    Relation made;
    made.oid = in.number<std::uint32_t>();
    made.schema = identifier(in);
    made.name = identifier(in);
    made.identity = in.number<char>();
    const auto count = in.number<std::uint16_t>();
    if (count > columns_max) in.fail();
    for (std::size_t i = 0; in.good() && i < count; ++i) made.columns.push_back(column(in));
    return made;
}

// The tuple that follows a letter; the letter must be one of those.
Tuple labelled(Bytes& in, std::string_view letters) {
    const auto letter = in.number<char>();
    if (letters.find(letter) == std::string_view::npos) in.fail();
    return tuple(in);
}

Insert insert(Bytes& in) {
    Insert made;
    made.relation = in.number<std::uint32_t>();
    made.fresh = labelled(in, "N");
    return made;
}

Update update(Bytes& in) {
    Update made;
    made.relation = in.number<std::uint32_t>();
    const auto letter = in.number<char>();
    if (letter == 'K' || letter == 'O') {
        made.old = tuple(in);
        made.fresh = labelled(in, "N");
        return made;
    }
    if (letter != 'N') in.fail();
    made.fresh = tuple(in);
    return made;
}

Delete remove(Bytes& in) {
    Delete made;
    made.relation = in.number<std::uint32_t>();
    made.old = labelled(in, "KO");
    return made;
}

Truncate truncate(Bytes& in) {
    const auto count = in.number<std::uint32_t>();
    in.take(1);  // CASCADE, RESTART IDENTITY: the tables are listed all the same
    Truncate made;
    if (in.left() != std::size_t{count} * 4) in.fail();
    for (std::size_t i = 0; in.good() && i < count; ++i) made.relations.push_back(in.number<std::uint32_t>());
    return made;
}

Emitted emitted(Bytes& in) {
    in.take(1);  // transactional or not
    Emitted made;
    made.lsn = in.number<Lsn>();
    made.prefix = in.text();
    made.content = in.take(in.number<std::uint32_t>());
    return made;
}

std::optional<Message> read(Bytes& in) {
    switch (in.number<char>()) {
        case 'B':
            return begin(in);
        case 'C':
            return commit(in);
        case 'R':
            return relation(in);
        case 'I':
            return insert(in);
        case 'U':
            return update(in);
        case 'D':
            return remove(in);
        case 'T':
            return truncate(in);
        case 'M':
            return emitted(in);
        case 'O':  // where a replicated transaction came from
        case 'Y':  // the name of a type
            in.take(in.left());
            return Other{};
        default:
            return std::nullopt;
    }
}

}  // namespace

std::optional<Message> read_message(std::string_view bytes) {
    Bytes in(bytes);
    auto message = read(in);
    if (!in.used_up()) return std::nullopt;
    return message;
}

}  // namespace millrace::replication
