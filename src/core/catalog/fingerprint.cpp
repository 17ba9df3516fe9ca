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
    template <class T>
    Sink& operator<<(const std::optional<T>& value) {
        *this << value.has_value();
        return value ? *this << *value : *this;
    }
    template <class A, class B>
    Sink& operator<<(const std::pair<A, B>& pair) {
        return *this << pair.first << pair.second;
    }
    Sink& operator<<(const Origin& o) { return *this << o.relation << o.column; }
    Sink& operator<<(const RoutineName& r) { return *this << r.schema << r.name << static_cast<int>(r.volatility); }
    Sink& operator<<(const Representation& r) { return *this << r.to_json << r.from_json << r.from_text; }
    Sink& operator<<(const Column& c) {
        return *this << c.name << c.type << c.type_oid << c.base_type_oid << c.position << c.nullable
                     << static_cast<int>(c.category) << c.has_default << c.default_expression << c.generated << c.length_max
                     << c.comment << c.enum_values << c.origin << c.represented << c.computed;
    }
    Sink& operator<<(const Privileges& p) { return *this << p.select << p.insert << p.update << p.del; }
    Sink& operator<<(const Relation& r) {
        return *this << r.schema << r.name << static_cast<int>(r.kind) << r.columns << r.computed << r.primary_key
                     << r.unique_keys << r.comment << r.anonymous << r.insertable << r.updatable << r.deletable
                     << r.row_security << r.is_volatile << r.reads_session << r.partition << r.watched << r.told_by_key
                     << r.reads_materialized << r.base_tables;
    }
    Sink& operator<<(const ColumnPair& p) { return *this << p.from << p.to; }
    Sink& operator<<(const ForeignKey& k) { return *this << k.constraint << k.from << k.to << k.columns; }
    Sink& operator<<(const Relationship& r) {
        return *this << r.source << r.target << static_cast<int>(r.cardinality) << r.function;
    }
    Sink& operator<<(const Parameter& p) {
        return *this << p.name << p.type << p.type_oid << static_cast<int>(p.category) << p.has_default << p.variadic;
    }
    Sink& operator<<(const Function& f) {
        return *this << f.schema << f.name << f.comment << f.parameters << static_cast<int>(f.result) << f.returns_set
                     << f.one_row << f.return_type << f.return_type_oid << f.result_relation << f.result_columns << f.media_type
                     << static_cast<int>(f.volatility) << f.settings << f.anonymous_may_execute;
    }
    Sink& operator<<(const MediaHandler& h) { return *this << h.media_type << h.function << h.relation << h.binary; }
    Sink& operator<<(const RoleSettings& r) { return *this << r.role << r.settings; }
    [[nodiscard]] std::uint64_t hash() const { return text::hash64(bytes_); }

private:
    std::string bytes_;
};

}  // namespace

// Other relationships and inferred keys follow from the rest.
std::uint64_t fingerprint_of(const Catalog& catalog) {
    Sink sink;
    sink << catalog.relations << catalog.foreign_keys << catalog.functions << catalog.media_handlers << catalog.role_settings
         << catalog.timezones << catalog.schema_comment << catalog.ddl_watched << catalog.system_identifier << catalog.timeline
         << catalog.server_version;
    for (const Relationship& way : catalog.relationships)
        if (way.function) sink << way;
    return sink.hash();
}

}  // namespace millrace::catalog
