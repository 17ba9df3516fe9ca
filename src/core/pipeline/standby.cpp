// Makes the twin of a read that goes to a standby: the same statements, behind one that says what the standby has seen.
#include "standby.hpp"

#include "cache_plan.hpp"
#include "exposure.hpp"
#include "marks.hpp"

namespace millrace::pipeline {
namespace {

// What nobody tags could be older than anything known here without anyone noticing. The function before a request may write,
// and would run twice where the standby's answer does not count; a standby knows no serializable transactions.
bool may_go(const Work& work, const plan::Plan& plan, const sql::Session& session) {
    if (!work.policies().standby || work.snapshot->settings.database.standby_url.empty()) return false;
    if (!work.safe || work.script.writes || session.pre_request || !session.isolation.empty()) return false;
    const Exposure exposure = exposure_of(plan, *work.snapshot);
    return !exposure.changing && (!exposure.untagged || work.policies().depends_on_watched);
}

}  // namespace

void offer_to_standby(Work& work, const plan::Plan& plan, const sql::Session& session, const sql::RenderOptions& options,
                      std::size_t values) {
    if (!may_go(work, plan, session)) return;
    auto twin = std::make_shared<Work>(work);
    sql::RenderOptions there = options;
    there.on_standby = true;
    twin->script = sql::render(plan, session, there);
    if (values > 0 && !place_slots(twin->script, values)) return;
    work.standby_tags = tags_of(plan, work);
    work.on_standby = std::move(twin);
}

}  // namespace millrace::pipeline
