// The SELECT of a node and of the embeds below it, appended piece by piece.
#pragma once

#include "cells.hpp"
#include "writer.hpp"

namespace millrace::sql {

// How the columns of a SELECT are named: the root's by the script's cells (as JSON or as Postgres prints them), an embed's as
// keys of JSON, and those of a spread by number, since the level above names them.
enum class Naming : std::uint8_t { cells, texts, keys, numbers };

// A column that a spread gives to the level above.
struct SpreadOutput {
    std::string_view key;
    CellType type;
    const plan::OutputColumn* aggregated = nullptr;  // its aggregate is still to be applied, at the level above
};

// Where a node stands in the statement: its own alias, its parent's, and the number of its first embed.
struct Place {
    Alias self;
    Alias parent;
    unsigned first_embed = 0;
};

class Outputs;

class Tree {
public:
    explicit Tree(Writer& out) : out_(out) {}

    [[nodiscard]] Place place(const plan::ReadNode& node, Alias self, Alias parent);

    // "SELECT … FROM … WHERE … LIMIT …" of an embed.
    void embed_select(const plan::ReadNode& node, Alias self, Alias parent, Naming naming);

    void outputs(const plan::ReadNode& node, const Place& place, Outputs& outputs);
    void joins(const plan::ReadNode& node, const Place& place);
    void order(const plan::ReadNode& node, const Place& place);
    void window(const plan::ReadNode& node);

    // Which inner embeds the FROM has joined already, so that WHERE need not ask for them.
    enum class Joined : std::uint8_t { to_one, none };
    // The first word is what stands before the first condition: " WHERE " or " ON ".
    void conditions(const plan::ReadNode& node, Alias self, Alias parent, Joined joined, std::string_view first_word);
    // The node is there for tests of its embeds; a write's filters have none.
    void filter(const plan::ReadNode* node, const plan::Filter& filter, Alias self);

private:
    void junction(const plan::ReadNode* node, const plan::Junction& junction, Alias self);
    void from(const plan::ReadNode& node, Alias self, Alias parent);
    void order_join(const plan::ReadNode& embed, Alias parent, unsigned number);
    void exists(const plan::ReadNode& embed, Alias parent);
    void link(const plan::ReadNode& embed, Alias self, Alias parent, class Conjunction& conjunction);
    void to_many(const plan::ReadNode& embed, Alias parent, unsigned number);
    void lateral(const plan::ReadNode& embed, Alias parent, unsigned number);
    void spread_arrays(const plan::ReadNode& embed, Alias parent, unsigned number);

    Writer& out_;
    unsigned next_ = 1;
};

// Writes the commas, the names and the positions to group by, of one SELECT's columns.
class Outputs {
public:
    Outputs(Writer& out, Naming naming, bool grouped, bool hoists, std::vector<OutputCell>* cells)
        : out_(out), naming_(naming), grouped_(grouped), hoists_(hoists), cells_(cells) {}

    void column(const plan::OutputColumn& column, Alias alias);
    // A column of a spread: e1.c2.
    void spread(const SpreadOutput& output, Alias alias, unsigned position);
    // An embed's JSON; between the two the caller writes the expression.
    void begin_json();
    void end_json(std::string_view key);

    void group_by();
    [[nodiscard]] bool empty() const { return count_ == 0; }

private:
    void begin();
    void end(std::string_view key, CellType type, bool aggregated);
    void open_wrap(CellType type);
    void close_wrap(CellType type);

    Writer& out_;
    Naming naming_;
    bool grouped_;  // the SELECT has aggregates, so what is none is grouped by
    bool hoists_;   // a to-one spread leaves its aggregates to the level above
    std::vector<OutputCell>* cells_;
    unsigned count_ = 0;
    std::vector<unsigned> groups_;
};

// " WHERE a AND b": writes the words between conditions.
class Conjunction {
public:
    Conjunction(Writer& out, std::string_view first_word) : out_(out), next_(first_word) {}
    Writer& next() {
        out_ << next_;
        next_ = " AND ";
        return out_;
    }
    Writer& out() { return out_; }

private:
    Writer& out_;
    std::string_view next_;
};

[[nodiscard]] bool is_to_one(const plan::ReadNode& embed);
[[nodiscard]] bool has_aggregates(const plan::ReadNode& node);  // its own, or those that its to-one spreads leave to it
[[nodiscard]] std::vector<SpreadOutput> spread_outputs(const plan::ReadNode& embed);

}  // namespace millrace::sql
