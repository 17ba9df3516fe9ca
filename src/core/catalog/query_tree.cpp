// Reads what a stored query tells of its outputs and functions, from the text form of Postgres' node trees
// (src/backend/nodes/outfuncs.c): {LABEL :field value …}, with '\' before a special character of a name.
#include <algorithm>
#include <array>
#include <charconv>

#include "millrace/core/catalog.hpp"
#include "millrace/core/text.hpp"

namespace millrace::catalog {
namespace {

constexpr std::uint32_t first_user_oid = 16384;  // FirstNormalObjectId

constexpr std::array function_fields = {
    std::string_view("funcid"),   std::string_view("opfuncid"), std::string_view("hashfuncid"), std::string_view("negfuncid"),
    std::string_view("aggfnoid"), std::string_view("winfnoid"), std::string_view("elemfuncid"), std::string_view("resultfunc")};

// What a request brings besides its identity (PostgREST, "Transaction-Scoped Settings").
constexpr std::array request_settings = {std::string_view("request.headers"), std::string_view("request.cookies"),
                                         std::string_view("request.method"), std::string_view("request.path")};

class Reader {
public:
    explicit Reader(std::string_view tree) : rest_(tree) {}

    QueryFacts read() {
        while (!rest_.empty()) step();
        std::ranges::sort(facts_.functions);
        facts_.functions.erase(std::unique(facts_.functions.begin(), facts_.functions.end()), facts_.functions.end());
        return std::move(facts_);
    }

private:
    // Labels are read by depth: the outputs of a view are the target entries directly inside its one outermost query.
    void step() {
        const char c = rest_.front();
        rest_.remove_prefix(1);
        if (c == '\\') {
            if (!rest_.empty()) rest_.remove_prefix(1);
        } else if (c == '{') {
            labels_.push_back(word());
            open();
        } else if (c == '}') {
            close();
        } else if (c == ':' && starts_field_) {
            field(word());
        }
        starts_field_ = c == ' ' || c == '{' || c == '\n';
    }

    void open() {
        if (labels_.back() == "TABLESAMPLECLAUSE") facts_.reads_clock = true;
        if (is_output()) output_ = {};
    }

    void close() {
        if (is_output() && output_.relation_oid != 0 && output_.column > 0) facts_.outputs.push_back(output_);
        if (!labels_.empty()) labels_.pop_back();
    }

    [[nodiscard]] bool is_output() const {
        return labels_.size() == 2 && labels_.back() == "TARGETENTRY" && labels_.front() == "QUERY";
    }

    void field(std::string_view name) {
        if (is_output()) {
            if (name == "resno") output_.position = static_cast<int>(number());
            if (name == "resorigtbl") output_.relation_oid = number();
            if (name == "resorigcol") output_.column = static_cast<int>(number());
        }
        if (std::ranges::find(function_fields, name) != function_fields.end()) {
            if (const auto oid = number(); oid != 0) facts_.functions.push_back(oid);
        } else if (name == "constvalue") {
            const auto text = constant();
            facts_.reads_request |= std::ranges::find(request_settings, text) != request_settings.end();
        } else if (name == "relid") {
            if (const auto oid = number(); oid != 0 && oid < first_user_oid) facts_.reads_system = true;
        } else if (name == "op" && !labels_.empty() && labels_.back() == "SQLVALUEFUNCTION") {
            constexpr std::uint32_t first_role = 9;  // SVFOP_CURRENT_ROLE; before it are the times
            (number() < first_role ? facts_.reads_clock : facts_.reads_role) = true;
        }
    }

    std::string_view word() {
        const auto end = std::min(rest_.find_first_of(" {}()\n"), rest_.size());
        const std::string_view taken = rest_.substr(0, end);
        rest_.remove_prefix(end);
        return taken;
    }

    // A value that is left where it is: the steps pass over it.
    [[nodiscard]] std::uint32_t number() const {
        std::string_view digits = rest_.substr(std::min(rest_.find_first_not_of(' '), rest_.size()));
        std::uint32_t value = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return value;
    }

    // "19 [ 76 0 0 0 114 … ]": the bytes of a datum; of a text those after its four bytes of length. No longer than what is
    // looked for.
    [[nodiscard]] std::string constant() const {
        constexpr std::size_t header = 4, bytes_max = 64;
        std::string_view bytes = rest_.substr(std::min(rest_.find_first_of("[{}"), rest_.size()));
        std::string out;
        if (!bytes.starts_with('[')) return out;
        for (bytes.remove_prefix(1); out.size() <= bytes_max;) {
            bytes.remove_prefix(std::min(bytes.find_first_not_of(' '), bytes.size()));
            int byte = 0;
            const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), byte);
            if (error != std::errc()) break;
            out += static_cast<char>(byte);
            bytes.remove_prefix(static_cast<std::size_t>(end - bytes.data()));
        }
        return out.size() < header ? std::string() : text::lower(out.substr(header));
    }

    std::string_view rest_;
    std::vector<std::string_view> labels_;
    bool starts_field_ = false;
    QueryFacts::Output output_;
    QueryFacts facts_;
};

}  // namespace

QueryFacts read_query_tree(std::string_view node_tree) { return Reader(node_tree).read(); }

}  // namespace millrace::catalog
