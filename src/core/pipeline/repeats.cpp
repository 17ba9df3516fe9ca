// Decides for which writes an answer is kept: those that may change something and have a key.
#include "repeats.hpp"

namespace millrace::pipeline {
namespace {

std::string route_of(const Work& work) {
    const std::string& name = work.function == nullptr ? work.resource->name : work.function->route;
    return work.api->version() + "/" + work.api->table().schema + "/" + name;
}

}  // namespace

// What changes nothing, or does not stay, is done again: its key is looked at and then not needed.
Result<void> allow_repeats(Work& work, sql::Session& session, const Caller& caller) {
    auto key = idempotency::key_of(caller.request, caller.identity, route_of(work), work.policies().idempotency);
    if (!key) return std::move(key).error();
    if (!*key || session.reads_only || session.rolls_back) return {};
    const std::string& anonymous = caller.snapshot.settings.database.anonymous_role;
    if (session.role.empty()) session.role = anonymous.empty() ? "none" : anonymous;
    session.first = idempotency::claim(**key);
    work.kept = Work::Kept{**key, session.role};
    return {};
}

}  // namespace millrace::pipeline
