// Which representations can be written while their rows come.
#include "row_writers.hpp"

namespace millrace::reply {

// One object needs its row to be the only one, and a body that Postgres makes comes whole.
std::unique_ptr<RowWriter> row_writer(const Shape& shape, const sql::Script& script) {
    const representation::Representation& wanted = shape.representation;
    if (shape.action != request::Action::read || wanted.one || script.answer != sql::Answer::rows) return nullptr;
    if (wanted.form.output == sql::Output::body) return nullptr;
    if (wanted.form.output == sql::Output::text) return csv_writer(script);
    return json_writer(script, wanted.nulls_stripped);
}

}  // namespace millrace::reply
