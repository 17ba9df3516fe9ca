// Reads functions: what goes in, and as what their rows come out.
#include "introspect_function_queries.hpp"
#include "introspect_reader.hpp"

namespace millrace::pg {
namespace {

using catalog::Function;
using catalog::ResultKind;

constexpr std::uint32_t record_oid = 2249, void_oid = 2278;

Function function_of(const pqxx::row& row, const Types& types) {
    Function function;
    function.schema = text_of(row, "schema");
    function.name = text_of(row, "name");
    function.comment = text_of(row, "comment");
    function.return_type = text_of(row, "return_type");
    function.return_type_oid = oid(row, "return_type_oid");
    function.returns_set = flag(row, "returns_set");
    function.one_row = flag(row, "one_row");
    function.media_type = types.media_type(function.return_type_oid);
    function.volatility = volatility_of(row);
    function.settings = settings_of(row["settings"]);
    function.anonymous_may_execute = flag(row, "may_execute");
    return function;
}

catalog::Parameter parameter_of(const pqxx::row& row) {
    catalog::Parameter parameter;
    parameter.name = text_of(row, "name");
    parameter.type = text_of(row, "type");
    parameter.type_oid = oid(row, "type_oid");
    parameter.category = category_of(row);
    parameter.has_default = flag(row, "has_default");
    parameter.variadic = text_of(row, "mode") == "v";
    return parameter;
}

}  // namespace

void CatalogReader::read_functions() {
    for (const pqxx::row& row : transaction_.exec_params(queries::functions, schemas_, role_)) {
        functions_.emplace(oid(row, "oid"), catalog_.functions.size());
        catalog_.functions.push_back(function_of(row, types_));
    }
    read_arguments();
    read_results();
}

void CatalogReader::read_arguments() {
    for (const pqxx::row& row : transaction_.exec_params(queries::arguments, schemas_)) {
        const auto found = functions_.find(oid(row, "function"));
        if (found == functions_.end()) continue;
        Function& function = catalog_.functions[found->second];
        const std::string mode = text_of(row, "mode");
        if (mode == "i" || mode == "b" || mode == "v") function.parameters.push_back(parameter_of(row));
        if (mode == "i" || mode == "v") continue;
        function.result = ResultKind::table;
        catalog::Column& column = function.result_columns.emplace_back(types_.column_of(row));
        column.position = static_cast<int>(function.result_columns.size());
        if (column.name.empty()) column.name = "column" + std::to_string(column.position);  // as Postgres names it
    }
}

void CatalogReader::read_results() {
    std::vector<std::uint32_t> results;
    for (const Function& function : catalog_.functions) results.push_back(types_.base_of(function.return_type_oid));
    for (const pqxx::row& row : transaction_.exec_params(queries::composites, array_text(results))) {
        std::vector<catalog::Column>& columns = composites_[oid(row, "composite")];
        if (row["name"].is_null()) continue;
        columns.push_back(types_.column_of(row));
        columns.back().position = row["position"].as<int>();
    }
    for (Function& function : catalog_.functions) settle_result(function);
}

void CatalogReader::settle_result(Function& function) const {
    if (function.result == ResultKind::table) return;
    const std::uint32_t type = types_.base_of(function.return_type_oid);
    if (type == void_oid) {
        function.result = ResultKind::is_void;
    } else if (type == record_oid) {
        function.result = ResultKind::record;
    } else if (const auto relation = rows_.find(type); relation != rows_.end()) {
        function.result = ResultKind::composite;
        function.result_relation = catalog_.relations[relation->second].id();
        function.result_columns = catalog_.relations[relation->second].columns;
    } else if (const auto composite = composites_.find(type); composite != composites_.end()) {
        function.result = ResultKind::composite;
        function.result_columns = composite->second;
    } else {
        catalog::Column& value = function.result_columns.emplace_back();
        value.name = function.name;
        value.type = function.return_type;
        value.type_oid = function.return_type_oid;
        value.base_type_oid = type;
    }
}

}  // namespace millrace::pg
