// Tells whether two catalogs are equal: one number over everything that they say, each field with its length.
#include <initializer_list>
#include <type_traits>

#include "millrace/core/catalog.hpp"
#include "millrace/core/text.hpp"

namespace millrace::catalog {
namespace {

class Sink {
public:
    template <class T>
    requires std::is_arithmetic_v<T> Sink& operator<<(T number) {
        bytes_ += std::to_string(number);
        bytes_ += ';';
        return *this;
    }
    Sink& operator<<(const std::string& s) {
        *this << s.size();
        bytes_ += s;
        return *this;
    }
    template <class T>
    Sink& operator<<(const std::vector<T>& items) {
        *this << items.size();
        for (const T& item : items) *this << item;
        return *this;
    }
    Sink& operator<<(const Column& c) {
        *this << c.name << c.type << c.type_oid << c.base_type_oid << c.position << c.nullable << c.has_default << c.generated
              << c.comment << c.enum_values << c.origin.has_value();
        return c.origin ? *this << c.origin->relation << c.origin->column : *this;
    }
    Sink& operator<<(const Privileges& p) { return *this << p.select << p.insert << p.update << p.del; }
    Sink& operator<<(const Relation& r) {
        return *this << r.schema << r.name << static_cast<int>(r.kind) << r.columns << r.primary_key << r.unique_keys
                     << r.comment << r.anonymous << r.insertable << r.updatable << r.deletable << r.row_security
                     << r.is_volatile << r.reads_session << r.partition << r.watched << r.base_tables;
    }
    Sink& operator<<(const ColumnPair& p) { return *this << p.from << p.to; }
    Sink& operator<<(const ForeignKey& k) { return *this << k.constraint << k.from << k.to << k.columns; }
    Sink& operator<<(const Parameter& p) { return *this << p.name << p.type << p.has_default << p.variadic; }
    Sink& operator<<(const Function& f) {
        return *this << f.schema << f.name << f.return_type << f.comment << f.parameters << f.returns_set
                     << static_cast<int>(f.result) << static_cast<int>(f.volatility) << f.anonymous_may_execute;
    }
    [[nodiscard]] std::uint64_t hash() const { return text::hash64(bytes_); }

private:
    std::string bytes_;
};

}  // namespace

// Relationships and inferred keys follow from the rest.
std::uint64_t fingerprint_of(const Catalog& catalog) {
    Sink sink;
    sink << catalog.relations << catalog.foreign_keys << catalog.functions << catalog.system_identifier << catalog.timeline
         << catalog.server_version;
    return sink.hash();
}

}  // namespace millrace::catalog
