// Turns commands into bytes and bytes into values. The reader builds our values itself, so that their number is bounded:
// hiredis would allocate whatever length an array claims.
#include "codec.hpp"

#include <hiredis/hiredis.h>

#include <new>

namespace millrace::redis {
namespace {

// The place of the value that is being read: in its array, or a new one. Nothing when the reply has too many.
Value* place_for(const redisReadTask* task) noexcept {
    auto& values = *static_cast<std::size_t*>(task->privdata);
    if (++values > reply_values_max) return nullptr;
    if (task->parent == nullptr) return new (std::nothrow) Value;
    auto& items = static_cast<Value*>(task->parent->obj)->items;
    const auto index = static_cast<std::size_t>(task->idx);
    return index < items.size() ? &items[index] : nullptr;
}

// What was made for the top of a reply is not known to hiredis yet, so nobody else would free it.
void* given_up(const redisReadTask* task, const Value* value) noexcept {
    if (task->parent == nullptr) delete value;
    return nullptr;
}

ValueKind text_kind(const redisReadTask* task) {
    if (task->type == REDIS_REPLY_ERROR) return ValueKind::error;
    return task->type == REDIS_REPLY_STATUS ? ValueKind::status : ValueKind::string;
}

void* create_string(const redisReadTask* task, char* bytes, std::size_t count) noexcept {
    Value* value = place_for(task);
    if (value == nullptr) return nullptr;
    try {
        value->kind = text_kind(task);
        value->text.assign(bytes, count);
        return value;
    } catch (const std::bad_alloc&) {
        return given_up(task, value);
    }
}

void* create_array(const redisReadTask* task, std::size_t count) noexcept {
    if (count > reply_values_max) return nullptr;
    Value* value = place_for(task);
    if (value == nullptr) return nullptr;
    try {
        value->kind = ValueKind::array;
        value->items.resize(count);
        return value;
    } catch (const std::bad_alloc&) {
        return given_up(task, value);
    }
}

void* create_integer(const redisReadTask* task, long long number) noexcept {
    Value* value = place_for(task);
    if (value == nullptr) return nullptr;
    value->kind = ValueKind::integer;
    value->integer = number;
    return value;
}

void* create_nil(const redisReadTask* task) noexcept { return place_for(task); }

void free_value(void* value) noexcept { delete static_cast<Value*>(value); }

// hiredis 1.0 has more kinds, which only come when asked for by HELLO 3; without a function it would make them up.
template <class Functions>
void refuse_resp3(Functions& functions) {
    if constexpr (requires { functions.createDouble; })
        functions.createDouble = [](const redisReadTask*, double, char*, std::size_t) -> void* { return nullptr; };
    if constexpr (requires { functions.createBool; })
        functions.createBool = [](const redisReadTask*, int) -> void* { return nullptr; };
}

// hiredis takes the table as not const, and only reads it.
redisReplyObjectFunctions* functions() {
    static const redisReplyObjectFunctions table = [] {
        redisReplyObjectFunctions made{};
        made.createString = create_string;
        // A length is an int in hiredis 0.14 and a size_t from 1.0 on; a negative one is never passed.
        made.createArray = [](const redisReadTask* task, auto count) -> void* {
            return create_array(task, static_cast<std::size_t>(count));
        };
        made.createInteger = create_integer;
        made.createNil = create_nil;
        made.freeObject = free_value;
        refuse_resp3(made);
        return made;
    }();
    return const_cast<redisReplyObjectFunctions*>(&table);
}

}  // namespace

std::optional<std::string> format(std::span<const std::string_view> arguments) {
    std::vector<const char*> texts;
    std::vector<std::size_t> lengths;
    std::size_t bytes = 0;
    for (const std::string_view argument : arguments) {
        texts.push_back(argument.data() == nullptr ? "" : argument.data());
        lengths.push_back(argument.size());
        bytes += argument.size();
    }
    if (arguments.empty() || bytes > command_bytes_max) return std::nullopt;
    char* raw = nullptr;
    const auto count = redisFormatCommandArgv(&raw, static_cast<int>(texts.size()), texts.data(), lengths.data());
    const std::unique_ptr<char, decltype(&redisFreeCommand)> command(raw, &redisFreeCommand);
    if (count <= 0) return std::nullopt;
    return std::string(command.get(), static_cast<std::size_t>(count));
}

Reader::Reader() : reader_(redisReaderCreateWithFunctions(functions())) {
    if (!reader_) throw std::bad_alloc();
    reader_->privdata = &values_;
}

bool Reader::feed(std::string_view bytes) {
    bytes_ += bytes.size();
    if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) broken_ = true;
    return !broken_;
}

std::optional<Value> Reader::next() {
    void* raw = nullptr;
    if (broken_ || redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) {
        broken_ = true;
        return std::nullopt;
    }
    const std::unique_ptr<Value> value(static_cast<Value*>(raw));
    if (!value) {
        broken_ = bytes_ > reply_bytes_max;
        return std::nullopt;
    }
    values_ = 0;
    bytes_ = reader_->len - reader_->pos;
    return std::move(*value);
}

}  // namespace millrace::redis
